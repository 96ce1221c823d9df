"""Classes: scores turned into probabilities and predictions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from leapstream.executors import failures
from leapstream.executors.columns import Bools, Column
from leapstream.executors.implementing import implements
from leapstream.executors.sparse import is_csr
from leapstream.executors.vectorized.run import Run, require_size, rows_of
from leapstream.executors.vectorized.sums import row_sums
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Doubles


def argmax(values: Doubles) -> npt.NDArray[np.intp]:
    """Spark's ``Vector.argmax`` of each row: the first among the greatest; 0 if the first is NaN; -1 without elements."""
    if values.shape[1] == 0:
        return np.full(len(values), -1, dtype=np.intp)
    nan = np.isnan(values)
    best = np.argmax(np.where(nan, -np.inf, values), axis=1)
    return np.where(nan[:, 0], 0, best)


@implements(p.Softmax)
def _softmax(run: Run, expr: p.Softmax, x: Column) -> Column:
    values = x.values
    if values.shape[1] == 0:
        return x
    best = argmax(values)
    greatest = values[np.arange(run.rows), best][:, None]
    powers = np.exp(values - np.where(greatest > 0, greatest, 0.0))
    result = powers * (1.0 / row_sums(powers)[:, None])
    return Column(np.where(greatest == np.inf, np.eye(values.shape[1])[best], result))


@implements(p.NormalizeSum)
def _normalize_sum(run: Run, expr: p.NormalizeSum, x: Column) -> Column:
    total = row_sums(x.values)[:, None]
    shares = np.where(total != 0, x.values / np.where(total != 0, total, 1.0), x.values)
    return Column(shares if x.stored is None else np.where(x.stored, shares, 0.0), stored=x.stored)


@implements(p.ArgMax)
def _arg_max(run: Run, expr: p.ArgMax, x: Column) -> Column:
    values = x.values
    if expr.thresholds is not None:
        if not require_size(run, x, len(expr.thresholds)):
            return Column(np.full(run.rows, np.nan))
        values = np.where(expr.thresholds == 0.0, np.inf, values / expr.thresholds)
    return Column(argmax(values).astype(np.float64))


_ALLOWED: dict[str, tuple[str, Callable[[npt.NDArray[np.float64]], Bools]]] = {
    "zero_or_one": (failures.not_zero_or_one(), lambda x: (x == 0.0) | (x == 1.0)),
    "nonnegative": (failures.negative_element(), lambda x: x >= 0.0),
}


@implements(p.RequireElements, sparse=True)
def _only(run: Run, expr: p.RequireElements, x: Column) -> Column:
    reason, allowed = _ALLOWED[expr.allowed]
    if is_csr(x.values):
        failed = np.bincount(rows_of(x.values)[~allowed(x.values.data)], minlength=run.rows) > 0
    else:
        failed = ~allowed(x.values).all(axis=1)
    run.fail(failed, reason)
    return x


@implements(p.ExpNormalize)
def _exp_normalize(run: Run, expr: p.ExpNormalize, x: Column) -> Column:
    greatest = x.values.max(axis=1, keepdims=True, initial=-np.inf)
    powers = np.exp(x.values - greatest)
    total = row_sums(powers)[:, None]
    return Column(x.values - (np.log(total) + greatest) if expr.log else powers / total)


@implements(p.SquareSums)
def _square_sums(run: Run, expr: p.SquareSums, x: Column) -> Column:
    squares = np.square(x.values).reshape(-1, expr.size)
    return Column(row_sums(squares).reshape(run.rows, x.values.shape[1] // expr.size))


@implements(p.WeightedMedian)
def _weighted_median(run: Run, expr: p.WeightedMedian, x: Column) -> Column:
    if not require_size(run, x, len(expr.weights)):
        return Column(np.zeros(run.rows))
    order = np.argsort(x.values, axis=1, kind="stable")
    total = np.cumsum(expr.weights[order], axis=1)
    place = np.argmax(total >= 0.5 * total[:, -1:], axis=1)
    rows = np.arange(run.rows)
    return Column(x.values[rows, order[rows, place]])


@implements(p.Greatest)
def _greatest(run: Run, expr: p.Greatest, x: Column) -> Column:
    # The bits of a double as an integer, those of negative ones turned around, are in the order of Double.compare.
    values = np.where(np.isnan(x.values), np.nan, x.values)
    if values.shape[1] == 0:
        if not expr.position:
            run.fail(np.ones(run.rows, dtype=bool), failures.element_beyond(0, 0))
        return Column(np.zeros(run.rows))
    bits = values.view(np.int64)
    best = np.argmax(np.where(bits < 0, bits ^ np.int64(2**63 - 1), bits), axis=1)
    return Column(best.astype(np.float64) if expr.position else values[np.arange(run.rows), best])
