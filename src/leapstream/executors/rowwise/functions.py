"""Functions of one number and of two."""

from __future__ import annotations

import sys

from leapstream.bundle.types import ScalarType
from leapstream.executors.implementing import implements
from leapstream.executors.rowwise import runtime
from leapstream.executors.rowwise.writer import Writer
from leapstream.plan import primitives as p

_MOST = sys.float_info.max


_UNARY = {
    "negate": "-{x}",
    "logistic": "1.0 / (1.0 + math.exp(-{x}))",
    "one_minus": "1.0 - {x}",
    "double": "2.0 * {x}",
    "exp": "math.exp({x})",
    "log": "math.log({x})",
    "sqrt": "math.sqrt({x})",
    "sin": "math.sin({x})",
    "cos": "math.cos({x})",
    "tan": "math.tan({x})",
    "abs": "abs({x})",
    "floor": "floor({x})",
    "ceil": "ceil({x})",
    "round": "java_round({x})",
    "logit": "math.log({x} / (1.0 - {x}))",
    "reciprocal": "1.0 / {x}",
    "square": "{x} * {x}",
    "normal_cdf": "0.5 * (1.0 + math.erf({x} / math.sqrt(2.0)))",
    "complementary_log_log": "1.0 - math.exp(-math.exp({x}))",
    "finite": f"clip({{x}}, {-_MOST!r}, {_MOST!r})",
    "open_unit": "clip({x}, 1e-16, 1.0 - 1e-16)",
    "positive": f"clip({{x}}, 1e-16, {_MOST!r})",
}


_BINARY = {
    "add": "{a} + {b}",
    "sub": "{a} - {b}",
    "mul": "{a} * {b}",
    "div": "{a} / {b}",
    "rem": "math.fmod({a}, {b})",
    "log_n": "math.log({a}) / math.log({b})",
    "pow": "power({a}, {b})",
    "min": "least({a}, {b})",
    "max": "greatest({a}, {b})",
}


_HELPERS = {f.__name__: f for f in (runtime.floor, runtime.ceil, runtime.java_round, runtime.clip, runtime.power)}

_HELPERS |= {f.__name__: f for f in (runtime.least, runtime.greatest)}


@implements(p.Unary)
def _unary(writer: Writer, expr: p.Unary) -> None:
    writer.namespace |= _HELPERS
    formula = _UNARY[expr.function]
    if isinstance(expr.type, ScalarType):
        writer.define(expr, formula.format(x=writer.present(expr.x)))
    else:
        writer.define_each(expr, expr.x, lambda x: formula.format(x=x))


@implements(p.Binary)
def _binary(writer: Writer, expr: p.Binary) -> None:
    writer.namespace |= _HELPERS
    writer.define(expr, _BINARY[expr.function].format(a=writer.present(expr.a), b=writer.present(expr.b)))
