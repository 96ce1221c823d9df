"""Numbers: constants, checks, interpolation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from leapstream.executors import failures
from leapstream.executors.columns import Column
from leapstream.executors.implementing import implements
from leapstream.executors.vectorized.run import Indices, Run
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Doubles


@implements(p.Constant)
def _constant(run: Run, expr: p.Constant) -> Column:
    return Column(np.full(run.rows, expr.value))


@implements(p.RequireWithin)
def _within(run: Run, expr: p.RequireWithin, x: Column) -> Column:
    outside = (x.values < expr.low) | (x.values > expr.high)
    run.fail(outside, lambda row: failures.outside_of_bounds(x.values[row], expr.low, expr.high))
    return x


@implements(p.Polynomials)
def _polynomials(run: Run, expr: p.Polynomials, x: Column) -> Column:
    interval = np.where(np.isnan(x.values), 0, np.searchsorted(expr.breaks, x.values, side="right"))
    t = (x.values - expr.origins[interval])[:, None]
    chosen = expr.coefficients[interval]
    result = chosen[:, :, 0]
    for power in range(1, chosen.shape[2]):
        result = result * t + chosen[:, :, power]
    return Column(result)


@implements(p.Interpolate, prepare=lambda expr: ordered_bits(expr.boundaries))
def _interpolate(run: Run, expr: p.Interpolate, x: Column) -> Column:
    boundaries, values = expr.boundaries, expr.predictions
    found, above = binary_search(run.prepared[id(expr)], ordered_bits(x.values))
    last = len(boundaries) - 1
    right = np.clip(above, 1, max(last, 1)).clip(max=last)
    left = np.maximum(right - 1, 0)
    x1, y1, x2, y2 = boundaries[left], values[left], boundaries[right], values[right]
    between = y1 + (y2 - y1) * (x.values - x1) / (x2 - x1)
    outside = np.where(above == 0, values[0], values[-1])
    inside = np.where((above == 0) | (above > last), outside, between)
    return Column(np.where(found >= 0, values[found], inside))


def ordered_bits(values: Doubles) -> npt.NDArray[np.int64]:
    """Integers in the order that Java's ``Double.compare`` gives doubles."""
    bits = np.where(np.isnan(values), np.nan, values).view(np.int64)
    return bits ^ ((bits >> 63) & np.int64(2**63 - 1))


def binary_search(keys: npt.NDArray[np.int64], wanted: npt.NDArray[np.int64]) -> tuple[Indices, Indices]:
    """The index that Java's binary search finds, or -1; and the index at which it would insert."""
    low = np.zeros(len(wanted), dtype=np.intp)
    high = np.full(len(wanted), len(keys) - 1, dtype=np.intp)
    found = np.full(len(wanted), -1, dtype=np.intp)
    searching = low <= high
    while searching.any():
        middle = np.where(searching, (low + high) >> 1, 0)
        key = keys[middle]
        found = np.where(searching & (key == wanted), middle, found)
        low = np.where(searching & (key < wanted), middle + 1, low)
        high = np.where(searching & (key > wanted), middle - 1, high)
        searching &= (key != wanted) & (low <= high)
    return found, low
