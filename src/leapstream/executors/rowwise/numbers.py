"""Numbers: constants, checks, interpolation."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from leapstream.executors.implementing import implements
from leapstream.executors.rowwise.runtime import UnusualRecordError
from leapstream.executors.rowwise.writer import ArraysOnlyError, Writer
from leapstream.plan import primitives as p


@implements(p.Constant)
def _constant(writer: Writer, expr: p.Constant) -> None:
    writer.define(expr, writer.constant(float(expr.value)))


@implements(p.RequireWithin)
def _within(writer: Writer, expr: p.RequireWithin) -> None:
    x = writer.present(expr.x)
    low, high = writer.constant(float(expr.low)), writer.constant(float(expr.high))
    writer.line(f"if {x} < {low} or {x} > {high}: unusual()")
    writer.define(expr, x)


@implements(p.Interpolate)
def _interpolate(writer: Writer, expr: p.Interpolate) -> None:
    boundaries = expr.boundaries
    if not (boundaries[1:] > boundaries[:-1]).all() or np.isnan(boundaries).any():
        raise ArraysOnlyError("Interpolate between boundaries that repeat")
    points = writer.numbers(boundaries), writer.numbers(expr.predictions)
    writer.define(expr, writer.call(interpolate, writer.present(expr.x), *points))


def interpolate(x: float, boundaries: Sequence[float], predictions: Sequence[float]) -> float:
    """See :class:`leapstream.plan.primitives.Interpolate`; the boundaries rise."""
    if x == 0.0:
        # To Java's binary search -0.0 is less than 0.0.
        raise UnusualRecordError
    right = bisect_left(boundaries, x) if x == x else len(boundaries)
    if right == len(boundaries):
        return predictions[-1]
    if right == 0 or boundaries[right] == x:
        return predictions[right]
    x1, y1, x2, y2 = boundaries[right - 1], predictions[right - 1], boundaries[right], predictions[right]
    return y1 + (y2 - y1) * (x - x1) / (x2 - x1)
