"""Functions of one number and of two."""

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


_BINARY: dict[str, str] = {
    "add": "{a} + {b}",
    "sub": "{a} - {b}",
    "mul": "{a} * {b}",
    "div": "{a} / {b}",
    "rem": "{a} % {b}",
    "log_n": "Math.log({a}) / Math.log({b})",
    "pow": "Math.pow({a}, {b})",
    "min": "Math.min({a}, {b})",
    "max": "Math.max({a}, {b})",
}


@implements(p.Binary)
def _binary(emitter: Emitter, expr: p.Binary) -> None:
    emitter.define(expr, _BINARY[expr.function].format(a=emitter.present(expr.a), b=emitter.present(expr.b)))
