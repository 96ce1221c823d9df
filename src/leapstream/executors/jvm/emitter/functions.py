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
    "normal_quantile": "Functions.normalQuantile({0})",
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
    if isinstance(expr.type, ScalarType):
        emitter.define(expr, spelled(expr.function, [emitter.present(expr.a), emitter.present(expr.b)], SPELLING))
        return
    values, vectors = [], []
    for suffix, x in (("a", expr.a), ("b", expr.b)):
        if isinstance(x.type, ScalarType):
            values.append(emitter.present(x))
            continue
        vectors.append(emitter.vector(x))
        elements = emitter.variable(suffix, "double[]")
        emitter.line(f"{elements} = Vectors.elements({vectors[-1]}, {emitter.buffer()});")
        values.append(f"{elements}[i]")
    if len(vectors) == 2:
        emitter.place(expr)
        emitter.line(f"Vectors.requireEqualSizes({vectors[0]}, {vectors[1]});")
    result = emitter.buffer()
    emitter.line(f"{result}.dense({vectors[0]}.size);")
    value = spelled(expr.function, values, SPELLING)
    emitter.line(f"for (int i = 0; i < {result}.size; i++) {result}.value[i] = {value};")
    emitter.define(expr, result)
