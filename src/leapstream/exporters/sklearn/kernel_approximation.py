"""Features whose inner products approximate kernels (``sklearn.kernel_approximation``)."""

from __future__ import annotations

import numpy as np

from leapstream.exporters.dispatch import Transformer
from leapstream.exporters.graph import Block, Features
from leapstream.exporters.kernels import combined, each, kernel, kernel_op
from leapstream.exporters.step import Step
from leapstream.ops.own import VectorArithmetic

_LEAST = float(np.finfo(np.float64).tiny)


def nystroem(step: Step, features: Features) -> Features:
    """The kernel with some training rows, times a matrix."""
    estimator = step.estimator
    block = kernel(step.graph, features, kernel_op(step, estimator.components_, estimator.gamma))
    matrix = np.asarray(estimator.normalization_, dtype=np.float64).T
    return (step.graph.matrix((block,), step.suffix, matrix),)


def _waves(step: Step, block: Features) -> Features:
    """``cos(x @ weights + offset) * sqrt(2 / n)``."""
    estimator, graph = step.estimator, step.graph
    weights = np.asarray(estimator.random_weights_, dtype=np.float64)
    angles = graph.matrix(block, "angles", weights, np.asarray(estimator.random_offset_, dtype=np.float64))
    factor = np.sqrt(2.0 / estimator.n_components)
    return (graph.multiply((each(graph, angles, "cos"),), step.suffix, np.full(angles.size, factor)),)


def radial_basis(step: Step, features: Features) -> Features:
    """Cosines of random projections."""
    return _waves(step, features)


def skewed_chi_squared(step: Step, features: Features) -> Features:
    """Cosines of random projections of the logarithms of ``x + skewedness``."""
    graph = step.graph
    block = graph.vector(features)
    moved = graph.scale((block,), "moved", shift=np.full(block.size, -float(step.estimator.skewedness)))
    return _waves(step, (each(graph, moved, "log"),))


def additive_chi_squared(step: Step, features: Features) -> Features:
    """Waves of the logarithms of features that are not negative, times their roots; 0 where they are 0."""
    estimator, graph = step.estimator, step.graph
    steps = int(estimator.sample_steps)
    interval = estimator.sample_interval
    interval = {1: 0.8, 2: 0.5, 3: 0.4}[steps] if interval is None else float(interval)
    block = graph.dense(features)
    roots = each(graph, block, "sqrt")
    results = [graph.multiply((roots,), "step0", np.full(block.size, np.sqrt(interval)))]
    op = VectorArithmetic(block.size, "max", _LEAST)
    positive = Block(graph.add(op, [block.column], {"output": f"{block.column}_positive"})["output"], block.size)
    logarithms = each(graph, positive, "log")
    for number in range(1, steps):
        factor = np.sqrt(2.0 * interval / np.cosh(np.pi * number * interval))
        angles = graph.multiply((logarithms,), f"angles{number}", np.full(block.size, number * interval))
        for wave in ("cos", "sin"):
            product = combined(graph, "mul", roots, each(graph, angles, wave))
            results.append(graph.multiply((product,), f"step{number}", np.full(block.size, factor)))
    return (graph.vector(tuple(results)),)


TRANSFORMERS: dict[str, Transformer] = {
    "AdditiveChi2Sampler": additive_chi_squared,
    "Nystroem": nystroem,
    "RBFSampler": radial_basis,
    "SkewedChi2Sampler": skewed_chi_squared,
}
