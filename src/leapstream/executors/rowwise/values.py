"""Inputs, types and missing values."""

from __future__ import annotations

import math

from leapstream.bundle.types import BasicType, ListType, MapType, ScalarType, TensorType, with_nullable
from leapstream.executors.implementing import implements
from leapstream.executors.rowwise.given import converter, to_double, to_vector
from leapstream.executors.rowwise.writer import MOST_VARIABLES, ArraysOnlyError, Writer, is_vector
from leapstream.plan import primitives as p

_PLAIN = {BasicType.DOUBLE: "float", BasicType.STRING: "str", BasicType.BOOLEAN: "bool"}
"""The class of the usual values, which need no conversion."""


@implements(p.Input)
def _input(writer: Writer, expr: p.Input) -> None:
    kind = expr.type
    value = f"record[{writer.constant(expr.name)}]"
    if is_vector(kind):
        assert isinstance(kind, TensorType)
        _vector_input(writer, expr, kind, value)
        return
    writer.define(expr, value)
    name = writer.optional(expr)
    convert = writer.constant(converter(kind))
    plain = _PLAIN.get(kind.base) if isinstance(kind, ScalarType) else None
    unusual = []
    # Nothing but a label gets through.
    only_labels = plain == "str" and writer.only_read_by(expr, _fails_for_unknown_texts)
    if kind.nullable and not only_labels:
        unusual.append(f"{name} is not None")
    # What is expected needs one comparison, or two.
    if plain == "str" and not only_labels:
        unusual.append(f"(type({name}) is not str or not {name}.isascii())")
    elif plain is not None:
        unusual.append(f"type({name}) is not {plain}")
    condition = f"if {' and '.join(unusual)}: " if unusual else ""
    writer.line(f"{condition}{name} = {convert}({name})")


def _fails_for_unknown_texts(reader: p.Expr) -> bool:
    """True for the index of a label where each other text, and a missing one, is an error."""
    return isinstance(reader, p.Lookup) and reader.invalid == "error" and all(map(str.isascii, reader.labels))


def _vector_input(writer: Writer, expr: p.Input, kind: TensorType, value: str) -> None:
    size = kind.size
    if size is None or not 0 < size <= MOST_VARIABLES:
        writer.define(expr, writer.call(to_vector, value))
        return
    # A list of a few floats, which is what callers give, is not worth a call.
    vector, names = writer.variable(), [writer.variable() for _ in range(size)]
    writer.line(f"{vector} = {value}")
    writer.line(f"if type({vector}) is not list: {vector} = {writer.call(to_vector, vector)}")
    writer.line(f"{', '.join(names)}, = {vector}")
    for name in names:
        writer.line(f"if type({name}) is not float: {name} = {writer.call(to_double, name)}")
    writer.define_elements(expr, names)


@implements(p.Cast)
def _cast(writer: Writer, expr: p.Cast) -> None:
    given, wanted = expr.x.type, expr.type
    if given.base == wanted.base and isinstance(given, MapType) == isinstance(wanted, MapType):
        _keep_values(writer, expr)
        return
    if not isinstance(given, ScalarType) or not isinstance(wanted, ScalarType):
        raise ArraysOnlyError(f"Cast from {given} to {wanted}")
    if (given.base, wanted.base) == (BasicType.DOUBLE, BasicType.INT) and not given.nullable:
        x = writer.present(expr.x)
        writer.define(expr, f"int({x}) if -2147483649.0 < {x} < 2147483648.0 else unusual()")
        return
    if wanted.base is not BasicType.DOUBLE or given.base in (BasicType.STRING, BasicType.BYTE_STRING):
        raise ArraysOnlyError(f"Cast from {given} to {wanted}")
    x = writer.optional(expr.x) if wanted.nullable else writer.present(expr.x)
    writer.define(expr, f"None if {x} is None else float({x})" if given.nullable else f"float({x})")


def _keep_values(writer: Writer, expr: p.Cast) -> None:
    """A cast between types of the same elements: what is a list in both stays one."""
    given, wanted = expr.x.type, expr.type
    both_scalars = isinstance(given, ScalarType) and isinstance(wanted, ScalarType)
    both_lists = (is_vector(given) or isinstance(given, ListType)) and is_vector(wanted)
    if not (both_scalars or both_lists or with_nullable(given, wanted.nullable) == wanted):
        raise ArraysOnlyError(f"Cast from {given} to {wanted}")
    if not wanted.nullable and given.nullable:
        writer.require_present(expr.x)
    writer.alias(expr, expr.x)


@implements(p.NotNull)
def _not_null(writer: Writer, expr: p.NotNull) -> None:
    writer.require_present(expr.x)
    writer.alias(expr, expr.x)


@implements(p.After)
def _after(writer: Writer, expr: p.After) -> None:
    writer.alias(expr, expr.x)


@implements(p.Impute)
def _impute(writer: Writer, expr: p.Impute) -> None:
    x = writer.optional(expr.x)
    hole = f"{x} is None or {x} != {x}" if expr.x.type.nullable else f"{x} != {x}"
    if not math.isnan(expr.missing):
        hole += f" or {x} == {writer.constant(float(expr.missing))}"
    writer.define(expr, f"{writer.constant(float(expr.surrogate))} if {hole} else {x}")
