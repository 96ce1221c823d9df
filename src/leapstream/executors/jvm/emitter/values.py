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
    holds_objects,
    java_type,
    unboxed,
)
from leapstream.plan import primitives as p


@implements(p.Input)
def _input(emitter: Emitter, expr: p.Input) -> None:
    f = emitter.inputs[emitter.plan.inputs.position(expr.name)]
    emitter.alias(expr, f.name, f.null_field)


@implements(p.NotNull)
def _not_null(emitter: Emitter, expr: p.NotNull) -> None:
    emitter.alias(expr, emitter.present(expr.x))


@implements(p.After)
def _after(emitter: Emitter, expr: p.After) -> None:
    emitter.alias(expr, emitter.value(expr.x), emitter.null(expr.x))


@implements(p.Impute)
def _impute(emitter: Emitter, expr: p.Impute) -> None:
    x = emitter.value(expr.x)
    null = emitter.null(expr.x)
    hole = f"{x} != {x} || {x} == {double_literal(expr.missing)}"
    if null is not None:
        hole = f"{null} || {hole}"
    emitter.define(expr, f"{hole} ? {double_literal(expr.surrogate)} : {x}")


@implements(p.Cast)
def _cast(emitter: Emitter, expr: p.Cast) -> None:
    given, wanted = expr.x.type, expr.type
    if given.nullable and not wanted.nullable:
        emitter.present(expr.x)
    emitter.place(expr)
    _CASTS[type(given), type(wanted)](emitter, expr)


def _null_of(emitter: Emitter, expr: p.Cast) -> str | None:
    return emitter.null(expr.x) if expr.type.nullable else None


def _or_null(emitter: Emitter, expr: p.Cast, value: str) -> str:
    null = _null_of(emitter, expr)
    return value if null is None else f"{null} ? null : {value}"


def _letters(expr: p.Cast) -> str:
    return f"'{LETTERS[expr.x.type.base]}', '{LETTERS[expr.type.base]}'"


def _cast_scalar(emitter: Emitter, expr: p.Cast) -> None:
    given, wanted, x = expr.x.type.base, expr.type.base, emitter.value(expr.x)
    null = _null_of(emitter, expr)
    if given == wanted:
        emitter.alias(expr, x, null)
    elif given is BasicType.STRING:
        _parse(emitter, expr, x, null)
    elif wanted is BasicType.STRING:
        if given is BasicType.BOOLEAN:
            text = f'({x} ? "1" : "0")'
        elif given in (BasicType.FLOAT, BasicType.DOUBLE):
            text = f"NumberText.of({x})"
        else:
            box = "Integer" if given in (BasicType.BYTE, BasicType.SHORT) else BOXES[given.value]
            text = f"{box}.toString({x})"
        emitter.define(expr, _or_null(emitter, expr, text))
    elif wanted is BasicType.BOOLEAN:
        emitter.define(expr, f"{x} != 0", null)
    else:
        number = f"({x} ? 1 : 0)" if given is BasicType.BOOLEAN else x
        emitter.define(expr, f"({wanted.value}) {number}", null)


def _parse(emitter: Emitter, expr: p.Cast, x: str, null: str | None) -> None:
    """The string ``x`` as a number or boolean."""
    java = expr.type.base.value
    parsed = f"Casts.parse{java.capitalize()}({x})"
    hole = None if expr.type.base is BasicType.BOOLEAN else f"Casts.isHole({x})"
    if expr.type.nullable:
        missing = " || ".join(part for part in (null, hole) if part is not None)
        if missing:
            flag = emitter.variable("n", "boolean")
            emitter.line(f"{flag} = {missing};")
            emitter.define(expr, f"{flag} ? {_zero(java)} : {parsed}", flag)
            return
    emitter.define(expr, parsed if hole is None else f"{hole} ? {_zero(java)} : {parsed}")


def _zero(java: str) -> str:
    return "false" if java == "boolean" else f"({java}) 0"


def _cast_scalar_to_tensor(emitter: Emitter, expr: p.Cast) -> None:
    java = java_type(expr.x.type)
    x = f"{BOXES[java]}.valueOf({emitter.value(expr.x)})" if java in BOXES else emitter.value(expr.x)
    element = f"Casts.element({x}, {_letters(expr)})"
    if holds_objects(expr.type):
        value = f"Casts.scalarToObjects({element})"
    else:
        value = f"Casts.scalarToVec(Casts.unbox({element}), {emitter.buffer()})"
    emitter.define(expr, _or_null(emitter, expr, value))


def _cast_tensor_to_scalar(emitter: Emitter, expr: p.Cast) -> None:
    given, x = expr.x.type, emitter.value(expr.x)
    first = f"Casts.first({x})" if holds_objects(given) else f"Casts.first({x}, '{LETTERS[given.base]}')"
    boxed = emitter.variable("x", "Object")
    emitter.line(f"{boxed} = {_or_null(emitter, expr, first)};")
    null = f"{boxed} == null" if expr.type.nullable else None
    if given.base is BasicType.STRING and expr.type.base is not BasicType.STRING:
        text = emitter.variable("t", "String")
        emitter.line(f"{text} = (String) {boxed};")
        _parse(emitter, expr, text, null)
        return
    java = java_type(expr.type)
    value = unboxed(f"Casts.element({boxed}, {_letters(expr)})", java)
    if null is None:
        emitter.define(expr, value)
    elif java in BOXES:
        flag = emitter.variable("n", "boolean")
        emitter.line(f"{flag} = {null};")
        emitter.define(expr, f"{flag} ? {_zero(java)} : {value}", flag)
    else:
        emitter.define(expr, f"{null} ? null : {value}")


def _cast_many(emitter: Emitter, expr: p.Cast) -> None:
    """Between lists and tensors, element by element."""
    given, wanted, x = expr.x.type, expr.type, emitter.value(expr.x)
    vectors = isinstance(given, TensorType) and isinstance(wanted, TensorType) and not holds_objects(given)
    # A vector holds its numbers as doubles whatever its basic type is.
    if type(given) is type(wanted) and (given.base == wanted.base or (vectors and wanted.base is BasicType.DOUBLE)):
        emitter.alias(expr, x)
        return
    kinds = ["list" if isinstance(t, ListType) else "objects" if holds_objects(t) else "vec" for t in (given, wanted)]
    name = "list" if kinds == ["list", "list"] else f"{kinds[0]}To{kinds[1].capitalize()}"
    buffer = f", {emitter.buffer()}" if kinds[1] == "vec" else ""
    emitter.define(expr, _or_null(emitter, expr, f"Casts.{name}({x}, {_letters(expr)}{buffer})"))


def _cast_map(emitter: Emitter, expr: p.Cast) -> None:
    given, wanted = expr.x.type, expr.type
    assert isinstance(given, MapType) and isinstance(wanted, MapType)
    letters = ", ".join(f"'{LETTERS[base]}'" for base in (given.key, given.base, wanted.key, wanted.base))
    emitter.define(expr, _or_null(emitter, expr, f"Casts.map({emitter.value(expr.x)}, {letters})"))


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
