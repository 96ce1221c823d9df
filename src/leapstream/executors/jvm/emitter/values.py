"""Inputs, types and missing values."""

from __future__ import annotations

from collections.abc import Callable

from leapstream.bundle.types import BasicType, ListType, MapType, ScalarType, TensorType
from leapstream.executors.implementing import implements
from leapstream.executors.jvm.emitter.base import Emitter
from leapstream.executors.jvm.emitter.code import (
    BOXES,
    LETTERS,
    double_literal,
    in_items,
    java_type,
    unboxed,
)
from leapstream.plan import primitives as p


@implements(p.Input)
def _input(e: Emitter, expr: p.Input) -> None:
    f = e.inputs[e.plan.inputs.names.index(expr.name)]
    e.alias(expr, f.name, f.null_field)


@implements(p.NotNull)
def _not_null(e: Emitter, expr: p.NotNull) -> None:
    e.alias(expr, e.present(expr.x))


@implements(p.Impute)
def _impute(e: Emitter, expr: p.Impute) -> None:
    x = e.value(expr.x)
    null = e.null(expr.x)
    hole = f"{x} != {x} || {x} == {double_literal(expr.missing)}"
    if null is not None:
        hole = f"{null} || {hole}"
    e.define(expr, f"{hole} ? {double_literal(expr.surrogate)} : {x}")


@implements(p.Cast)
def _cast(e: Emitter, expr: p.Cast) -> None:
    given, wanted = expr.x.type, expr.type
    if given.nullable and not wanted.nullable:
        e.present(expr.x)
    e.place(expr)
    _CASTS[type(given), type(wanted)](e, expr)


def _null_of(e: Emitter, expr: p.Cast) -> str | None:
    return e.null(expr.x) if expr.type.nullable else None


def _or_null(e: Emitter, expr: p.Cast, value: str) -> str:
    null = _null_of(e, expr)
    return value if null is None else f"{null} ? null : {value}"


def _letters(expr: p.Cast) -> str:
    return f"'{LETTERS[expr.x.type.base]}', '{LETTERS[expr.type.base]}'"


def _cast_scalar(e: Emitter, expr: p.Cast) -> None:
    given, wanted, x = expr.x.type.base, expr.type.base, e.value(expr.x)
    null = _null_of(e, expr)
    if given == wanted:
        e.alias(expr, x, null)
    elif given is BasicType.STRING:
        _parse(e, expr, x, null)
    elif wanted is BasicType.STRING:
        if given is BasicType.BOOLEAN:
            text = f'({x} ? "1" : "0")'
        else:
            box = "Integer" if given in (BasicType.BYTE, BasicType.SHORT) else BOXES[given.value]
            text = f"{box}.toString({x})"
        e.define(expr, _or_null(e, expr, text))
    elif wanted is BasicType.BOOLEAN:
        e.define(expr, f"{x} != 0", null)
    else:
        number = f"({x} ? 1 : 0)" if given is BasicType.BOOLEAN else x
        e.define(expr, f"({wanted.value}) {number}", null)


def _parse(e: Emitter, expr: p.Cast, x: str, null: str | None) -> None:
    """The string ``x`` as a number or boolean."""
    java = expr.type.base.value
    parsed = f"Casts.parse{java.capitalize()}({x})"
    hole = None if expr.type.base is BasicType.BOOLEAN else f"Casts.isHole({x})"
    if expr.type.nullable:
        missing = " || ".join(part for part in (null, hole) if part is not None)
        if missing:
            flag = e.variable("n", "boolean")
            e.line(f"{flag} = {missing};")
            e.define(expr, f"{flag} ? {_zero(java)} : {parsed}", flag)
            return
    e.define(expr, parsed if hole is None else f"{hole} ? {_zero(java)} : {parsed}")


def _zero(java: str) -> str:
    return "false" if java == "boolean" else f"({java}) 0"


def _cast_scalar_to_tensor(e: Emitter, expr: p.Cast) -> None:
    java = java_type(expr.x.type)
    x = f"{BOXES[java]}.valueOf({e.value(expr.x)})" if java in BOXES else e.value(expr.x)
    element = f"Casts.element({x}, {_letters(expr)})"
    if in_items(expr.type):
        value = f"Casts.scalarToItems({element})"
    else:
        value = f"Casts.scalarToVec(Casts.unbox({element}), {e.buffer()})"
    e.define(expr, _or_null(e, expr, value))


def _cast_tensor_to_scalar(e: Emitter, expr: p.Cast) -> None:
    given, x = expr.x.type, e.value(expr.x)
    first = f"Casts.first({x})" if in_items(given) else f"Casts.first({x}, '{LETTERS[given.base]}')"
    boxed = e.variable("x", "Object")
    e.line(f"{boxed} = {_or_null(e, expr, first)};")
    null = f"{boxed} == null" if expr.type.nullable else None
    if given.base is BasicType.STRING and expr.type.base is not BasicType.STRING:
        text = e.variable("t", "String")
        e.line(f"{text} = (String) {boxed};")
        _parse(e, expr, text, null)
        return
    java = java_type(expr.type)
    value = unboxed(f"Casts.element({boxed}, {_letters(expr)})", java)
    if null is None:
        e.define(expr, value)
    elif java in BOXES:
        flag = e.variable("n", "boolean")
        e.line(f"{flag} = {null};")
        e.define(expr, f"{flag} ? {_zero(java)} : {value}", flag)
    else:
        e.define(expr, f"{null} ? null : {value}")


def _cast_many(e: Emitter, expr: p.Cast) -> None:
    """Between lists and tensors, element by element."""
    given, wanted, x = expr.x.type, expr.type, e.value(expr.x)
    vectors = isinstance(given, TensorType) and isinstance(wanted, TensorType) and not in_items(given)
    # A vector holds its numbers as doubles whatever its basic type is.
    if type(given) is type(wanted) and (given.base == wanted.base or (vectors and wanted.base is BasicType.DOUBLE)):
        e.alias(expr, x)
        return
    kinds = ["list" if isinstance(t, ListType) else "items" if in_items(t) else "vec" for t in (given, wanted)]
    name = "list" if kinds == ["list", "list"] else f"{kinds[0]}To{kinds[1].capitalize()}"
    buffer = f", {e.buffer()}" if kinds[1] == "vec" else ""
    e.define(expr, _or_null(e, expr, f"Casts.{name}({x}, {_letters(expr)}{buffer})"))


def _cast_map(e: Emitter, expr: p.Cast) -> None:
    given, wanted = expr.x.type, expr.type
    assert isinstance(given, MapType) and isinstance(wanted, MapType)
    letters = ", ".join(f"'{LETTERS[base]}'" for base in (given.key, given.base, wanted.key, wanted.base))
    e.define(expr, _or_null(e, expr, f"Casts.map({e.value(expr.x)}, {letters})"))


_CASTS: dict[tuple[type, type], Callable[[Emitter, p.Cast], None]] = {
    (ScalarType, ScalarType): _cast_scalar,
    (ScalarType, TensorType): _cast_scalar_to_tensor,
    (TensorType, ScalarType): _cast_tensor_to_scalar,
    (ListType, ListType): _cast_many,
    (ListType, TensorType): _cast_many,
    (TensorType, ListType): _cast_many,
    (TensorType, TensorType): _cast_many,
    (MapType, MapType): _cast_map,
}
