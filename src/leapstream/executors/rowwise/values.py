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
def _input(w: Writer, expr: p.Input) -> None:
    kind = expr.type
    value = f"record[{w.constant(expr.name)}]"
    if isinstance(kind, TensorType):
        _vector_input(w, expr, kind, value)
        return
    if not isinstance(kind, ScalarType) or kind.base not in _PLAIN:
        raise ArraysOnlyError(f"Input of type {kind}")
    w.define(expr, value)
    name = w.optional(expr)
    convert = _CONVERTERS.get(kind.base)
    missing = f" and {name} is not None" if kind.nullable else ""
    meant = "unusual()" if convert is None else f"{name} = {w.call(convert, name)}"
    # What is expected needs one comparison.
    w.line(f"if type({name}) is not {_PLAIN[kind.base]}{missing}: {meant}")


def _vector_input(w: Writer, expr: p.Input, kind: TensorType, value: str) -> None:
    if kind.base is not BasicType.DOUBLE or (kind.dimensions is not None and len(kind.dimensions) != 1):
        raise ArraysOnlyError(f"Input of type {kind}")
    w.define(expr, w.call(runtime.to_vector, value))
    size = kind.size
    if size is not None and 0 < size <= MOST_VARIABLES:
        names = [w.variable() for _ in range(size)]
        w.line(f"{', '.join(names)}, = {w.optional(expr)}")
        w.define_elements(expr, names)


@implements(p.Cast)
def _cast(w: Writer, expr: p.Cast) -> None:
    given, wanted = expr.x.type, expr.type
    if not isinstance(given, ScalarType) or not isinstance(wanted, ScalarType):
        raise ArraysOnlyError(f"Cast from {given} to {wanted}")
    if given.base != wanted.base and (
        wanted.base is not BasicType.DOUBLE or given.base in (BasicType.STRING, BasicType.BYTE_STRING)
    ):
        raise ArraysOnlyError(f"Cast from {given} to {wanted}")
    x = w.optional(expr.x) if wanted.nullable else w.present(expr.x)
    if given.base == wanted.base:
        w.define(expr, x)
    else:
        w.define(expr, f"None if {x} is None else float({x})" if given.nullable else f"float({x})")


@implements(p.NotNull)
def _not_null(w: Writer, expr: p.NotNull) -> None:
    if isinstance(expr.x.type, ScalarType):
        w.define(expr, w.present(expr.x))
    else:
        w.alias(expr, expr.x)


@implements(p.Impute)
def _impute(w: Writer, expr: p.Impute) -> None:
    x = w.optional(expr.x)
    hole = f"{x} is None or {x} != {x}" if expr.x.type.nullable else f"{x} != {x}"
    if not math.isnan(expr.missing):
        hole += f" or {x} == {w.constant(float(expr.missing))}"
    w.define(expr, f"{w.constant(float(expr.surrogate))} if {hole} else {x}")


# ---- numbers ----------------------------------------------------------------------------------------------------------


@implements(p.Constant)
def _constant(w: Writer, expr: p.Constant) -> None:
    w.define(expr, w.constant(float(expr.value)))


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
def _unary(w: Writer, expr: p.Unary) -> None:
    w.namespace |= _HELPERS
    formula = _UNARY[expr.function]
    if isinstance(expr.type, ScalarType):
        w.define(expr, formula.format(x=w.present(expr.x)))
    else:
        w.define_each(expr, expr.x, lambda x: formula.format(x=x))


@implements(p.Binary)
def _binary(w: Writer, expr: p.Binary) -> None:
    w.namespace |= _HELPERS
    w.define(expr, _BINARY[expr.function].format(a=w.present(expr.a), b=w.present(expr.b)))


@implements(p.Greater)
def _greater(w: Writer, expr: p.Greater) -> None:
    w.define(expr, f"1.0 if {w.present(expr.x)} > {w.constant(float(expr.threshold))} else 0.0")


@implements(p.Within)
def _within(w: Writer, expr: p.Within) -> None:
    x = w.present(expr.x)
    low, high = w.constant(float(expr.low)), w.constant(float(expr.high))
    w.line(f"if {x} < {low} or {x} > {high}: unusual()")
    w.define(expr, x)


# ---- categories -------------------------------------------------------------------------------------------------------


@implements(p.Lookup)
def _lookup(w: Writer, expr: p.Lookup) -> None:
    index = w.constant({label: float(i) for i, label in enumerate(expr.labels)})
    # A missing value is not among the labels.
    x = w.optional(expr.x) if expr.invalid == "keep" else w.present(expr.x)
    if expr.invalid == "keep":
        w.define(expr, f"{index}.get({x}, {float(len(expr.labels))!r})")
    elif expr.invalid == "error":
        w.define(expr, f"{index}[{x}]")
    else:
        w.define(expr, f"{index}.get({x})")
        w.line(f"if {w.optional(expr)} is None: return None")


@implements(p.Label)
def _label(w: Writer, expr: p.Label) -> None:
    if not isinstance(expr.x.type, ScalarType):
        raise ArraysOnlyError("Label of a vector")
    x = w.present(expr.x)
    labels = w.constant(expr.labels)
    w.define(expr, f"{labels}[int({x})] if {x} > -1.0 else unusual()")


@implements(p.OneHot)
def _one_hot(w: Writer, expr: p.OneHot) -> None:
    at = w.variable()
    w.line(f"{at} = {_position(w, expr)}")
    if expr.width <= MOST_VARIABLES:
        w.define_elements(expr, [f"1.0 if {at} == {i} else 0.0" for i in range(expr.width)])
    else:
        w.define(expr, f"[0.0] * {expr.width}")
        w.line(f"if {at} < {expr.width}: {w.optional(expr)}[{at}] = 1.0")


@implements(p.CategoryWeight)
def _category_weight(w: Writer, expr: p.CategoryWeight) -> None:
    w.define(expr, f"{w.constant(expr.padded.tolist())}[{_position(w, expr)}]")


def _position(w: Writer, expr: p.OneHot | p.CategoryWeight) -> str:
    """The position of the 1 in a one-hot vector."""
    x = w.present(expr.x)
    if isinstance(expr.x, p.Lookup):
        # An index of a label is a whole number; only what "keep" gives can be none of the categories.
        greatest = len(expr.x.labels) - (expr.x.invalid != "keep")
        if greatest < expr.categories:
            return f"int({x})"
        if expr.keep:
            return f"min(int({x}), {expr.categories})"
    return w.call(runtime.category, x, str(expr.categories), str(expr.keep))


@implements(p.Bucketize)
def _bucketize(w: Writer, expr: p.Bucketize) -> None:
    x = w.present(expr.x)
    splits = w.constant(expr.splits.tolist())
    if expr.invalid == "skip":
        w.line(f"if {x} != {x}: return None")
    nan = f"{float(len(expr.splits) - 1)!r} if {x} != {x} else " if expr.invalid == "keep" else ""
    w.define(expr, f"{nan}{w.call(runtime.bucket, x, splits)}")


@implements(p.Binarize)
def _binarize(w: Writer, expr: p.Binarize) -> None:
    threshold = w.constant(float(expr.threshold))
    if isinstance(expr.x.type, ScalarType):
        w.define(expr, f"1.0 if {w.present(expr.x)} > {threshold} else 0.0")
    else:
        w.define_each(expr, expr.x, lambda x: f"1.0 if {x} > {threshold} else 0.0")
