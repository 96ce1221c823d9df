"""Choices: a value that depends on another."""

from __future__ import annotations

from leapstream.executors.implementing import implements
from leapstream.executors.rowwise.writer import Writer
from leapstream.plan import primitives as p


@implements(p.ValueAt)
def _value_at(writer: Writer, expr: p.ValueAt) -> None:
    writer.define(expr, f"{writer.numbers(expr.values)}[int({writer.present(expr.x)})]")
