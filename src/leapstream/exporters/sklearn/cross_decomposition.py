"""Partial least squares (``sklearn.cross_decomposition``)."""

from __future__ import annotations

from typing import Any

import numpy as np

from leapstream.exporters.dispatch import Predictor, Transformer
from leapstream.exporters.graph import Features, with_sparsity
from leapstream.exporters.sklearn.linear_model import linear
from leapstream.exporters.step import PredictorColumns, Step


def _scores(step: Step, features: Features, rotations: Any) -> Features:
    estimator = step.estimator
    scaled = step.graph.standardize(features, "scaled", shift=estimator._x_mean, divisor=np.asarray(estimator._x_std))
    return with_sparsity((step.graph.matrix((scaled,), step.suffix, np.asarray(rotations)),), False)


def least_squares(step: Step, features: Features) -> Features:
    """``((x - mean) / std) @ rotations``."""
    return _scores(step, features, step.estimator.x_rotations_)


def singular_values(step: Step, features: Features) -> Features:
    """``((x - mean) / std) @ weights``."""
    return _scores(step, features, step.estimator.x_weights_)


def regression(step: Step, features: Features) -> PredictorColumns:
    """``(x - mean) @ coef.T + intercept``, for each target."""
    estimator = step.estimator
    centered = step.graph.scale(features, "centered", shift=np.asarray(estimator._x_mean, dtype=np.float64))
    intercepts = np.asarray(estimator.intercept_, dtype=np.float64).reshape(-1)
    return linear(step, (centered,), np.atleast_2d(estimator.coef_), intercepts)


_REGRESSIONS = ("CCA", "PLSCanonical", "PLSRegression")

TRANSFORMERS: dict[str, Transformer] = {**dict.fromkeys(_REGRESSIONS, least_squares), "PLSSVD": singular_values}

PREDICTORS: dict[str, Predictor] = dict.fromkeys(_REGRESSIONS, regression)
