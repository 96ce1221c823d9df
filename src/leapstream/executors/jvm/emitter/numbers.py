"""Numbers: constants, checks, interpolation."""

from __future__ import annotations

from leapstream.executors.implementing import implements
from leapstream.executors.jvm.emitter.base import Emitter
from leapstream.executors.jvm.emitter.code import (
    double_literal,
)
from leapstream.plan import primitives as p


@implements(p.Constant)
def _constant(emitter: Emitter, expr: p.Constant) -> None:
    emitter.define(expr, double_literal(expr.value))


@implements(p.RequireWithin)
def _within(emitter: Emitter, expr: p.RequireWithin) -> None:
    x = emitter.present(expr.x)
    emitter.place(expr)
    emitter.define(expr, f"Numbers.requireWithin({x}, {double_literal(expr.low)}, {double_literal(expr.high)})")


@implements(p.Polynomials)
def _polynomials(emitter: Emitter, expr: p.Polynomials) -> None:
    _, outputs, terms = expr.coefficients.shape
    arrays = ", ".join(emitter.doubles(values) for values in (expr.breaks, expr.origins, expr.coefficients))
    x = emitter.present(expr.x)
    emitter.define(expr, f"Numbers.polynomials({x}, {arrays}, {outputs}, {terms}, {emitter.buffer()})")


@implements(p.Interpolate)
def _interpolate(emitter: Emitter, expr: p.Interpolate) -> None:
    x = emitter.present(expr.x)
    emitter.define(
        expr, f"Numbers.interpolate({x}, {emitter.doubles(expr.boundaries)}, {emitter.doubles(expr.predictions)})"
    )
