"""Choices: a value that depends on another."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from leapstream.executors.implementing import implements
from leapstream.executors.rowwise.arrays import by_arrays
from leapstream.executors.rowwise.runtime import UnusualRecordError
from leapstream.executors.rowwise.writer import ArraysOnlyError, Writer
from leapstream.plan import primitives as p


@implements(p.ValueAt)
def _value_at(writer: Writer, expr: p.ValueAt) -> None:
    writer.define(expr, f"{writer.numbers(expr.values)}[int({writer.present(expr.x)})]")


@implements(p.FirstMatch)
def _first_match(writer: Writer, expr: p.FirstMatch) -> None:
    if not expr.patterns:
        raise ArraysOnlyError("FirstMatch of no patterns")
    # The library `regex` is imported only for plans with patterns.
    from leapstream.javalike.text import Matcher

    pairs = zip(expr.patterns, expr.values, strict=True)
    steps = writer.constant([(Matcher.of(pattern).found, value) for pattern, value in pairs])
    writer.define(expr, writer.call(first_match, writer.present(expr.x), steps, str(expr.default)))


def first_match(text: str, steps: Sequence[tuple[Callable[[str], bool], int]], default: int | None) -> int:
    """The value of the first pattern that is found; raises an error where none is and there is no default."""
    for found, value in steps:
        if found(text):
            return value
    if default is None:
        raise UnusualRecordError
    return default


@implements(p.Switch)
def _switch(writer: Writer, expr: p.Switch) -> None:
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
