"""Numbers: constants, checks, interpolation."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

from leapstream.executors.implementing import implements
from leapstream.executors.rowwise.runtime import UnusualRecordError
from leapstream.executors.rowwise.writer import Writer
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


@implements(p.Polynomials)
def _polynomials(writer: Writer, expr: p.Polynomials) -> None:
    pieces = [(origin, rows) for origin, rows in zip(expr.origins.tolist(), expr.coefficients.tolist(), strict=True)]
    breaks = writer.numbers(expr.breaks)
    writer.define(expr, writer.call(polynomials, writer.present(expr.x), breaks, writer.constant(pieces)))


def polynomials(x: float, breaks: Sequence[float], pieces: Sequence[tuple[float, list[list[float]]]]) -> list[float]:
    """See :class:`leapstream.plan.primitives.Polynomials`; each piece has an origin, and a list of coefficients per element."""
    origin, rows = pieces[0 if x != x else bisect_right(breaks, x)]
    t, values = x - origin, []
    for row in rows:
        value = row[0]
        for coefficient in row[1:]:
            value = value * t + coefficient
        values.append(value)
    return values


@implements(p.Interpolate)
def _interpolate(writer: Writer, expr: p.Interpolate) -> None:
    points = writer.numbers(expr.boundaries), writer.numbers(expr.predictions)
    writer.define(expr, writer.call(interpolate, writer.present(expr.x), *points))


def interpolate(x: float, boundaries: Sequence[float], predictions: Sequence[float]) -> float:
    """See :class:`leapstream.plan.primitives.Interpolate`."""
    if x != x:
        raise UnusualRecordError
    low, high = 0, len(boundaries) - 1
    while low <= high:
        middle = (low + high) >> 1
        boundary = boundaries[middle]
        if boundary == x:
            if x == 0.0 and math.copysign(1.0, x) != math.copysign(1.0, boundary):
                # To Java's binary search -0.0 is less than 0.0.
                raise UnusualRecordError
            return predictions[middle]
        if boundary < x:
            low = middle + 1
        else:
            high = middle - 1
    if low == 0 or low == len(boundaries):
        return predictions[0 if low == 0 else -1]
    x1, y1, x2, y2 = boundaries[low - 1], predictions[low - 1], boundaries[low], predictions[low]
    return y1 + (y2 - y1) * (x - x1) / (x2 - x1)
