"""Linear algebra over vectors."""

from __future__ import annotations

import numpy as np

from leapstream.executors import failures
from leapstream.executors.columns import Column
from leapstream.executors.implementing import implements
from leapstream.executors.vectorized.run import Run, require_size, stored_elements
from leapstream.executors.vectorized.sums import add_products, matrix_products
from leapstream.plan import primitives as p


@implements(p.Dot, sparse=True)
def _dot(run: Run, expr: p.Dot, x: Column) -> Column:
    if not require_size(run, x, len(expr.weights)):
        return Column(np.full(run.rows, np.nan))
    values = stored_elements(x) if expr.needs_stored else x.values
    return Column(add_products(values, expr.weights, np.zeros(run.rows)) + expr.intercept)


@implements(p.MatVec, sparse=True)
def _mat_vec(run: Run, expr: p.MatVec, x: Column) -> Column:
    if not require_size(run, x, expr.matrix.shape[1]):
        return Column(np.full((run.rows, len(expr.matrix)), np.nan))
    values = stored_elements(x) if expr.needs_stored else x.values
    return Column(matrix_products(values, expr.matrix) + expr.intercepts)


@implements(p.LinearSum, sparse=True)
def _linear_sum(run: Run, expr: p.LinearSum, *xs: Column) -> Column:
    total = np.zeros(run.rows)
    for x, weights in zip(xs, expr.weights, strict=True):
        if x.values.ndim == 1:
            total += x.values * weights[0]
        elif require_size(run, x, len(weights)):
            total = add_products(x.values, weights, total)
    return Column(total + expr.intercept)


@implements(p.CosineTransform)
def _cosine_transform(run: Run, expr: p.CosineTransform, x: Column) -> Column:
    from scipy import fft

    values = x.values
    size = values.shape[1]
    if size == 0:
        run.fail(np.ones(run.rows, dtype=bool), failures.no_elements())
    if size < 2:
        return Column(values)
    transform = fft.idct if expr.inverse else fft.dct
    fine = np.isfinite(values).all(axis=1)
    result = np.full(values.shape, np.nan)
    result[fine] = transform(values[fine], norm="ortho", axis=1)
    return Column(result)
