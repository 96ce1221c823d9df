"""Converts XGBoost's boosters to MLeap's XGBoost ops."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from leapstream.bundle.booster import parse_booster
from leapstream.exporters.dispatch import Dispatch
from leapstream.exporters.frame import features_of
from leapstream.exporters.graph import Block, Features, Graph, is_sparse
from leapstream.exporters.predictors import add_labels, most_probable
from leapstream.exporters.step import PredictorColumns, Step, read_fitted
from leapstream.model import Model
from leapstream.ops.xgboost import XGBoostClassifier, XGBoostRegression

_OF_CLASSES = ("binary:logistic", "binary:hinge", "multi:softprob")


def from_xgboost(model: Any, sample: Any = None, *, name: str | None = None) -> Model:
    """Convert an XGBoost booster to a model with the same predictions.

    A classifier has the output columns ``raw_prediction`` (margins), ``probability`` and ``prediction``, the class. Any other
    model, and one with the objective ``multi:softmax``, has ``prediction``, equal to the result of ``Booster.predict``. A missing
    value is NaN.

    Args:
        model: a ``Booster``, of which all rounds are used; or a fitted estimator such as ``XGBClassifier``, of which the rounds
            up to the best one are used after early stopping.
        sample: some rows of the data, or a :class:`~leapstream.bundle.types.Schema`, for the names of the columns. Without it the
            columns are numbers with the names that the booster was trained with, or one vector ``features``.
        name: the model's name.

    Raises:
        UnsupportedOpError: MLeap's ops cannot compute what the model computes. The message says why.
        BundleError: the op does not support the booster.
        SchemaError: the model is not fitted, or the columns are not those that it was trained with.
    """
    booster = read_fitted(model, lambda: _booster(model))
    features = features_of(sample, booster.feature_names, booster.num_features())
    graph = Graph([block.column for block in features])
    dispatch = Dispatch({}, {type(model).__name__: convert})
    step = Step(model, graph, f"XGBoost's {type(model).__name__}", "", dispatch)
    return graph.model(name or "xgboost", add_labels(step, step.predict(features)))


def _booster(model: Any) -> Any:
    return model.get_booster() if hasattr(model, "get_booster") else model


def convert(step: Step, features: Features) -> PredictorColumns:
    """Convert a booster, or one of XGBoost's estimators for scikit-learn, as a step."""
    model, booster = step.estimator, _booster(step.estimator)
    missing = getattr(model, "missing", None)
    step.require(
        missing is None or missing != missing, f"missing is {missing!r}; only NaN can be missing in MLeap's op"
    )
    step.require(not callable(getattr(model, "objective", None)), "its objective is a function of its own")
    step.require(
        not is_sparse(features),
        "its features are a sparse matrix, whose zeros XGBoost takes for missing: hand it a dense one, such as by "
        "OneHotEncoder(sparse_output=False) and ColumnTransformer(sparse_threshold=0)",
    )
    data = bytes(booster.save_raw(raw_format="ubj"))
    parsed = parse_booster(data, step.where)
    # MLeap's op treats the zeros that a vector does not store as missing.
    block = step.graph.dense(features)
    limit = _rounds(model) * parsed.parallel_trees
    classes = hasattr(model, "n_classes_")
    if parsed.objective not in _OF_CLASSES:
        step.require(not classes, f"the objective {parsed.objective!r} gives no probabilities of classes")
        several = parsed.groups > 1 and parsed.objective != "multi:softmax"
        step.require(not several, f"it predicts {parsed.groups} targets, and one is supported")
        regression = XGBoostRegression(block.size, data, limit)
        columns = step.graph.add(regression, [block.column], {"prediction": step.prediction})
        return PredictorColumns(Block(columns["prediction"]))
    count = max(parsed.groups, 2)
    if not classes:
        step = replace(step, given_classes=np.arange(float(count)))
    step.require(len(step.classes) == count, "several targets are not supported")
    classifier = XGBoostClassifier(count, block.size, data, limit)
    names = {port: f"{step.prefix}{port}" for port in ("raw_prediction", "probability")}
    if not classes or count > 2:
        columns = step.graph.add(classifier, [block.column], {**names, "prediction": step.prediction})
        raw, probability = Block(columns["raw_prediction"], count), Block(columns["probability"], count)
        return PredictorColumns(Block(columns["prediction"]), step.classes, raw, probability)
    # At a probability of exactly 0.5 the op predicts class 1, and the library's estimator class 0.
    columns = step.graph.add(classifier, [block.column], {**names, "probability": f"{step.prefix}probabilities"})
    return replace(most_probable(step, Block(columns["probability"], 2)), raw=Block(columns["raw_prediction"], 2))


def _rounds(model: Any) -> int:
    """The number of rounds that an estimator uses; 0 for all."""
    if not hasattr(model, "get_booster") or model.get_booster().attr("best_iteration") is None:
        return 0
    return int(model.best_iteration) + 1
