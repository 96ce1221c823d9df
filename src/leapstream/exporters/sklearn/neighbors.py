"""Neighbours (``sklearn.neighbors``)."""

from __future__ import annotations

import numpy as np

from leapstream.exporters.dispatch import Predictor, Transformer
from leapstream.exporters.graph import Features
from leapstream.exporters.sklearn.cluster import nearest_center
from leapstream.exporters.sklearn.decomposition import projected
from leapstream.exporters.sklearn.normal import by_densities
from leapstream.exporters.step import PredictorColumns, Step


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


def component_analysis(step: Step, features: Features) -> Features:
    """``x @ components.T``."""
    return projected(step, features, step.estimator.components_)


TRANSFORMERS: dict[str, Transformer] = {"NeighborhoodComponentsAnalysis": component_analysis}

PREDICTORS: dict[str, Predictor] = {"NearestCentroid": nearest_centroid}
