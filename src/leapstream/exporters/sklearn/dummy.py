"""Predictions that do not depend on the features (``sklearn.dummy``)."""

from __future__ import annotations

import numpy as np

from leapstream.exporters import trees
from leapstream.exporters.dispatch import Predictor
from leapstream.exporters.graph import Block, Features
from leapstream.exporters.predictors import classify, targets
from leapstream.exporters.step import PredictorColumns, Step, no_multilabel
from leapstream.exporters.trees import Nodes
from leapstream.ops.trees import DecisionTreeClassifier, DecisionTreeRegression


def _read(step: Step, features: Features) -> Block:
    """A vector of numbers, which no node of the trees tests."""
    numbers = tuple(block for block in features if not block.text)
    step.require(bool(numbers), "it reads texts only")
    return step.graph.vector(numbers)


def regressor(step: Step, features: Features) -> PredictorColumns:
    """A constant for each target, as a tree of one leaf."""
    block, results = _read(step, features), []
    for number, value in enumerate(np.ravel(step.estimator.constant_).tolist()):
        op = DecisionTreeRegression(trees.tree(trees.constant_tree(value), block.size), block.size)
        wanted = {"prediction": f"{step.prefix}constant_{number}"}
        results.append(Block(step.graph.add(op, [block.column], wanted)["prediction"]))
    return targets(step, tuple(results))


def classifier(step: Step, features: Features) -> PredictorColumns:
    """Constant probabilities, as a tree of one leaf."""
    no_multilabel(step)
    estimator = step.estimator
    step.require(estimator.strategy not in ("stratified", "uniform"), f"{estimator.strategy!r} predicts at random")
    shares = np.asarray(estimator.class_prior_, dtype=np.float64)
    if estimator.strategy != "prior":
        constant = estimator.strategy == "constant"
        chosen = np.flatnonzero(step.estimator.classes_ == np.ravel(estimator.constant)[0])[0] if constant else None
        shares = np.eye(len(shares))[shares.argmax() if chosen is None else chosen]
    none = np.array([-1])
    leaf = Nodes(none, none, none, np.zeros(1), np.zeros(1, dtype=bool), shares[None, :])
    block = _read(step, features)
    outcome = classify(step, DecisionTreeClassifier(trees.tree(leaf, block.size), block.size, len(shares)), block)
    return PredictorColumns(outcome.prediction, outcome.classes, outcome.raw, outcome.probability)


PREDICTORS: dict[str, Predictor] = {"DummyClassifier": classifier, "DummyRegressor": regressor}
