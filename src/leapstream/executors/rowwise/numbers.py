"""Numbers: constants, checks, interpolation."""

from __future__ import annotations

from leapstream.executors.implementing import implements
from leapstream.executors.rowwise.arrays import by_arrays
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


@implements(p.Interpolate)
def _interpolate(writer: Writer, expr: p.Interpolate) -> None:
    by_arrays(writer, expr)
