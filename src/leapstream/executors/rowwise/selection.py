"""Elements of vectors: picked, recoded, put into other shapes."""

from __future__ import annotations

from leapstream.executors.implementing import implements
from leapstream.executors.rowwise.writer import ArraysOnlyError, Writer
from leapstream.plan import primitives as p


@implements(p.Item)
def _item(writer: Writer, expr: p.Item) -> None:
    elements = writer.elements(expr.x)
    if elements is None:
        # Beyond the last it is an IndexError.
        writer.define(expr, f"{writer.listed(expr.x)}[{expr.index}]")
    elif expr.index >= len(elements):
        raise ArraysOnlyError("Item beyond the vector")
    else:
        writer.define(expr, elements[expr.index])


@implements(p.Take)
def _take(writer: Writer, expr: p.Take) -> None:
    elements = writer.elements(expr.x)
    if elements is None:
        x = writer.listed(expr.x)
        writer.define_elements(expr, [f"{x}[{index}]" for index in expr.indices])
    elif max(expr.indices, default=-1) >= len(elements):
        raise ArraysOnlyError("Take beyond the vector")
    else:
        writer.define_elements(expr, [elements[index] for index in expr.indices])
