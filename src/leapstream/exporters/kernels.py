"""Nodes of leapstream's own ops: functions of vectors, distances, kernels and neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from leapstream.exporters.graph import Block, Doubles, Features, Graph
from leapstream.exporters.step import Step
from leapstream.ops.own import Distances, Kernel, Neighbors, VectorArithmetic, VectorFunction

METRICS = ("euclidean", "manhattan", "chebyshev")

_NAMES = {"l1": "manhattan", "l2": "euclidean", "cityblock": "manhattan", "infinity": "chebyshev"}


def each(graph: Graph, block: Block, function: str) -> Block:
    """A function of each element of a vector."""
    return graph.apply(VectorFunction(block.size, function), block, function, block.size)


def combined(graph: Graph, function: str, a: Block, b: Block) -> Block:
    """A function of the elements of two vectors."""
    op = VectorArithmetic(a.size, function)
    return Block(graph.add(op, [a.column, b.column], {"output": f"{a.column}_{function}"})["output"], a.size)


def power(graph: Graph, block: Block, exponent: float) -> Block:
    """Each element of a vector to a power."""
    op = VectorArithmetic(block.size, "pow", exponent)
    return Block(graph.add(op, [block.column], {"output": f"{block.column}_power"})["output"], block.size)


def distances(graph: Graph, features: Features, rows: Any, suffix: str, metric: str = "euclidean") -> Block:
    """The distances from rows, a vector."""
    matrix = np.ascontiguousarray(rows, dtype=np.float64)
    return graph.apply(Distances(matrix, metric), graph.vector(features), suffix, len(matrix))


def kernel(graph: Graph, features: Features, op: Kernel) -> Block:
    """The kernel with each row of an op, a vector."""
    return graph.apply(op, graph.vector(features), "kernel", len(op.rows))


def kernel_op(step: Step, rows: Any, gamma: float | None) -> Kernel:
    """The op of the kernel that an estimator names.

    Args:
        step: the estimator, with the attributes ``kernel``, ``degree`` and ``coef0``.
        rows: the rows that it keeps.
        gamma: the factor that was fitted or given; by default 1 / the number of features.
    """
    names = {"linear": "linear", "poly": "polynomial", "polynomial": "polynomial", "rbf": "rbf"}
    names |= {"laplacian": "laplacian", "sigmoid": "sigmoid", "cosine": "cosine"}
    name = step.estimator.kernel
    step.require(isinstance(name, str) and name in names, f"the kernel {name!r} is not supported")
    step.require(not getattr(step.estimator, "kernel_params", None), "kernel_params are not supported")
    matrix = np.ascontiguousarray(dense(rows), dtype=np.float64)
    coef0 = getattr(step.estimator, "coef0", 1.0)
    degree = getattr(step.estimator, "degree", 3.0)
    return Kernel(
        matrix,
        names[name],
        1.0 / matrix.shape[1] if gamma is None else float(gamma),
        1.0 if coef0 is None else float(coef0),
        3.0 if degree is None else float(degree),
    )


def dense(rows: Any) -> Any:
    """A matrix that may be a sparse one, as a dense one."""
    return rows.toarray() if hasattr(rows, "toarray") else rows


def metric_of(step: Step) -> str:
    """The metric of an estimator of neighbours."""
    estimator = step.estimator
    name, parameter = estimator.effective_metric_, (estimator.effective_metric_params_ or {}).get("p")
    if name == "minkowski":
        known = {1.0: "manhattan", 2.0: "euclidean", np.inf: "chebyshev"}
        name = known.get(float(2.0 if parameter is None else parameter), name)
    name = _NAMES.get(name, name)
    step.require(name in METRICS, f"the metric {name!r} is not supported; supported: {', '.join(METRICS)}")
    return str(name)


def neighbors(
    step: Step,
    features: Features,
    *,
    count: int | None = None,
    radius: float | None = None,
    weighting: str = "uniform",
    required: bool = False,
) -> Block:
    """The weights of the rows that an estimator was fitted with, as neighbours, a vector."""
    estimator, graph = step.estimator, step.graph
    step.require(estimator._fit_X.ndim == 2, "it keeps no rows")
    rows = np.ascontiguousarray(dense(estimator._fit_X), dtype=np.float64)
    op = Neighbors(rows, metric_of(step), weighting, count, radius, required)
    block = graph.vector(features)
    wanted = {"weights": f"{block.column}_neighbors"}
    return Block(graph.add(op, [block.column], wanted)["weights"], len(rows))


def weighting_of(step: Step) -> str:
    """The weighting of neighbours that an estimator names."""
    weights = step.estimator.weights
    known = {None: "uniform", "uniform": "uniform", "distance": "inverse"}
    step.require(weights is None or isinstance(weights, str), "weights is a function")
    return known[weights]


def mean_of(step: Step, weights: Block, values: Doubles) -> Features:
    """The means of several values of rows, weighted by a vector; NaN where the weights sum to 0.

    Args:
        step: the estimator.
        weights: the weights of the rows.
        values: float64 (rows, targets).
    """
    graph, count = step.graph, values.shape[1]
    total = graph.matrix((weights,), "total", np.ones((weights.size, count)))
    return (combined(graph, "div", graph.matrix((weights,), "sums", values), total),)


def stacked(rows: Sequence[Any]) -> Doubles:
    """Rows one above the other."""
    return np.ascontiguousarray(np.vstack([np.asarray(row, dtype=np.float64) for row in rows]))
