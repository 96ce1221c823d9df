"""Elements of vectors: selection, recoding, reshaping."""

from __future__ import annotations

from leapstream.executors.implementing import implements, lowers
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


@lowers(p.Take)
def _take(expr: p.Take) -> p.Pack:
    items = [p.Item(x=expr.x, index=index, type=p.DOUBLE, origin=expr.origin) for index in expr.indices]
    return p.Pack(xs=tuple(items), type=expr.type, origin=expr.origin)
