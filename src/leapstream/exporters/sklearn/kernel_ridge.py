"""Ridge regression with kernels (``sklearn.kernel_ridge``)."""

from __future__ import annotations

import numpy as np

from leapstream.exporters.dispatch import Predictor
from leapstream.exporters.graph import Features
from leapstream.exporters.kernels import kernel, kernel_op
from leapstream.exporters.predictors import targets
from leapstream.exporters.step import PredictorColumns, Step


def kernel_ridge(step: Step, features: Features) -> PredictorColumns:
    """The weighted sum of the kernels with the training rows, for each target."""
    estimator = step.estimator
    block = kernel(step.graph, features, kernel_op(step, estimator.X_fit_, estimator.gamma))
    dual = np.asarray(estimator.dual_coef_, dtype=np.float64)
    return targets(step, (step.graph.matrix((block,), "sums", dual.reshape(len(dual), -1)),))


PREDICTORS: dict[str, Predictor] = {"KernelRidge": kernel_ridge}
