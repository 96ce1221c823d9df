"""Choices: a value that depends on another."""

from __future__ import annotations

from leapstream.executors.implementing import implements
from leapstream.executors.rowwise.arrays import by_arrays
from leapstream.executors.rowwise.writer import Writer
from leapstream.plan import primitives as p


@implements(p.ValueAt)
def _value_at(writer: Writer, expr: p.ValueAt) -> None:
    writer.define(expr, f"{writer.numbers(expr.values)}[int({writer.present(expr.x)})]")


@implements(p.FirstMatch)
@implements(p.Switch)
def _others(writer: Writer, expr: p.FirstMatch | p.Switch) -> None:
    by_arrays(writer, expr)


@implements(p.MapEntry)
def _map_entry(writer: Writer, expr: p.MapEntry) -> None:
    key, default = writer.optional(expr.key), writer.constant(expr.default)
    writer.define(expr, f"{writer.present(expr.x)}.get({key}, {default})")
    if not expr.type.nullable:
        writer.line(f"if {writer.optional(expr)} is None: unusual()")


@implements(p.Coalesce)
def _coalesce(writer: Writer, expr: p.Coalesce) -> None:
    result = writer.variable()
    writer.line(f"{result} = None")
    for x in expr.xs:
        writer.line(f"if {result} is None: {result} = {writer.optional(x)}")
    writer.define(expr, result)
