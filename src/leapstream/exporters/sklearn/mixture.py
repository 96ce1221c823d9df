"""Mixtures of distributions (``sklearn.mixture``)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from leapstream.exporters.dispatch import Predictor
from leapstream.exporters.graph import Doubles, Features
from leapstream.exporters.sklearn.normal import most_likely
from leapstream.exporters.step import PredictorColumns, Step


def gaussian_mixture(step: Step, features: Features) -> PredictorColumns:
    """Probabilities of normal distributions, as the softmax of their logarithms.

    MLeap's op ``gaussian_mixture`` adds 2**-52 to each density, which distorts the result where all densities are small.
    """
    roots, means = _roots(step), np.asarray(step.estimator.means_, dtype=np.float64)
    shift = np.concatenate([mean @ root for mean, root in zip(means, roots, strict=True)])
    whitened = step.graph.matrix(features, "whitened", np.concatenate(roots, axis=1), -shift)
    constants = np.log(step.estimator.weights_) + np.array([np.linalg.slogdet(root)[1] for root in roots])
    return most_likely(replace(step, given_classes=np.arange(len(means))), (whitened,), constants)


def _roots(step: Step) -> list[Doubles]:
    """For each distribution a matrix R such that ``R @ R.T`` is the inverse of its covariance."""
    estimator = step.estimator
    found = np.asarray(estimator.precisions_cholesky_, dtype=np.float64)
    count, width = estimator.means_.shape
    if estimator.covariance_type == "full":
        return list(found)
    if estimator.covariance_type == "tied":
        return [found] * count
    if estimator.covariance_type == "diag":
        return [np.diag(row) for row in found]
    return [np.eye(width) * value for value in found]


PREDICTORS: dict[str, Predictor] = {"GaussianMixture": gaussian_mixture}
