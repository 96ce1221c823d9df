"""Ensembles of decision trees: small ones as conditional expressions, large ones by the kernels of the vectorized executor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from leapstream.executors.implementing import implements
from leapstream.executors.rowwise.runtime import UnusualRecordError
from leapstream.executors.rowwise.writer import MOST_VARIABLES, ArraysOnlyError, Writer
from leapstream.layouts.forest import Forest, make_forest
from leapstream.plan import primitives as p

_MOST_NODES = 4096
"""Python compiles about 100 nodes in a millisecond."""
_MOST_LEVELS = 40
"""The parser takes fewer than 100 parentheses in one another."""


@implements(p.Trees)
def _trees(writer: Writer, expr: p.Trees) -> None:
    forest = make_forest(expr)
    elements = writer.elements(expr.x)
    if elements is not None and len(elements) < forest.size:
        raise ArraysOnlyError("Trees that test an element beyond the vector")
    small = len(forest.child) <= _MOST_NODES and forest.depth.max(initial=0) <= _MOST_LEVELS
    # Sums of single precision are left to the kernels.
    if not small or expr.combine == "groups" or expr.width > MOST_VARIABLES or forest.size > 4 * MOST_VARIABLES:
        _by_kernel(writer, expr, forest)
        return
    if elements is None:
        x = writer.listed(expr.x)
        writer.line(f"if len({x}) < {forest.size}: unusual()")
        elements = [f"{x}[{i}]" for i in range(forest.size)]
    _by_conditions(writer, expr, forest, elements)


def _by_conditions(writer: Writer, expr: p.Trees, forest: Forest, elements: list[str]) -> None:
    vectors = expr.combine in ("leaf", "votes")

    def leaf(node: int) -> str:
        start = forest.first[node]
        values = [writer.constant(float(v)) for v in forest.data[start : start + expr.width]]
        return f"({', '.join(values)},)" if vectors else values[0]

    def branch(node: int) -> str:
        child = forest.child[node]
        if child == node:
            return leaf(node)
        return f"({branch(child + 1)} if {_test(writer, forest, node, elements)} else {branch(child)})"

    found = [branch(root) for root in forest.root]
    if not vectors:
        # A statement each: the parser takes no sum of thousands.
        total = writer.variable()
        writer.line(f"{total} = 0.0")
        for tree in found:
            writer.line(f"{total} += {tree}")
        writer.define(expr, f"{total} / {len(found)}" if expr.combine == "mean" else total)
        return
    sums = [writer.variable() for _ in range(expr.width)]
    parts = [writer.variable() for _ in range(expr.width)]
    for name in sums:
        writer.line(f"{name} = 0.0")
    for tree in found:
        writer.line(f"{', '.join(parts)}, = {tree}")
        for name, part in zip(sums, parts, strict=True):
            writer.line(f"{name} += {part}")
    writer.define_elements(expr, sums)


def _test(writer: Writer, forest: Forest, node: int, elements: list[str]) -> str:
    """The Python expression that is true if a record goes left."""
    feature = int(forest.feature[node])
    if feature >= 0:
        return f"{elements[feature]} <= {writer.constant(float(forest.threshold[node]))}"
    which = forest.first[node]
    known = frozenset(forest.data[forest.set_start[which] : forest.set_end[which]].tolist())
    return f"{elements[-1 - feature]} {'in' if forest.set_left[which] else 'not in'} {writer.constant(known)}"


def _by_kernel(writer: Writer, expr: p.Trees, forest: Forest) -> None:
    # Only large forests need NumPy's tables and numba.
    from leapstream.executors.vectorized.sums import KERNELS
    from leapstream.executors.vectorized.trees import prepare_forest, run_forest

    # One record at a time, the kernels are faster from the first record on.
    KERNELS.load()
    prepared = prepare_forest(expr, forest)
    walk = writer.constant(_walker(lambda x: run_forest(expr, prepared, x)))
    writer.define(expr, f"{walk}({writer.listed(expr.x)})")


def _walker(run: Callable[[npt.NDArray[np.float64]], Any]) -> Callable[[list[float]], object]:
    def walk(x: list[float]) -> object:
        result, failed = run(np.array([x]))
        if failed[0]:
            raise UnusualRecordError
        return result[0].tolist()

    return walk
