"""Inputs, numbers and categories."""

from __future__ import annotations

import math
import sys

from leapstream.bundle.types import BasicType, ScalarType, TensorType
from leapstream.executors.implementing import implements
from leapstream.executors.rowwise import runtime
from leapstream.executors.rowwise.writer import MOST_VARIABLES, ArraysOnlyError, Writer
from leapstream.plan import primitives as p

# ---- inputs -----------------------------------------------------------------------------------------------------------

_PLAIN = {BasicType.DOUBLE: "float", BasicType.LONG: "int", BasicType.STRING: "str", BasicType.BOOLEAN: "bool"}
_CONVERTERS = {BasicType.DOUBLE: runtime.to_double, BasicType.LONG: runtime.to_long}


@implements(p.Input)
def _input(writer: Writer, expr: p.Input) -> None:
    kind = expr.type
    value = f"record[{writer.constant(expr.name)}]"
    if isinstance(kind, TensorType):
        _vector_input(writer, expr, kind, value)
        return
    if not isinstance(kind, ScalarType) or kind.base not in _PLAIN:
        raise ArraysOnlyError(f"Input of type {kind}")
    writer.define(expr, value)
    name = writer.optional(expr)
    convert = _CONVERTERS.get(kind.base)
    missing = f" and {name} is not None" if kind.nullable else ""
    meant = "unusual()" if convert is None else f"{name} = {writer.call(convert, name)}"
    # What is expected needs one comparison.
    writer.line(f"if type({name}) is not {_PLAIN[kind.base]}{missing}: {meant}")


def _vector_input(writer: Writer, expr: p.Input, kind: TensorType, value: str) -> None:
    if kind.base is not BasicType.DOUBLE or (kind.dimensions is not None and len(kind.dimensions) != 1):
        raise ArraysOnlyError(f"Input of type {kind}")
    writer.define(expr, writer.call(runtime.to_vector, value))
    size = kind.size
    if size is not None and 0 < size <= MOST_VARIABLES:
        names = [writer.variable() for _ in range(size)]
        writer.line(f"{', '.join(names)}, = {writer.optional(expr)}")
        writer.define_elements(expr, names)


@implements(p.Cast)
def _cast(writer: Writer, expr: p.Cast) -> None:
    given, wanted = expr.x.type, expr.type
    if not isinstance(given, ScalarType) or not isinstance(wanted, ScalarType):
        raise ArraysOnlyError(f"Cast from {given} to {wanted}")
    if given.base != wanted.base and (
        wanted.base is not BasicType.DOUBLE or given.base in (BasicType.STRING, BasicType.BYTE_STRING)
    ):
        raise ArraysOnlyError(f"Cast from {given} to {wanted}")
    x = writer.optional(expr.x) if wanted.nullable else writer.present(expr.x)
    if given.base == wanted.base:
        writer.define(expr, x)
    else:
        writer.define(expr, f"None if {x} is None else float({x})" if given.nullable else f"float({x})")


@implements(p.NotNull)
def _not_null(writer: Writer, expr: p.NotNull) -> None:
    if isinstance(expr.x.type, ScalarType):
        writer.define(expr, writer.present(expr.x))
    else:
        writer.alias(expr, expr.x)


@implements(p.Impute)
def _impute(writer: Writer, expr: p.Impute) -> None:
    x = writer.optional(expr.x)
    hole = f"{x} is None or {x} != {x}" if expr.x.type.nullable else f"{x} != {x}"
    if not math.isnan(expr.missing):
        hole += f" or {x} == {writer.constant(float(expr.missing))}"
    writer.define(expr, f"{writer.constant(float(expr.surrogate))} if {hole} else {x}")


# ---- numbers ----------------------------------------------------------------------------------------------------------


@implements(p.Constant)
def _constant(writer: Writer, expr: p.Constant) -> None:
    writer.define(expr, writer.constant(float(expr.value)))


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


@implements(p.RequireWithin)
def _within(writer: Writer, expr: p.RequireWithin) -> None:
    x = writer.present(expr.x)
    low, high = writer.constant(float(expr.low)), writer.constant(float(expr.high))
    writer.line(f"if {x} < {low} or {x} > {high}: unusual()")
    writer.define(expr, x)


# ---- categories -------------------------------------------------------------------------------------------------------


@implements(p.Lookup)
def _lookup(writer: Writer, expr: p.Lookup) -> None:
    index = writer.constant({label: float(i) for i, label in enumerate(expr.labels)})
    # A missing value is not among the labels.
    x = writer.optional(expr.x) if expr.invalid == "keep" else writer.present(expr.x)
    if expr.invalid == "keep":
        writer.define(expr, f"{index}.get({x}, {float(len(expr.labels))!r})")
    elif expr.invalid == "error":
        writer.define(expr, f"{index}[{x}]")
    else:
        writer.define(expr, f"{index}.get({x})")
        writer.line(f"if {writer.optional(expr)} is None: return None")


@implements(p.Label)
def _label(writer: Writer, expr: p.Label) -> None:
    if not isinstance(expr.x.type, ScalarType):
        raise ArraysOnlyError("Label of a vector")
    x = writer.present(expr.x)
    labels = writer.constant(expr.labels)
    writer.define(expr, f"{labels}[int({x})] if {x} > -1.0 else unusual()")


@implements(p.OneHot)
def _one_hot(writer: Writer, expr: p.OneHot) -> None:
    at = writer.variable()
    writer.line(f"{at} = {_position(writer, expr)}")
    if expr.width <= MOST_VARIABLES:
        writer.define_elements(expr, [f"1.0 if {at} == {i} else 0.0" for i in range(expr.width)])
    else:
        writer.define(expr, f"[0.0] * {expr.width}")
        writer.line(f"if {at} < {expr.width}: {writer.optional(expr)}[{at}] = 1.0")


@implements(p.CategoryWeight)
def _category_weight(writer: Writer, expr: p.CategoryWeight) -> None:
    writer.define(expr, f"{writer.constant(expr.padded.tolist())}[{_position(writer, expr)}]")


def _position(writer: Writer, expr: p.OneHot | p.CategoryWeight) -> str:
    """The position of the 1 in a one-hot vector."""
    x = writer.present(expr.x)
    if isinstance(expr.x, p.Lookup):
        # An index of a label is a whole number; only what "keep" gives can be none of the categories.
        greatest = len(expr.x.labels) - (expr.x.invalid != "keep")
        if greatest < expr.categories:
            return f"int({x})"
        if expr.keep:
            return f"min(int({x}), {expr.categories})"
    return writer.call(runtime.category, x, str(expr.categories), str(expr.keep))


@implements(p.Bucketize)
def _bucketize(writer: Writer, expr: p.Bucketize) -> None:
    x = writer.present(expr.x)
    splits = writer.constant(expr.splits.tolist())
    if expr.invalid == "skip":
        writer.line(f"if {x} != {x}: return None")
    nan = f"{float(len(expr.splits) - 1)!r} if {x} != {x} else " if expr.invalid == "keep" else ""
    writer.define(expr, f"{nan}{writer.call(runtime.bucket, x, splits)}")


@implements(p.Binarize)
def _binarize(writer: Writer, expr: p.Binarize) -> None:
    threshold = writer.constant(float(expr.threshold))
    if isinstance(expr.x.type, ScalarType):
        writer.define(expr, f"1.0 if {writer.present(expr.x)} > {threshold} else 0.0")
    else:
        writer.define_each(expr, expr.x, lambda x: f"1.0 if {x} > {threshold} else 0.0")
