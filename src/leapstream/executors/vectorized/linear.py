"""Linear algebra over vectors."""

from __future__ import annotations

import numpy as np

from leapstream.executors.columns import Column
from leapstream.executors.implementing import implements
from leapstream.executors.vectorized.run import Run, require_vector
from leapstream.plan import primitives as p


@implements(p.Dot, sparse=True)
def _dot(run: Run, expr: p.Dot, x: Column) -> Column:
    if not require_vector(run, x, len(expr.weights)):
        return Column(np.full(run.rows, np.nan))
    return Column(x.values @ expr.weights + expr.intercept)


@implements(p.MatVec, sparse=True)
def _mat_vec(run: Run, expr: p.MatVec, x: Column) -> Column:
    if not require_vector(run, x, expr.matrix.shape[1]):
        return Column(np.full((run.rows, len(expr.matrix)), np.nan))
    return Column(x.values @ expr.matrix.T + expr.intercepts)


@implements(p.LinearSum, sparse=True)
def _linear_sum(run: Run, expr: p.LinearSum, *xs: Column) -> Column:
    total = np.zeros(run.rows)
    for x, weights in zip(xs, expr.weights, strict=True):
        total += x.values * weights[0] if x.values.ndim == 1 else x.values @ weights
    return Column(total + expr.intercept)


@implements(p.Nearest, prepare=lambda expr: np.sqrt((expr.centers**2).sum(axis=1)))
def _nearest(run: Run, expr: p.Nearest, x: Column) -> Column:
    if not require_vector(run, x, expr.centers.shape[1]):
        return Column(np.zeros(run.rows, dtype=np.int32))
    from leapstream.executors.vectorized import clusterkernels

    result = np.empty(run.rows, dtype=np.int32)
    clusterkernels.nearest(np.ascontiguousarray(x.values), expr.centers, run.prepared[id(expr)], result)
    return Column(result)
