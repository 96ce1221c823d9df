"""Decision trees (``sklearn.tree``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from leapstream.exporters import trees
from leapstream.exporters.dispatch import Predictor
from leapstream.exporters.graph import Block, Features, size
from leapstream.exporters.predictors import classify
from leapstream.exporters.step import PredictorColumns, Step, no_multilabel
from leapstream.exporters.trees import Nodes
from leapstream.ops.trees import DecisionTreeClassifier


def nodes_of(step: Step, estimator: Any, *, missing: bool = True) -> Nodes:
    """The nodes of a fitted tree.

    Args:
        estimator: the tree, or one of an ensemble.
        missing: true if the estimator supports missing values.
    """
    fitted = estimator.tree_
    values = np.asarray(fitted.value, dtype=np.float64)
    step.require(values.shape[1] == 1, f"it predicts {values.shape[1]} targets, and one is supported")
    left = np.asarray(fitted.children_left, dtype=np.int64)
    to_left = np.asarray(fitted.missing_go_to_left, dtype=bool) if missing else np.zeros(len(left), dtype=bool)
    return Nodes(
        left=left,
        right=np.asarray(fitted.children_right, dtype=np.int64),
        feature=np.asarray(fitted.feature, dtype=np.int64),
        threshold=trees.single_precision(np.asarray(fitted.threshold, dtype=np.float64)),
        missing_left=to_left,
        values=values[:, 0, :],
    )


def forest_of(step: Step, estimators: Sequence[Any], features: Features) -> tuple[list[Nodes], Block, int]:
    """The nodes of each tree, the vector that the trees read, and the number of features in it."""
    features, forest = trees.folded(step.graph, features, [nodes_of(step, estimator) for estimator in estimators])
    return forest, trees.tree_input(step.graph, features, forest), size(features)


def classification_trees(
    forest: Sequence[Nodes], width: int, block: Block, classes: int
) -> tuple[DecisionTreeClassifier, ...]:
    """Classification trees over the vector ``block``; their leaves hold the frequencies of the classes."""
    return tuple(DecisionTreeClassifier(trees.tree(nodes, width), block.size, classes) for nodes in forest)


def tree_classifier(step: Step, features: Features) -> PredictorColumns:
    """The frequencies of the classes in a leaf."""
    no_multilabel(step)
    forest, block, width = forest_of(step, [step.estimator], features)
    (op,) = classification_trees(forest, width, block, len(step.classes))
    return _without_decision(classify(step, op, block))


def _without_decision(outcome: PredictorColumns) -> PredictorColumns:
    return PredictorColumns(outcome.prediction, outcome.classes, outcome.raw, outcome.probability)


def tree_regressor(step: Step, features: Features) -> PredictorColumns:
    """The value of a leaf."""
    forest, block, width = forest_of(step, [step.estimator], features)
    (op,) = trees.regression_trees(forest, width, block)
    columns = step.graph.add(op, [block.column], {"prediction": step.prediction})
    return PredictorColumns(Block(columns["prediction"]))


PREDICTORS: dict[str, Predictor] = {
    "DecisionTreeClassifier": tree_classifier,
    "DecisionTreeRegressor": tree_regressor,
    "ExtraTreeClassifier": tree_classifier,
    "ExtraTreeRegressor": tree_regressor,
}
