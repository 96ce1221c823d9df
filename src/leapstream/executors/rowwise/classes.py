"""Classes: probabilities and predictions from scores."""

from __future__ import annotations

import math
from collections.abc import Sequence

from leapstream.executors.implementing import implements
from leapstream.executors.rowwise import runtime
from leapstream.executors.rowwise.arrays import by_arrays
from leapstream.executors.rowwise.stored import listed_conditions, require_stored_alone, stored_elements, where_stored
from leapstream.executors.rowwise.writer import ArraysOnlyError, Writer
from leapstream.plan import primitives as p


@implements(p.Softmax)
def _softmax(writer: Writer, expr: p.Softmax) -> None:
    writer.define(expr, writer.call(runtime.softmax, writer.listed(expr.x)))


@implements(p.ExpNormalize)
def _exp_normalize(writer: Writer, expr: p.ExpNormalize) -> None:
    writer.define(expr, writer.call(runtime.exp_normalize, writer.listed(expr.x), str(expr.log)))


@implements(p.NormalizeSum)
def _normalize_sum(writer: Writer, expr: p.NormalizeSum) -> None:
    sparse = writer.sparse(expr.x)
    if sparse is not None:
        require_stored_alone(expr.x)
        values = writer.call(runtime.normalize_sum, f"list({sparse[0]}.values())")
        writer.define_sparse_values(expr, expr.x, values)
        return
    shares = writer.call(runtime.normalize_sum, writer.listed(expr.x))
    stored = stored_elements(writer, expr.x) if expr.needs_stored else None
    writer.define(expr, shares if stored is None else writer.call(where_stored, shares, listed_conditions(stored)))


@implements(p.ArgMax)
def _arg_max(writer: Writer, expr: p.ArgMax) -> None:
    x = writer.listed(expr.x)
    if expr.thresholds is None:
        writer.define(expr, f"float({writer.call(runtime.arg_max, x)})")
    else:
        writer.define(expr, f"float({writer.call(runtime.arg_max_scaled, x, writer.numbers(expr.thresholds))})")


@implements(p.WeightedMedian)
def _weighted_median(writer: Writer, expr: p.WeightedMedian) -> None:
    by_arrays(writer, expr)


@implements(p.Greatest)
def _greatest(writer: Writer, expr: p.Greatest) -> None:
    x = writer.listed(expr.x)
    place = writer.call(greatest_place, x)
    writer.define(expr, f"float({place})" if expr.position else f"{x}[{place}]")


def greatest_place(values: Sequence[float]) -> int:
    """The place of the greatest element in the order of Java's ``Double.compare``; raises an error without elements."""
    best, top = 0, values[0]
    for i, x in enumerate(values):
        if x > top or (x != x and top == top) or (x == 0.0 == top and math.copysign(1.0, x) > math.copysign(1.0, top)):
            best, top = i, x
    return best


@implements(p.SquareSums)
def _square_sums(writer: Writer, expr: p.SquareSums) -> None:
    if expr.size < 1:
        raise ArraysOnlyError("SquareSums of no elements")
    writer.define(expr, writer.call(square_sums, writer.listed(expr.x), str(expr.size)))


def square_sums(values: Sequence[float], size: int) -> list[float]:
    """The sum of squares of each ``size`` elements."""
    squares = [x * x for x in values]
    return [runtime.add_up(squares[start : start + size]) for start in range(0, len(squares), size)]


@implements(p.RequireElements)
def _require_elements(writer: Writer, expr: p.RequireElements) -> None:
    sparse = writer.sparse(expr.x)
    values = writer.listed(expr.x) if sparse is None else f"{sparse[0]}.values()"
    allowed = "x == 0.0 or x == 1.0" if expr.allowed == "zero_or_one" else "x >= 0.0"
    writer.line(f"if not all([{allowed} for x in {values}]): unusual()")
    writer.alias(expr, expr.x)
