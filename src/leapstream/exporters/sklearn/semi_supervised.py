"""Classifiers that were fitted with some labels only (``sklearn.semi_supervised``)."""

from __future__ import annotations

import numpy as np

from leapstream.exporters.dispatch import Predictor
from leapstream.exporters.graph import Features
from leapstream.exporters.kernels import combined, dense, kernel, neighbors
from leapstream.exporters.predictors import most_probable
from leapstream.exporters.step import PredictorColumns, Step
from leapstream.ops.own import Kernel


def self_training(step: Step, features: Features) -> PredictorColumns:
    """The predictions of ``estimator_``."""
    return step.last(step.estimator.estimator_, "estimator_").predict(features)


def label_propagation(step: Step, features: Features) -> PredictorColumns:
    """The class with the greatest sum of the label distributions of rows, weighted by a kernel or of the nearest ones."""
    estimator, graph = step.estimator, step.graph
    labels = np.asarray(estimator.label_distributions_, dtype=np.float64)
    if estimator.kernel == "knn":
        member = step.child(estimator.nn_fit, "nn_fit")
        weights = neighbors(member, features, count=int(estimator.n_neighbors))
    else:
        step.require(estimator.kernel == "rbf", "only the kernels 'rbf' and 'knn' are supported")
        rows = np.ascontiguousarray(dense(estimator.X_), dtype=np.float64)
        weights = kernel(graph, features, Kernel(rows, "rbf", float(estimator.gamma)))
    sums = graph.matrix((weights,), "labels", labels)
    # Divided by the sum, which is 0 far from all rows: NaN, as there.
    total = graph.matrix((sums,), "total", np.ones((sums.size, sums.size)))
    return most_probable(step, combined(graph, "div", sums, total))


PREDICTORS: dict[str, Predictor] = {
    "LabelPropagation": label_propagation,
    "LabelSpreading": label_propagation,
    "SelfTrainingClassifier": self_training,
}
