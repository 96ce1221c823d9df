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
    return _mixture(step, features, np.log(step.estimator.weights_))


def _mixture(step: Step, features: Features, weights: Doubles) -> PredictorColumns:
    roots, means = _roots(step), np.asarray(step.estimator.means_, dtype=np.float64)
    shift = np.concatenate([mean @ root for mean, root in zip(means, roots, strict=True)])
    whitened = step.graph.matrix(features, "whitened", np.concatenate(roots, axis=1), -shift)
    constants = weights + np.array([np.linalg.slogdet(root)[1] for root in roots])
    return most_likely(replace(step, given_classes=np.arange(len(means))), (whitened,), constants)


def bayesian_mixture(step: Step, features: Features) -> PredictorColumns:
    """As :func:`gaussian_mixture`, with the expected logarithms of weights and precisions."""
    from scipy.special import digamma

    estimator = step.estimator
    width, freedom = estimator.means_.shape[1], np.asarray(estimator.degrees_of_freedom_)
    halves = 0.5 * (freedom - np.arange(width)[:, np.newaxis])
    spread = width * np.log(2.0) + digamma(halves).sum(axis=0) - width / np.asarray(estimator.mean_precision_)
    constants = estimator._estimate_log_weights() - 0.5 * width * np.log(freedom) + 0.5 * spread
    return _mixture(step, features, constants)


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


PREDICTORS: dict[str, Predictor] = {
    "BayesianGaussianMixture": bayesian_mixture,
    "GaussianMixture": gaussian_mixture,
}
