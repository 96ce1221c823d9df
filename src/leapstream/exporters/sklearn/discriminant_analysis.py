"""Linear and quadratic discriminants (``sklearn.discriminant_analysis``)."""

from __future__ import annotations

import numpy as np

from leapstream.exporters.dispatch import Predictor, Transformer
from leapstream.exporters.graph import Features, with_sparsity
from leapstream.exporters.sklearn.linear_model import logistic
from leapstream.exporters.sklearn.normal import by_densities
from leapstream.exporters.step import PredictorColumns, Step


def linear_discriminant(step: Step, features: Features) -> Features:
    """The features along the directions that separate the classes best."""
    estimator = step.estimator
    step.require(estimator.solver != "lsqr", "the solver 'lsqr' has no transform")
    matrix = np.asarray(estimator.scalings_, dtype=np.float64)[:, : estimator._max_components]
    if estimator.solver == "svd":
        features = (step.graph.scale(features, "centered", shift=np.asarray(estimator.xbar_, dtype=np.float64)),)
    return with_sparsity((step.graph.matrix(features, step.suffix, matrix),), False)


def quadratic_discriminant(step: Step, features: Features) -> PredictorColumns:
    """The class whose normal distribution, with a covariance of its own, gives the features the greatest density."""
    estimator = step.estimator
    whitened = []
    for number, mean in enumerate(estimator.means_):
        root = np.asarray(estimator.rotations_[number]) * np.asarray(estimator.scalings_[number]) ** -0.5
        centered = step.graph.scale(features, f"class{number}", shift=np.asarray(mean, dtype=np.float64))
        whitened.append(step.graph.matrix((centered,), "whitened", root))
    widths = {block.size for block in whitened}
    step.require(len(widths) == 1, "the covariances of its classes have different ranks")
    volumes = np.array([np.log(scaling).sum() for scaling in estimator.scalings_])
    return by_densities(step, tuple(whitened), np.log(estimator.priors_) - 0.5 * volumes)


TRANSFORMERS: dict[str, Transformer] = {"LinearDiscriminantAnalysis": linear_discriminant}

PREDICTORS: dict[str, Predictor] = {
    "LinearDiscriminantAnalysis": logistic,
    "QuadraticDiscriminantAnalysis": quadratic_discriminant,
}
