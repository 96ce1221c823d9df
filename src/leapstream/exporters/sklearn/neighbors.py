"""Neighbours (``sklearn.neighbors``)."""

from __future__ import annotations

import numpy as np

from leapstream.exporters.dispatch import Predictor, Transformer
from leapstream.exporters.graph import Block, Doubles, Features, with_sparsity
from leapstream.exporters.kernels import combined, dense, distances, mean_of, metric_of, neighbors, weighting_of
from leapstream.exporters.predictors import argmax, class_targets, most_probable, normalized, outliers, targets
from leapstream.exporters.sklearn.cluster import nearest_center
from leapstream.exporters.sklearn.decomposition import projected
from leapstream.exporters.sklearn.normal import by_densities
from leapstream.exporters.step import PredictorColumns, Step
from leapstream.ops.own import VectorArithmetic


def nearest_centroid(step: Step, features: Features) -> PredictorColumns:
    """The class with the nearest centroid, or by other prior probabilities the one with the greatest score."""
    estimator = step.estimator
    step.require(estimator.metric == "euclidean", "only the metric 'euclidean' is supported")
    deviations, centroids = np.asarray(estimator.within_class_std_dev_), np.asarray(estimator.centroids_)
    divisor = np.where(deviations == 0.0, 1.0, deviations)
    whitened = tuple(
        step.graph.standardize(features, f"class{number}", shift=centroid, divisor=divisor)
        for number, centroid in enumerate(centroids)
    )
    chosen = None
    if np.isclose(estimator.class_prior_, 1.0 / len(step.classes)).all():
        chosen = nearest_center(step, features, centroids, step.prediction)
    return by_densities(step, whitened, 2.0 * np.log(estimator.class_prior_), -1.0, chosen)


def neighbors_classifier(step: Step, features: Features) -> PredictorColumns:
    """The class with the greatest weight among the nearest rows."""
    weights = neighbors(step, features, count=int(step.estimator.n_neighbors), weighting=weighting_of(step))
    return _by_weights(step, weights)


def radius_classifier(step: Step, features: Features) -> PredictorColumns:
    """The class with the greatest weight among the rows within the radius; a row without neighbours fails."""
    step.require(step.estimator.outlier_label_ is None, "outlier_label is set")
    radius, weighting = float(step.estimator.radius), weighting_of(step)
    return _by_weights(step, neighbors(step, features, radius=radius, weighting=weighting, required=True))


def _by_weights(step: Step, weights: Block) -> PredictorColumns:
    """Probabilities by the weights of the rows of each class; of several targets one after the other."""
    estimator, graph = step.estimator, step.graph
    if not estimator.outputs_2d_:
        found = graph.matrix((weights,), "classes", np.eye(len(step.classes))[np.asarray(estimator._y)])
        return most_probable(step, normalized(step, found))
    targeted = []
    for target, member in enumerate(step.targets()):
        classes = member.classes
        known = graph.matrix((weights,), f"target{target}", np.eye(len(classes))[np.asarray(estimator._y)[:, target]])
        share = normalized(step, known)
        targeted.append(PredictorColumns(argmax(member, share), classes, probability=share))
    return class_targets(step, targeted)


def neighbors_regressor(step: Step, features: Features) -> PredictorColumns:
    """The weighted mean of the nearest rows' targets."""
    weights = neighbors(step, features, count=int(step.estimator.n_neighbors), weighting=weighting_of(step))
    return targets(step, mean_of(step, weights, _targets(step)))


def radius_regressor(step: Step, features: Features) -> PredictorColumns:
    """The weighted mean of the targets of the rows within the radius; NaN without neighbours."""
    weights = neighbors(step, features, radius=float(step.estimator.radius), weighting=weighting_of(step))
    return targets(step, mean_of(step, weights, _targets(step)))


def _targets(step: Step) -> Doubles:
    values = np.asarray(step.estimator._y, dtype=np.float64)
    return values.reshape(len(values), -1)


def neighbors_transformer(step: Step, features: Features) -> Features:
    """For each row of the training data 1, or the distance, where it is a neighbour, else 0."""
    distance = step.estimator.mode == "distance"
    count = int(step.estimator.n_neighbors) + distance
    found = neighbors(step, features, count=count, weighting="distance" if distance else "uniform")
    return with_sparsity((found,), True)


def radius_transformer(step: Step, features: Features) -> Features:
    """For each row of the training data 1, or the distance, where it is within the radius, else 0."""
    weighting = "distance" if step.estimator.mode == "distance" else "uniform"
    return with_sparsity((neighbors(step, features, radius=float(step.estimator.radius), weighting=weighting),), True)


def local_outlier_factor(step: Step, features: Features) -> PredictorColumns:
    """An outlier where the neighbours are much denser than the row: the ratio of the densities, less the offset, is below 0."""
    estimator, graph = step.estimator, step.graph
    step.require(bool(estimator.novelty), "it predicts new rows only with novelty=True")
    count = int(estimator.n_neighbors_)
    chosen = neighbors(step, features, count=count)
    far = distances(graph, features, dense(estimator._fit_X), "distances", metric_of(step))
    reach = np.asarray(estimator._distances_fit_X_, dtype=np.float64)[:, count - 1]
    # max(distance, reach) = max(distance - reach, 0) + reach
    beyond = graph.scale((far,), "beyond", shift=reach)
    op = VectorArithmetic(beyond.size, "max", 0.0)
    positive = Block(graph.add(op, [beyond.column], {"output": f"{beyond.column}_positive"})["output"], beyond.size)
    reached = combined(graph, "mul", chosen, graph.scale((positive,), "reached", shift=-reach))
    mean = graph.matrix((reached,), "mean", np.full((reached.size, 1), 1.0 / count), np.array([1e-10]))
    density = np.asarray(estimator._lrd, dtype=np.float64)
    ratio = combined(graph, "mul", mean, graph.matrix((chosen,), "density", density[:, None] / count))
    return outliers(step, graph.linear((ratio,), "score", np.array([-1.0]), -float(estimator.offset_)))


def component_analysis(step: Step, features: Features) -> Features:
    """``x @ components.T``."""
    return projected(step, features, step.estimator.components_)


TRANSFORMERS: dict[str, Transformer] = {
    "KNeighborsTransformer": neighbors_transformer,
    "NeighborhoodComponentsAnalysis": component_analysis,
    "RadiusNeighborsTransformer": radius_transformer,
}

PREDICTORS: dict[str, Predictor] = {
    "KNeighborsClassifier": neighbors_classifier,
    "KNeighborsRegressor": neighbors_regressor,
    "LocalOutlierFactor": local_outlier_factor,
    "NearestCentroid": nearest_centroid,
    "RadiusNeighborsClassifier": radius_classifier,
    "RadiusNeighborsRegressor": radius_regressor,
}
