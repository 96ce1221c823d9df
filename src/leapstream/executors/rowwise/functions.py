"""Functions of one number and of two."""

from __future__ import annotations

from leapstream.bundle.types import ScalarType
from leapstream.executors.implementing import implements
from leapstream.executors.quantiles import normal_quantile
from leapstream.executors.rowwise import runtime
from leapstream.executors.rowwise.arrays import by_arrays
from leapstream.executors.rowwise.writer import Writer
from leapstream.plan import primitives as p
from leapstream.plan.functions import spelled

SPELLING = {
    "negate": "(-{0})",
    # Python raises errors where Java gives an infinity or NaN.
    "exp": "(math.exp(t) if (t := {0}) < 709.0 else great_exp(t))",
    "log": "(math.log(t) if (t := {0}) > 0.0 else log_of_nothing(t))",
    "sqrt": "(math.sqrt(t) if (t := {0}) >= 0.0 else math.nan)",
    "sin": "math.sin({0})",
    "cos": "math.cos({0})",
    "tan": "math.tan({0})",
    "abs": "abs({0})",
    "floor": "floor({0})",
    "ceil": "ceil({0})",
    "round": "java_round({0})",
    "erf": "math.erf({0})",
    "normal_quantile": "normal_quantile({0})",
    "add": "({0} + {1})",
    "sub": "({0} - {1})",
    "mul": "({0} * {1})",
    "div": "({0} / {1})",
    "rem": "math.fmod({0}, {1})",
    "pow": "power({0}, {1})",
    "min": "least({0}, {1})",
    "max": "greatest({0}, {1})",
}
"""The simple functions in Python."""

_CALLED = (
    runtime.floor,
    runtime.ceil,
    runtime.great_exp,
    normal_quantile,
    runtime.java_round,
    runtime.power,
    runtime.least,
    runtime.log_of_nothing,
    runtime.greatest,
)


def _spelled(writer: Writer, function: p.FunctionName, *arguments: str) -> str:
    writer.namespace |= {called.__name__: called for called in _CALLED}
    return spelled(function, arguments, SPELLING)


@implements(p.Unary)
def _unary(writer: Writer, expr: p.Unary) -> None:
    if isinstance(expr.type, ScalarType):
        writer.define(expr, _spelled(writer, expr.function, writer.present(expr.x)))
    else:
        writer.define_each(expr, expr.x, lambda x: _spelled(writer, expr.function, x))


@implements(p.Binary)
def _binary(writer: Writer, expr: p.Binary) -> None:
    if isinstance(expr.type, ScalarType):
        writer.define(expr, _spelled(writer, expr.function, writer.present(expr.a), writer.present(expr.b)))
        return
    given = [[writer.present(x)] if isinstance(x.type, ScalarType) else writer.elements(x) for x in (expr.a, expr.b)]
    sizes = {len(x) for x in given if x is not None}
    if None in given or len(sizes - {1}) > 1:
        by_arrays(writer, expr)
        return
    a, b = (x * max(sizes) if len(x) == 1 else x for x in given if x is not None)
    writer.define_elements(expr, [_spelled(writer, expr.function, *pair) for pair in zip(a, b, strict=True)])
