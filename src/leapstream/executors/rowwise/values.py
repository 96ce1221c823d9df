"""Inputs, types and missing values."""

from __future__ import annotations

import math

from leapstream.bundle.types import BasicType, ScalarType, TensorType
from leapstream.executors.implementing import implements
from leapstream.executors.rowwise import runtime
from leapstream.executors.rowwise.writer import MOST_VARIABLES, ArraysOnlyError, Writer
from leapstream.plan import primitives as p

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
    if kind.base is BasicType.STRING:
        there = f"{name} is not None and " if kind.nullable else ""
        writer.line(f"if {there}not {name}.isascii(): {writer.call(runtime.expect_whole_text, name)}")


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
    if (given.base, wanted.base) == (BasicType.DOUBLE, BasicType.INT) and not given.nullable:
        x = writer.present(expr.x)
        writer.define(expr, f"int({x}) if -2147483649.0 < {x} < 2147483648.0 else unusual()")
        return
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
