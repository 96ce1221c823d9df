"""Functions of one number and of two."""

from __future__ import annotations

from leapstream.bundle.types import ScalarType
from leapstream.executors.implementing import implements
from leapstream.executors.jvm.emitter.base import Emitter
from leapstream.plan import primitives as p
from leapstream.plan.functions import spelled

SPELLING = {
    "negate": "(-{0})",
    "exp": "Math.exp({0})",
    "log": "Math.log({0})",
    "sqrt": "Math.sqrt({0})",
    "sin": "Math.sin({0})",
    "cos": "Math.cos({0})",
    "tan": "Math.tan({0})",
    "abs": "Math.abs({0})",
    "floor": "Math.floor({0})",
    "ceil": "Math.ceil({0})",
    "round": "(double) Math.round({0})",
    "erf": "Functions.erf({0})",
    "add": "({0} + {1})",
    "sub": "({0} - {1})",
    "mul": "({0} * {1})",
    "div": "({0} / {1})",
    "rem": "({0} % {1})",
    "pow": "Math.pow({0}, {1})",
    "min": "Math.min({0}, {1})",
    "max": "Math.max({0}, {1})",
}
"""The simple functions in Java."""


@implements(p.Unary)
def _unary(emitter: Emitter, expr: p.Unary) -> None:
    if isinstance(expr.x.type, ScalarType):
        emitter.define(expr, spelled(expr.function, [emitter.present(expr.x)], SPELLING))
        return
    x, buffer = emitter.vector(expr.x), emitter.buffer()
    value = spelled(expr.function, [f"{buffer}.value[i]"], SPELLING)
    emitter.line(f"Vectors.copy({x}, {buffer});")
    emitter.line(f"for (int i = 0; i < {buffer}.size; i++) {buffer}.value[i] = {value};")
    emitter.define(expr, buffer)


@implements(p.Binary)
def _binary(emitter: Emitter, expr: p.Binary) -> None:
    emitter.define(expr, spelled(expr.function, [emitter.present(expr.a), emitter.present(expr.b)], SPELLING))
