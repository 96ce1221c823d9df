"""Functions of numbers, and of vectors element by element or as classes."""

from __future__ import annotations

from leapstream.bundle.types import ScalarType
from leapstream.executors.implementing import implements
from leapstream.executors.jvm.emitter.base import Emitter
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
def _unary(emitter: Emitter, expr: p.Unary) -> None:
    function = f"Functions.{_FUNCTIONS[expr.function]}"
    if isinstance(expr.x.type, ScalarType):
        emitter.define(expr, f"{function}({emitter.present(expr.x)})")
        return
    x, buffer = emitter.vector(expr.x), emitter.buffer()
    emitter.line(f"Vecs.copy({x}, {buffer});")
    emitter.line(f"for (int i = 0; i < {buffer}.size; i++) {buffer}.value[i] = {function}({buffer}.value[i]);")
    emitter.define(expr, buffer)


@implements(p.Softmax)
def _softmax(emitter: Emitter, expr: p.Softmax) -> None:
    emitter.define(expr, f"Vecs.softmax({emitter.vector(expr.x)}, {emitter.buffer()})")


@implements(p.NormalizeSum)
def _normalize_sum(emitter: Emitter, expr: p.NormalizeSum) -> None:
    emitter.define(expr, f"Vecs.normalizeSum({emitter.vector(expr.x)}, {emitter.buffer()})")


@implements(p.ArgMax)
def _arg_max(emitter: Emitter, expr: p.ArgMax) -> None:
    x = emitter.vector(expr.x)
    emitter.place(expr)
    thresholds = "null" if expr.thresholds is None else emitter.doubles(expr.thresholds)
    emitter.define(expr, f"Vecs.argMax({x}, {thresholds}, {emitter.buffer()})")
