"""Clusters (``sklearn.cluster``)."""

from __future__ import annotations

from typing import Any

import numpy as np

from leapstream.bundle.definition import ClusterTree
from leapstream.exporters.dispatch import Predictor, Transformer
from leapstream.exporters.graph import Block, Features, with_sparsity
from leapstream.exporters.kernels import distances
from leapstream.exporters.predictors import class_numbers, targets
from leapstream.exporters.step import PredictorColumns, Step
from leapstream.ops.clustering import BisectingKMeans, KMeans


def k_means(step: Step, features: Features) -> PredictorColumns:
    """The number of the nearest centre."""
    centers = np.asarray(step.estimator.cluster_centers_, dtype=np.float64)
    step.require(len(centers) > 0, "it has no centres of clusters")
    return PredictorColumns(nearest_center(step, features, centers, step.prediction))


def birch(step: Step, features: Features) -> PredictorColumns:
    """The cluster to which the nearest of the centres of subclusters belongs."""
    nearest = nearest_center(step, features, step.estimator.subcluster_centers_, f"{step.prefix}subcluster")
    return targets(step, (class_numbers(step, nearest, np.asarray(step.estimator.subcluster_labels_).tolist()),))


def bisecting_k_means(step: Step, features: Features) -> PredictorColumns:
    """The cluster that is reached by going to the nearer of two centres at each node of the tree."""
    estimator = step.estimator
    moved = np.asarray(getattr(estimator, "_X_mean", 0.0), dtype=np.float64)
    centers, children = [], []
    numbers: list[int] = []
    nodes = [estimator._bisecting_tree]
    while nodes:
        node = nodes.pop()
        centers.append(np.asarray(node.center, dtype=np.float64) + moved)
        leaf = node.left is None
        numbers.append(int(node.label) if leaf else -1 - len(numbers))
        children.append(0 if leaf else 2)
        if not leaf:
            nodes += (node.right, node.left)
    found = np.stack(centers)
    tree = ClusterTree(
        np.array(numbers, dtype=np.int32), np.linalg.norm(found, axis=1), found, np.array(children, dtype=np.int32)
    )
    columns = step.graph.add(
        BisectingKMeans(tree), [step.graph.vector(features).column], {"prediction": step.prediction}
    )
    return PredictorColumns(Block(columns["prediction"]))


def nearest_center(step: Step, features: Features, centers: Any, name: str) -> Block:
    """The number of the nearest centre, as a column ``name``."""
    rows = np.asarray(centers, dtype=np.float64)
    op = KMeans(tuple(rows), rows.shape[1])
    return Block(step.graph.add(op, [step.graph.vector(features).column], {"prediction": name})["prediction"])


def agglomerated(step: Step, features: Features) -> Features:
    """The mean of the features of each cluster of features."""
    estimator = step.estimator
    step.require(estimator.pooling_func is np.mean, "only the mean is supported as pooling_func")
    groups = np.unique(estimator.labels_)
    matrix = (np.asarray(estimator.labels_)[:, None] == groups).astype(np.float64)
    return with_sparsity((step.graph.matrix(features, step.suffix, matrix / matrix.sum(axis=0)),), False)


def to_centers(step: Step, features: Features) -> Features:
    """The distances from the centres."""
    return (distances(step.graph, features, step.estimator.cluster_centers_, step.suffix),)


def to_subclusters(step: Step, features: Features) -> Features:
    """The distances from the centres of the subclusters."""
    return (distances(step.graph, features, step.estimator.subcluster_centers_, step.suffix),)


TRANSFORMERS: dict[str, Transformer] = {
    "Birch": to_subclusters,
    "FeatureAgglomeration": agglomerated,
    **dict.fromkeys(("BisectingKMeans", "KMeans", "MiniBatchKMeans"), to_centers),
}

PREDICTORS: dict[str, Predictor] = {
    "Birch": birch,
    "BisectingKMeans": bisecting_k_means,
    **dict.fromkeys(("AffinityPropagation", "KMeans", "MeanShift", "MiniBatchKMeans"), k_means),
}
