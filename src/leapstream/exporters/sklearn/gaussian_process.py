"""Gaussian processes (``sklearn.gaussian_process``)."""

from __future__ import annotations

from typing import Any

import numpy as np

from leapstream.exporters.dispatch import Predictor
from leapstream.exporters.graph import Block, Doubles, Features
from leapstream.exporters.kernels import combined, distances, each, kernel, power
from leapstream.exporters.predictors import by_margin, renamed, targets
from leapstream.exporters.sklearn.normal import squares
from leapstream.exporters.step import PredictorColumns, Step
from leapstream.ops.own import Kernel

Value = Block | float
"""The kernel with each training row, or one number for all of them."""


def _value(step: Step, features: Features, found: Any, rows: Doubles) -> Value:
    """The value of a kernel of Gaussian processes; that of new rows with themselves does not count, so noise is 0."""
    name = type(found).__name__
    if name == "ConstantKernel":
        return float(found.constant_value)
    if name == "WhiteKernel":
        return 0.0
    if name in ("Sum", "Product"):
        pair = (_value(step, features, found.k1, rows), _value(step, features, found.k2, rows))
        return _joined(step, "add" if name == "Sum" else "mul", *pair)
    if name == "Exponentiation":
        base = _value(step, features, found.kernel, rows)
        exponent = float(found.exponent)
        return base**exponent if isinstance(base, float) else power(step.graph, base, exponent)
    if name == "DotProduct":
        block = kernel(step.graph, features, Kernel(rows, "linear"))
        return _joined(step, "add", block, float(found.sigma_0) ** 2)
    step.require(name in ("RBF", "Matern", "RationalQuadratic"), f"the kernel {name} is not supported")
    return _by_distance(step, features, found, rows)


def _joined(step: Step, function: str, a: Value, b: Value) -> Value:
    graph = step.graph
    if isinstance(a, float) and isinstance(b, float):
        return a + b if function == "add" else a * b
    if isinstance(a, float):
        a, b = b, a
    assert not isinstance(a, float)
    if not isinstance(b, float):
        return combined(graph, function, a, b)
    if function == "mul":
        return graph.multiply((a,), "times", np.full(a.size, b))
    return graph.scale((a,), "plus", shift=np.full(a.size, -b))


def _by_distance(step: Step, features: Features, found: Any, rows: Doubles) -> Block:
    graph, name = step.graph, type(found).__name__
    scale = np.broadcast_to(np.asarray(found.length_scale, dtype=np.float64), rows.shape[1])
    scaled: Features = (graph.standardize(features, "scaled", divisor=np.array(scale)),)
    rows = np.ascontiguousarray(rows / scale)
    smooth = float(found.nu) if name == "Matern" else None
    if name == "RBF" or smooth == np.inf:
        return kernel(graph, scaled, Kernel(rows, "rbf", 0.5))
    if name == "RationalQuadratic":
        alpha = float(found.alpha)
        far = distances(graph, scaled, rows, "squared", "squared")
        base = graph.multiply((far,), "share", np.full(far.size, 0.5 / alpha))
        return power(graph, graph.scale((base,), "base", shift=np.full(base.size, -1.0)), -alpha)
    known = {0.5: (-1.0, "exp"), 1.5: (np.sqrt(3.0), "matern_once"), 2.5: (np.sqrt(5.0), "matern_twice")}
    step.require(smooth in known, "of Matern's kernels those with nu 0.5, 1.5, 2.5 and infinity are supported")
    factor, function = known[smooth or 0.5]
    far = distances(graph, scaled, rows, "distances")
    return each(graph, graph.multiply((far,), "far", np.full(far.size, factor)), function)


def _kernel(step: Step, features: Features) -> Block:
    """The kernel with each training row, a vector."""
    estimator, graph = step.estimator, step.graph
    rows = np.ascontiguousarray(estimator.X_train_, dtype=np.float64)
    found = _value(step, features, estimator.kernel_, rows)
    if isinstance(found, float):
        zeros = graph.matrix(features, "nothing", np.zeros((rows.shape[1], len(rows))))
        return graph.scale((zeros,), "constant", shift=np.full(len(rows), -found))
    return found


def regressor(step: Step, features: Features) -> PredictorColumns:
    """The mean of the process, for each target."""
    estimator = step.estimator
    alpha = np.asarray(estimator.alpha_, dtype=np.float64)
    spread = np.atleast_1d(np.asarray(estimator._y_train_std, dtype=np.float64))
    mean = np.atleast_1d(np.asarray(estimator._y_train_mean, dtype=np.float64))
    weights = alpha.reshape(len(alpha), -1) * spread
    offset = np.broadcast_to(mean, weights.shape[1]).astype(np.float64)
    return targets(step, (step.graph.matrix((_kernel(step, features),), "means", weights, offset),))


def classifier(step: Step, features: Features) -> PredictorColumns:
    """One classifier of two classes, or one for each class."""
    base = step.estimator.base_estimator_
    return step.last(base, "base_estimator_", step.classes).predict(features)


def laplace(step: Step, features: Features) -> PredictorColumns:
    """A classifier of two classes by Laplace's approximation; the logistic function is a sum of error functions."""
    from sklearn.gaussian_process._gpc import COEFS, LAMBDAS

    estimator, graph = step.estimator, step.graph
    block = _kernel(step, features)
    mean = graph.linear((block,), "mean", estimator.y_train_ - estimator.pi_)
    whitened = np.linalg.solve(estimator.L_, np.diag(estimator.W_sr_)).T
    parts = squares(graph, graph.matrix((block,), "whitened", np.ascontiguousarray(whitened)))
    rows = np.asarray(estimator.X_train_, dtype=np.float64)
    own = estimator.kernel_.diag(rows)
    step.require(bool(np.ptp(own) <= 1e-12 * abs(own[0])), "its kernel is not stationary")
    variance = graph.linear((parts,), "variance", np.full(parts.size, -1.0), float(own[0]))
    factors, shares = (np.asarray(values, dtype=np.float64).ravel() for values in (LAMBDAS, COEFS))
    count = len(factors)
    above = graph.matrix((mean,), "above", factors[None, :])
    below = each(graph, graph.matrix((variance,), "spread", 2.0 * factors[None, :] ** 2, np.ones(count)), "sqrt")
    errors = each(graph, combined(graph, "div", above, below), "erf")
    pair = np.column_stack([-0.5 * shares, 0.5 * shares])
    half = 0.5 * float(shares.sum())
    probability = graph.matrix((errors,), "pair", pair, np.array([1.0 - half, half]))
    found = by_margin(step, mean)
    return PredictorColumns(found.prediction, step.classes, probability=renamed(step, probability, "probability"))


PREDICTORS: dict[str, Predictor] = {
    "GaussianProcessClassifier": classifier,
    "GaussianProcessRegressor": regressor,
    "_BinaryGaussianProcessClassifierLaplace": laplace,
}
