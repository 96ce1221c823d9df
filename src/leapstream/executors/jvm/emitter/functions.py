"""Functions of numbers, and of vectors element by element or as classes."""

from __future__ import annotations

from leapstream.bundle.types import ScalarType
from leapstream.executors.implementing import implements
from leapstream.executors.jvm.emitter.base import Emitter
from leapstream.executors.jvm.emitter.code import (
    double_literal,
)
from leapstream.plan import primitives as p

_FUNCTIONS: dict[str, str] = {
    "negate": "negate",
    "logistic": "logistic",
    "one_minus": "oneMinus",
    "double": "twice",
    "exp": "exp",
    "log": "log",
    "sqrt": "sqrt",
    "sin": "sin",
    "cos": "cos",
    "tan": "tan",
    "abs": "abs",
    "floor": "floor",
    "ceil": "ceil",
    "round": "round",
    "logit": "logit",
    "reciprocal": "reciprocal",
    "square": "square",
    "normal_cdf": "normalCdf",
    "complementary_log_log": "complementaryLogLog",
    "finite": "finite",
    "open_unit": "openUnit",
    "positive": "positive",
}


@implements(p.Unary)
def _unary(e: Emitter, expr: p.Unary) -> None:
    function = f"Functions.{_FUNCTIONS[expr.function]}"
    if isinstance(expr.x.type, ScalarType):
        e.define(expr, f"{function}({e.present(expr.x)})")
        return
    x, buffer = e.vector(expr.x), e.buffer()
    e.line(f"Vecs.copy({x}, {buffer});")
    e.line(f"for (int i = 0; i < {buffer}.size; i++) {buffer}.value[i] = {function}({buffer}.value[i]);")
    e.define(expr, buffer)


@implements(p.Greater)
def _greater(e: Emitter, expr: p.Greater) -> None:
    e.define(expr, f"{e.present(expr.x)} > {double_literal(expr.threshold)} ? 1.0 : 0.0")


@implements(p.Softmax)
def _softmax(e: Emitter, expr: p.Softmax) -> None:
    e.define(expr, f"Vecs.softmax({e.vector(expr.x)}, {e.buffer()})")


@implements(p.NormalizeSum)
def _normalize_sum(e: Emitter, expr: p.NormalizeSum) -> None:
    e.define(expr, f"Vecs.normalizeSum({e.vector(expr.x)}, {e.buffer()})")


@implements(p.ArgMax)
def _arg_max(e: Emitter, expr: p.ArgMax) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    thresholds = "null" if expr.thresholds is None else e.doubles(expr.thresholds)
    e.define(expr, f"Vecs.argMax({x}, {thresholds}, {e.buffer()})")
