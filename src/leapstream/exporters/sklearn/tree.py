"""Decision trees (``sklearn.tree``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from leapstream.exporters import trees
from leapstream.exporters.dispatch import Predictor
from leapstream.exporters.graph import Block, Features, size
from leapstream.exporters.predictors import class_targets, classify
from leapstream.exporters.predictors import targets as targets_of
from leapstream.exporters.step import PredictorColumns, Step
from leapstream.exporters.trees import Nodes
from leapstream.ops.trees import DecisionTreeClassifier, RandomForestClassifier, RandomForestRegression


def nodes_of(step: Step, estimator: Any, *, missing: bool = True, target: int = 0) -> Nodes:
    """The nodes of a fitted tree.

    Args:
        estimator: the tree, or one of an ensemble.
        missing: true if the estimator supports missing values.
        target: the number of the target that the leaves predict.
    """
    fitted = estimator.tree_
    values = np.asarray(fitted.value, dtype=np.float64)
    left = np.asarray(fitted.children_left, dtype=np.int64)
    to_left = np.asarray(fitted.missing_go_to_left, dtype=bool) if missing else np.zeros(len(left), dtype=bool)
    return Nodes(
        left=left,
        right=np.asarray(fitted.children_right, dtype=np.int64),
        feature=np.asarray(fitted.feature, dtype=np.int64),
        threshold=trees.single_precision(np.asarray(fitted.threshold, dtype=np.float64)),
        missing_left=to_left,
        values=values[:, target, :],
    )


def forest_of(
    step: Step, estimators: Sequence[Any], features: Features, targets: int = 1
) -> tuple[list[Nodes], Block, int]:
    """The nodes of each tree, the vector that the trees read, and the number of features in it.

    With several targets, the trees of the first target come first.
    """
    nodes = [nodes_of(step, estimator, target=target) for target in range(targets) for estimator in estimators]
    return read_by(step, nodes, features)


def read_by(step: Step, forest: Sequence[Nodes], features: Features) -> tuple[list[Nodes], Block, int]:
    """The trees over the features that they test, the vector that they read, and the number of features in it."""
    features, folded = trees.folded(step.graph, features, forest)
    return folded, trees.tree_input(step.graph, features, folded), size(features)


def forest_regression(step: Step, estimators: Sequence[Any], features: Features) -> PredictorColumns:
    """The mean of the trees' values, for each target."""
    count = int(estimators[0].tree_.value.shape[1])
    forest, block, width = forest_of(step, estimators, features, count)
    results, members = [], len(estimators)
    for target in range(count):
        part = trees.regression_trees(forest[target * members : (target + 1) * members], width, block)
        op = part[0] if members == 1 else RandomForestRegression(block.size, (1.0,) * members, part)
        name = step.prediction if count == 1 else f"{step.prefix}prediction_{target}"
        results.append(Block(step.graph.add(op, [block.column], {"prediction": name})["prediction"]))
    return PredictorColumns(results[0]) if count == 1 else targets_of(step, tuple(results))


def classification_trees(
    forest: Sequence[Nodes], width: int, block: Block, classes: int
) -> tuple[DecisionTreeClassifier, ...]:
    """Classification trees over the vector ``block``; their leaves hold the frequencies of the classes."""
    return tuple(DecisionTreeClassifier(trees.tree(nodes, width), block.size, classes) for nodes in forest)


def forest_classifier(step: Step, estimators: Sequence[Any], features: Features) -> PredictorColumns:
    """The mean of the frequencies of the classes in the trees' leaves, for each target."""
    several = step.targets()
    forest, block, width = forest_of(step, estimators, features, max(len(several), 1))
    members, found = len(estimators), []
    for target, part in enumerate(several or [step]):
        count = len(part.classes)
        # A node has as many numbers for each target as the target with the most classes.
        own = [replace(n, values=n.values[:, :count]) for n in forest[target * members : (target + 1) * members]]
        leaves = classification_trees(own, width, block, count)
        op = leaves[0] if members == 1 else RandomForestClassifier(block.size, count, (1.0,) * members, leaves)
        found.append(replace(classify(part, op, block), decision=None))
    return class_targets(step, found) if several else found[0]


def tree_classifier(step: Step, features: Features) -> PredictorColumns:
    """The frequencies of the classes in a leaf, for each target."""
    return forest_classifier(step, [step.estimator], features)


def tree_regressor(step: Step, features: Features) -> PredictorColumns:
    """The value of a leaf, for each target."""
    return forest_regression(step, [step.estimator], features)


CLASSIFIERS = ("DecisionTreeClassifier", "ExtraTreeClassifier")

PREDICTORS: dict[str, Predictor] = {
    "DecisionTreeClassifier": tree_classifier,
    "DecisionTreeRegressor": tree_regressor,
    "ExtraTreeClassifier": tree_classifier,
    "ExtraTreeRegressor": tree_regressor,
}
