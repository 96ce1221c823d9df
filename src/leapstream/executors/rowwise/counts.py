"""Vectors that are computed as dicts of their elements, and counts of tokens among them."""

from __future__ import annotations

from collections.abc import Iterable

from leapstream.executors.rowwise.writer import MOST_VARIABLES, Writer
from leapstream.plan.primitives import Expr


def define_counts(writer: Writer, expr: Expr, counts: str, size: int) -> None:
    """Let an expression be the vector of ``size`` elements that a dict gives, in ascending order of elements."""
    result = writer.variable()
    writer.line(f"{result} = {counts}")
    if size > MOST_VARIABLES:
        writer.define_sparse(expr, result, size)
    else:
        writer.define_elements(expr, [f"{result}.get({i}, 0.0)" for i in range(size)])


def count(elements: Iterable[int]) -> dict[int, float]:
    """The number of times that each element occurs, in ascending order of elements."""
    counts: dict[int, float] = {}
    for element in elements:
        counts[element] = counts.get(element, 0.0) + 1.0
    return dict(sorted(counts.items()))


def count_binary(elements: Iterable[int]) -> dict[int, float]:
    """1 for each element that occurs, in ascending order of elements."""
    return dict.fromkeys(sorted(set(elements)), 1.0)
