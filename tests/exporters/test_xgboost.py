"""XGBoost's boosters and estimators, on both executors."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from xgboost import XGBClassifier, XGBRanker, XGBRegressor, XGBRFClassifier, XGBRFRegressor

from leapstream import SchemaError, UnsupportedOpError, from_xgboost
from leapstream.model import Model
from tests import boosters
from tests.exporters.agreement import assert_agrees, reloaded

SINGLE = 3e-7
OPTIONS: dict[str, Any] = {"n_estimators": 5, "max_depth": 3, "n_jobs": 1}


def assert_predicts(model: Model, booster: Any, backend: Any = "vectorized") -> None:
    x = boosters.features(50, 5)
    wanted = booster.predict(boosters.matrix(x))
    result = model.transform({"features": x}, backend=backend)
    classes = "probability" in result
    given = np.stack(list(result["probability" if classes else "prediction"]))
    np.testing.assert_allclose(given[:, 1] if classes and wanted.ndim == 1 else given, wanted, rtol=SINGLE, atol=1e-7)


@pytest.mark.parametrize("objective", boosters.OBJECTIVES)
@pytest.mark.parametrize("kind", boosters.BOOSTERS)
def test_a_model_predicts_what_the_booster_does(objective: str, kind: str, tmp_path: Path) -> None:
    booster = boosters.train(objective, kind)
    model = from_xgboost(booster)
    assert_predicts(model, booster)
    assert_predicts(reloaded(model, tmp_path, "protobuf"), booster)


@pytest.mark.flink
@pytest.mark.slow
def test_the_jvm_predicts_what_the_boosters_do() -> None:
    for objective in ("reg:squarederror", "count:poisson", "binary:logistic", "multi:softprob", "multi:softmax"):
        booster = boosters.train(objective)
        assert_predicts(from_xgboost(booster), booster, "jvm")


def labels() -> npt.NDArray[np.int64]:
    return np.digitize(np.nan_to_num(boosters.features(120)).sum(axis=1), [-0.5, 0.5])


@pytest.mark.parametrize(
    "estimator",
    [
        XGBRegressor(**OPTIONS),
        XGBRegressor(booster="gblinear", n_estimators=3, n_jobs=1),
        XGBRFRegressor(**OPTIONS),
        XGBClassifier(**OPTIONS),
        XGBClassifier(booster="dart", rate_drop=0.5, **OPTIONS),
        XGBRFClassifier(**OPTIONS),
    ],
    ids=lambda estimator: f"{type(estimator).__name__} {estimator.booster or ''}".strip(),
)
@pytest.mark.parametrize("classes", [2, 3])
def test_a_model_predicts_what_the_estimator_does(estimator: Any, classes: int) -> None:
    x, y = boosters.features(120), np.minimum(labels(), classes - 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = type(estimator)(**estimator.get_params()).fit(x, y)
        assert_agrees(from_xgboost(fitted), fitted, boosters.features(40, 7), tolerance=SINGLE)


def test_a_probability_of_a_half_is_the_first_class_for_the_estimator() -> None:
    estimator = XGBClassifier(n_estimators=1, n_jobs=1, base_score=0.5).fit(np.zeros((4, 1)), [0, 1, 0, 1])
    model = from_xgboost(estimator)
    assert model.predict({"features": np.zeros((1, 1))})["prediction"].tolist() == estimator.predict(np.zeros((1, 1)))


def test_a_ranker_predicts_scores() -> None:
    x = boosters.features(120)
    estimator = XGBRanker(**OPTIONS).fit(x, labels(), group=[40] * 3)
    assert_agrees(from_xgboost(estimator), estimator, x[:40], tolerance=SINGLE)


def test_only_the_rounds_up_to_the_best_one_count() -> None:
    x, y = boosters.features(120), labels()
    estimator = XGBClassifier(n_estimators=40, n_jobs=1, learning_rate=1.0, early_stopping_rounds=2)
    estimator.fit(x[:60], y[:60], eval_set=[(x[60:], y[60:])], verbose=False)
    assert estimator.best_iteration + 1 < estimator.get_booster().num_boosted_rounds()
    assert_agrees(from_xgboost(estimator), estimator, x[:40], tolerance=SINGLE)


def test_columns_have_the_names_of_the_training_data_and_their_zeros_are_not_missing() -> None:
    data = pd.DataFrame(np.nan_to_num(boosters.features(120)), columns=["a", "b", "c", "d"])
    estimator = XGBRegressor(**OPTIONS).fit(data.mask(data > 1.5), labels())
    model = from_xgboost(estimator)
    assert model.schema.inputs.names == ("a", "b", "c", "d")
    assert_agrees(model, estimator, data[:40], tolerance=SINGLE)
    zeros = pd.DataFrame(np.zeros((2, 4)), columns=data.columns)
    assert_agrees(model, estimator, zeros, tolerance=SINGLE)


def test_categories_are_given_by_their_codes() -> None:
    data = pd.DataFrame({"city": pd.Categorical(["Oslo", "Bern", "Rome", "Bern"] * 20), "size": np.arange(80.0)})
    y = (data["city"] == "Rome") * 3.0 + data["size"] / 80
    estimator = XGBRegressor(enable_categorical=True, **OPTIONS).fit(data, y)
    codes = data.assign(city=data["city"].cat.codes.astype(float))
    result = from_xgboost(estimator).transform(codes)
    np.testing.assert_allclose(result["prediction"], estimator.predict(data), rtol=SINGLE)


def squares(y: Any, predicted: Any) -> Any:
    return predicted - y, np.ones_like(predicted)


@pytest.mark.parametrize(
    ("estimator", "y", "message"),
    [
        (XGBRegressor(missing=0.0, **OPTIONS), labels(), r"missing is 0\.0; only NaN"),
        (XGBRegressor(objective=squares, **OPTIONS), labels(), "a function of its own"),
        (XGBRegressor(**OPTIONS), np.stack([labels(), labels()], axis=1), "predicts 2 targets"),
    ],
)
def test_what_the_op_of_mleap_cannot_do_is_rejected(estimator: Any, y: Any, message: str) -> None:
    with pytest.raises(UnsupportedOpError, match=f"XGBoost's XGBRegressor: .*{message}"):
        from_xgboost(estimator.fit(np.nan_to_num(boosters.features(120)), y))


def test_what_is_not_fitted_or_does_not_fit_is_rejected() -> None:
    with pytest.raises(SchemaError, match="not fitted"):
        from_xgboost(XGBRegressor())
    with pytest.raises(SchemaError, match="there are 2 features"):
        from_xgboost(boosters.train("reg:squarederror"), np.zeros((1, 2)))
