"""Small boosters, trained by XGBoost itself, and what it predicts."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost

FEATURES = 4
WRITES_BINARY = tuple(map(int, xgboost.__version__.split(".")[:2])) < (3, 1)
FORMATS = ("json", "ubj", "deprecated")[: 3 if WRITES_BINARY else 2]
OBJECTIVES = (
    *(
        "reg:squarederror",
        "reg:squaredlogerror",
        "reg:logistic",
        "reg:pseudohubererror",
        "reg:absoluteerror",
        "reg:gamma",
    ),
    *("reg:tweedie", "reg:quantileerror", "binary:logistic", "binary:logitraw", "binary:hinge", "count:poisson"),
    *("survival:cox", "survival:aft", "multi:softmax", "multi:softprob", "rank:pairwise", "rank:ndcg", "rank:map"),
)
BOOSTERS = ("gbtree", "dart", "gblinear")


def features(rows: int, seed: int = 0) -> npt.NDArray[np.float64]:
    """Rows with missing values, some of them numbers that trees split at."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, FEATURES)).round(1)
    x[rng.random(x.shape) < 0.2] = np.nan
    return x


def matrix(x: npt.NDArray[Any], **fields: Any) -> Any:
    return xgboost.DMatrix(x, nthread=1, **fields)


@cache
def train(objective: str, booster: str = "gbtree", rounds: int = 4, **options: Any) -> Any:
    x = features(120)
    rng = np.random.default_rng(1)
    signal = np.nan_to_num(x) @ [1.0, -0.5, 0.2, 0.0] + rng.normal(size=len(x)) / 4
    label = np.abs(signal)
    fields: dict[str, Any] = {"label": label}
    parameters: dict[str, Any] = {"objective": objective, "booster": booster, "nthread": 1, "seed": 3, **options}
    if objective.startswith("multi:"):
        parameters["num_class"] = 3
        fields["label"] = np.digitize(signal, [-0.5, 0.5])
    elif objective.startswith("binary:") or objective in ("reg:logistic", "rank:map"):
        fields["label"] = (signal > 0).astype(float)
    elif objective in ("reg:squarederror", "reg:absoluteerror"):
        fields["label"] = signal
    elif objective == "survival:aft":
        fields = {"label_lower_bound": label, "label_upper_bound": label + 0.1}
    elif objective == "reg:quantileerror":
        parameters["quantile_alpha"] = 0.4
    elif objective.startswith("rank:"):
        fields["label"] = np.clip(label.round(), 0, 3)
    if objective.startswith("rank:"):
        fields["group"] = [30] * 4
    if booster == "dart":
        parameters.setdefault("rate_drop", 0.5)
    if booster != "gblinear":
        parameters.setdefault("max_depth", 3)
    else:
        parameters["updater"] = "coord_descent"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return xgboost.train(parameters, matrix(x, **fields), rounds)


def saved(booster: Any, form: str = "ubj") -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bytes(booster.save_raw(form))
