"""Elements of vectors: selection, recoding, reshaping."""

from __future__ import annotations

from leapstream.executors.implementing import implements
from leapstream.executors.rowwise.arrays import by_arrays
from leapstream.executors.rowwise.stored import stores_all
from leapstream.executors.rowwise.writer import ArraysOnlyError, Writer
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Expr


@implements(p.Item)
def _item(writer: Writer, expr: p.Item) -> None:
    writer.define(expr, _element(writer, expr.x, expr.index))


@implements(p.Take)
def _take(writer: Writer, expr: p.Take) -> None:
    if not expr.indices or (expr.picks_rising and not stores_all(expr.x)):
        raise ArraysOnlyError("Take of no elements, or of some that may not be stored")
    writer.define_elements(expr, [_element(writer, expr.x, index) for index in expr.indices])


def _element(writer: Writer, x: Expr, index: int) -> str:
    """An element of a vector."""
    elements, sparse = writer.elements(x), writer.sparse(x)
    if elements is not None and index < len(elements):
        return elements[index]
    if sparse is not None and index < sparse[1]:
        return f"{sparse[0]}.get({index}, 0.0)"
    if elements is not None or sparse is not None:
        raise ArraysOnlyError("an element beyond the vector")
    # Beyond the last it is an IndexError.
    return f"{writer.listed(x)}[{index}]"


@implements(p.ElementsAtLeast)
@implements(p.Recode)
@implements(p.Reshape)
def _others(writer: Writer, expr: p.ElementsAtLeast | p.Recode | p.Reshape) -> None:
    by_arrays(writer, expr)
