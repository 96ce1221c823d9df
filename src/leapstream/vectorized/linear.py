"""Linear algebra over vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from leapstream.plan import primitives as p
from leapstream.plan.primitives import Expr
from leapstream.vectorized.columns import Column
from leapstream.vectorized.run import Run, is_vector


def _dot(run: Run, expr: p.Dot, x: Column) -> Column:
    if not is_vector(run, x, len(expr.weights)):
        return Column(np.full(run.rows, np.nan))
    return Column(x.values @ expr.weights + expr.intercept)


def _mat_vec(run: Run, expr: p.MatVec, x: Column) -> Column:
    if not is_vector(run, x, expr.matrix.shape[1]):
        return Column(np.full((run.rows, len(expr.matrix)), np.nan))
    return Column(x.values @ expr.matrix.T + expr.intercepts)


def _linear_sum(run: Run, expr: p.LinearSum, *xs: Column) -> Column:
    total = np.zeros(run.rows)
    for x, weights in zip(xs, expr.weights, strict=True):
        total += x.values * weights[0] if x.values.ndim == 1 else x.values @ weights
    return Column(total + expr.intercept)


def _nearest(run: Run, expr: p.Nearest, x: Column) -> Column:
    if not is_vector(run, x, expr.centers.shape[1]):
        return Column(np.zeros(run.rows, dtype=np.int32))
    from leapstream.vectorized import clusterkernels

    result = np.empty(run.rows, dtype=np.int32)
    clusterkernels.nearest(np.ascontiguousarray(x.values), expr.centers, run.prepared[id(expr)], result)
    return Column(result)


PRIMITIVES: dict[type[Expr], Callable[..., Column]] = {
    p.Dot: _dot,
    p.MatVec: _mat_vec,
    p.LinearSum: _linear_sum,
    p.Nearest: _nearest,
}

PREPARE: dict[type[Expr], Callable[[Any], Any]] = {
    p.Nearest: lambda expr: np.sqrt((expr.centers**2).sum(axis=1)),
}

SPARSE = frozenset({p.Dot, p.MatVec, p.LinearSum})
