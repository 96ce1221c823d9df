"""Computations of XGBoost besides tree traversal: features, functions and contributions in single precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from leapstream.executors import failures
from leapstream.executors.columns import Column
from leapstream.executors.implementing import implements
from leapstream.executors.sparse import is_csr
from leapstream.executors.vectorized.run import Run
from leapstream.layouts.forest import ExplainedForest, make_explained_forest
from leapstream.plan import primitives as p

Floats = npt.NDArray[np.float32]


@implements(p.FloatFeatures, sparse=True)
def _singles(run: Run, expr: p.FloatFeatures, x: Column) -> Column:
    width = x.values.shape[1]
    failure = expr.failure
    if width > expr.size:
        failure = failures.too_long(width, expr.size)
    if failure is not None:
        run.fail(np.ones(run.rows, dtype=bool), failure)
        return Column(np.zeros((run.rows, len(expr.elements))))
    used, place = np.unique(expr.elements, return_inverse=True)
    there = used[used < width]
    picked = np.full((run.rows, len(used)), np.nan, dtype=np.float32)
    if is_csr(x.values):
        singles = x.values.astype(np.float32)
        rows = np.repeat(np.arange(run.rows), np.diff(singles.indptr))
        infinite = np.bincount(rows[np.isinf(singles.data)], minlength=run.rows) > 0
        column = np.minimum(np.searchsorted(there, singles.indices), max(len(there) - 1, 0))
        hit = there[column] == singles.indices if len(there) else np.zeros(len(column), dtype=bool)
        picked[rows[hit], column[hit]] = singles.data[hit]
    else:
        singles = x.values.astype(np.float32)
        if x.stored is not None:
            singles[~x.stored] = np.nan
        infinite = np.isinf(singles).any(axis=1)
        picked[:, : len(there)] = singles[:, there]
    run.fail(infinite, failures.infinite_element())
    result = picked.astype(np.float64)[:, place]
    result = np.where(np.isnan(result), expr.missing, np.where(expr.whole, np.floor(result), result))
    return Column(result)


def _exp(values: Floats) -> Floats:
    return np.exp(values.astype(np.float64)).astype(np.float32)


def _logistic(values: Floats) -> Floats:
    most = np.float32(88.7)
    power = _exp(np.where(-values > most, most, -values))
    return np.float32(1) / (power + np.float32(1))


def _round(values: Floats) -> npt.NDArray[Any]:
    whole = np.clip(np.floor(values.astype(np.float64) + 0.5), -(2.0**31), 2.0**31 - 1)
    return np.where(np.isnan(whole), 0.0, whole)


SPELLING: dict[str, Callable[[Floats], npt.NDArray[Any]]] = {
    "single": lambda values: values,
    "logistic": _logistic,
    "exp": _exp,
    "step": lambda values: values > 0,
    "round": _round,
}
"""The functions of single precision of arrays."""


@implements(p.FloatFunction)
def _single(run: Run, expr: p.FloatFunction, x: Column) -> Column:
    return Column(SPELLING[expr.function](x.values.astype(np.float32)).astype(np.float64))


@implements(p.FloatSoftmax)
def _float_softmax(run: Run, expr: p.FloatSoftmax, x: Column) -> Column:
    values = x.values.astype(np.float32)
    powers = _exp(values - np.fmax.reduce(values, axis=1, keepdims=True))
    total = np.cumsum(powers.astype(np.float64), axis=1)[:, -1:]
    return Column((powers / total.astype(np.float32)).astype(np.float64))


@implements(p.FloatLinear)
def _linear_singles(run: Run, expr: p.FloatLinear, x: Column) -> Column:
    values = x.values.astype(np.float32)
    if expr.contributions:
        products = values[:, :, None] * expr.weights
        base = np.broadcast_to(expr.base, (run.rows, 1, len(expr.base)))
        result = np.concatenate([products, base], axis=1)
        return Column(result.transpose(0, 2, 1).reshape(run.rows, -1).astype(np.float64))
    total = np.tile(expr.base, (run.rows, 1))
    for element, weights in enumerate(expr.weights):
        total += values[:, element, None] * weights
    return Column(total.astype(np.float64))


@implements(p.TreeContributions, prepare=make_explained_forest)
def _tree_contributions(run: Run, expr: p.TreeContributions, x: Column) -> Column:
    from leapstream.executors.vectorized import shapkernels

    explained: ExplainedForest = run.prepared[id(expr)]
    forest = explained.forest
    tested, number = np.unique(expr.features, return_inverse=True)
    found = np.zeros((run.rows, len(expr.base), len(tested) + 1), dtype=np.float32)
    shapkernels.contributions(
        np.ascontiguousarray(x.values, dtype=np.float64),
        *(forest.root, forest.depth, forest.feature, forest.threshold, forest.child, forest.first),
        *(forest.set_start, forest.set_end, forest.set_left, forest.data, explained.cover, explained.mean),
        *(expr.weights, np.array(expr.groups, dtype=np.int32), expr.base, number.astype(np.int64), found),
    )
    result = np.zeros((run.rows, len(expr.base), expr.num_features + 1))
    result[:, :, [*tested.tolist(), expr.num_features]] = found
    return Column(result.reshape(run.rows, -1))
