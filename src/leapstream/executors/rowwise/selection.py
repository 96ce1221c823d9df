"""Elements of vectors: selection, recoding, reshaping."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from leapstream.executors.implementing import implements
from leapstream.executors.rowwise.arrays import by_arrays
from leapstream.executors.rowwise.stored import (
    listed_conditions,
    require_stored_alone,
    stored_elements,
    stores_all,
    where_stored,
)
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
def _elements_at_least(writer: Writer, expr: p.ElementsAtLeast) -> None:
    x, threshold = writer.listed(expr.x), writer.constant(float(expr.threshold))
    places = writer.variable()
    writer.line(f"{places} = [i for i, x in enumerate({x}) if x >= {threshold}]")
    writer.line(f"if {places} and {places}[-1] >= {expr.limit}: unusual()")
    writer.define(expr, f"[{x}[i] for i in {places}]" if expr.gives == "elements" else f"list(map(float, {places}))")


@implements(p.Recode)
def _recode(writer: Writer, expr: p.Recode) -> None:
    writer.expect_size(expr.x, expr.size)
    sparse = writer.sparse(expr.x)
    tables = [dict(zip(keys.tolist(), values.tolist(), strict=True)) for keys, values in expr.tables]
    others = [None] * len(tables) if expr.others is None else [float(other) for other in expr.others]
    steps = {place: found for place, *found in zip(expr.positions, tables, others, strict=True)}
    if sparse is not None:
        if expr.needs_stored:
            require_stored_alone(expr.x)
        writer.define_sparse_values(expr, expr.x, writer.call(recoded, f"{sparse[0]}.items()", writer.constant(steps)))
        return
    stored = stored_elements(writer, expr.x) if expr.needs_stored else None
    elements = writer.elements(expr.x)
    if elements is None:
        result = writer.call(recoded, f"enumerate({writer.listed(expr.x)})", writer.constant(steps))
        writer.define(expr, result if stored is None else writer.call(where_stored, result, listed_conditions(stored)))
        return
    formulas = list(elements)
    for place, (table, other) in steps.items():
        known, x = writer.constant(table), elements[place]
        formulas[place] = f"{known}[{x}]" if other is None else f"{known}.get({x}, {writer.constant(other)})"
        if stored is not None:
            formulas[place] = f"({formulas[place]} if {stored[place]} else 0.0)"
    writer.define_elements(expr, formulas)


def recoded(elements: Iterable[tuple[int, float]], steps: dict[int, Any]) -> list[float]:
    """Elements with their places, replaced by the tables of these; raises an error for an element without a value."""
    result = []
    for place, x in elements:
        if place in steps:
            table, other = steps[place]
            x = table[x] if other is None else table.get(x, other)
        result.append(x)
    return result


@implements(p.Reshape)
def _reshape(writer: Writer, expr: p.Reshape) -> None:
    by_arrays(writer, expr)
