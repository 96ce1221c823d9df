"""Ensembles of decision trees: a few small trees as conditional expressions, all others by a compiled kernel.

The kernel takes about a microsecond for a record, but importing numba takes about half a second. Until that pays, ensembles of at
most 4,096 nodes are conditional expressions too, and a walk in Python visits the nodes of larger ones.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from operator import itemgetter

from leapstream.executors.implementing import implements
from leapstream.executors.rowwise.forests import RecordForest, make_record_forest
from leapstream.executors.rowwise.runtime import NAN
from leapstream.executors.rowwise.writer import MOST_VARIABLES, ArraysOnlyError, Writer
from leapstream.layouts.forest import Forest, make_forest
from leapstream.plan import primitives as p

_MOST_NODES = 4096
"""Python compiles about 100 nodes in a millisecond."""
_MOST_LEVELS = 40
"""The parser takes fewer than 100 parentheses in one another."""

# Estimated nanoseconds.
_CALL, _CALL_PER_SUM, _KERNEL_PER_LEVEL = 300.0, 20.0, 1.2
_CONDITION, _TREE_OF_CONDITIONS = 15.0, 30.0
_STEP_OF_WALK, _TREE_OF_WALK = 200.0, 1000.0


@implements(p.Trees)
def _trees(writer: Writer, expr: p.Trees) -> None:
    layout: RecordForest | None = writer.layouts.get(id(expr))
    levels = sum(math.log2(len(tree.kind) + 1) for tree in expr.trees)
    kernel = _CALL + _CALL_PER_SUM * expr.width + _KERNEL_PER_LEVEL * levels
    if layout is None:
        forest = make_forest(expr)
        conditions = _TREE_OF_CONDITIONS * len(expr.trees) * expr.width + _CONDITION * levels
        if (conditions < kernel or not writer.kernels) and _may_be_conditions(writer, expr, forest):
            writer.saved_by_kernels += max(conditions - kernel, 0.0)
            _by_conditions(writer, expr, forest, _element(writer, expr, forest.size))
            return
        unpicked = writer.unpicked.get(id(expr.x))
        layout = make_record_forest(expr, forest, None if unpicked is None else unpicked.features)
        writer.layouts[id(expr)] = layout
    if not writer.kernels:
        writer.saved_by_kernels += _TREE_OF_WALK * len(expr.trees) + _STEP_OF_WALK * levels - kernel
    _by_layout(writer, expr, layout)


def _may_be_conditions(writer: Writer, expr: p.Trees, forest: Forest) -> bool:
    # Sums of single precision would need a call for each addition.
    return (
        expr.combine != "groups"
        and id(expr.x) not in writer.unpicked
        and expr.width <= MOST_VARIABLES
        and len(forest.child) <= _MOST_NODES
        and forest.depth.max(initial=0) <= _MOST_LEVELS
        and forest.size <= 4 * MOST_VARIABLES
    )


def _element(writer: Writer, expr: p.Trees, size: int) -> Callable[[int], str]:
    """The source of an element of the vector that trees test; the record is unusual if there are fewer than ``size``."""
    elements, sparse = writer.elements(expr.x), writer.sparse(expr.x)
    source: Callable[[int], str]
    if elements is not None:
        known = len(elements)
        source = elements.__getitem__
    elif sparse is not None:
        name, known = sparse
        source = f"{name}.get({{}}, 0.0)".format
    else:
        known = size
        x = writer.listed(expr.x)
        writer.line(f"if len({x}) < {size}: unusual()")
        source = f"{x}[{{}}]".format
    if known < size:
        raise ArraysOnlyError("Trees that test an element beyond the vector")
    return source


def _by_conditions(writer: Writer, expr: p.Trees, forest: Forest, element: Callable[[int], str]) -> None:
    vectors = expr.combine in ("leaf", "votes")

    def leaf(node: int) -> str:
        start = forest.first[node]
        values = [writer.constant(float(v)) for v in forest.data[start : start + expr.width]]
        return f"({', '.join(values)},)" if vectors else values[0]

    def branch(node: int) -> str:
        child = forest.child[node]
        if child == node:
            return leaf(node)
        return f"({branch(child + 1)} if {_test(writer, forest, node, element)} else {branch(child)})"

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


def _test(writer: Writer, forest: Forest, node: int, element: Callable[[int], str]) -> str:
    """The Python expression that is true if a record goes left."""
    feature = int(forest.feature[node])
    if feature >= 0:
        return f"{element(feature)} <= {writer.constant(float(forest.threshold[node]))}"
    which = forest.first[node]
    known = frozenset(forest.data[forest.set_start[which] : forest.set_end[which]].tolist())
    return f"{element(-1 - feature)} {'in' if forest.set_left[which] else 'not in'} {writer.constant(known)}"


def _by_layout(writer: Writer, expr: p.Trees, layout: RecordForest) -> None:
    """Call the kernel, or what does without it, with a new buffer; the record may be one of several in other threads."""
    if writer.kernels:
        from leapstream.executors.rowwise.treekernels import sum_leaves

        run = writer.constant(sum_leaves)
    else:
        run = writer.constant(layout.walk)
    # The constant keeps the arrays alive, whose addresses the header has.
    writer.constant(layout)
    filled = _filled(writer, expr, layout)
    if expr.width == 1:
        total = f"{run}({layout.address}, {filled})"
        if expr.combine in ("sum", "mean"):
            writer.define(expr, f"{total} / {len(expr.trees)}" if expr.combine == "mean" else total)
        else:
            writer.define_elements(expr, [total])
        return
    sums = writer.variable()
    writer.line(f"{sums} = bytearray({filled})")
    writer.line(f"{run}({layout.address}, {sums})")
    found = f"{writer.constant(struct.Struct(f'{expr.width}d').unpack_from)}({sums})"
    if expr.width > MOST_VARIABLES:
        writer.define(expr, f"list({found})")
        return
    names = [writer.variable() for _ in range(expr.width)]
    writer.line(f"{', '.join(names)} = {found}")
    writer.define_elements(expr, names)


def _filled(writer: Writer, expr: p.Trees, layout: RecordForest) -> str:
    """The source of the bytes of a buffer as :class:`RecordForest` describes it."""
    sums = [0.0] * expr.width if expr.base is None else [float(v) for v in expr.base]
    first = ", ".join(map(writer.constant, [*sums, NAN]))
    if len(sums) > MOST_VARIABLES:
        first = f"*{writer.constant((*sums, NAN))}"
    start = f"{len(sums) + 1}d"
    unpicked = writer.unpicked.get(id(expr.x))
    tested: list[int] = layout.tested.tolist()
    free = struct.calcsize(f"{layout.room}d")
    if unpicked is None:
        elements = _tested(writer, expr, tested, layout.size)
        return f"{writer.constant(struct.Struct(f'{start}{len(tested)}d{free}x').pack)}({first}, {elements})"
    # The slots stay empty.
    start += f"{struct.calcsize(f'{len(tested)}d') + free}x"
    vector = unpicked.vector
    if isinstance(vector, str):
        return f"{writer.constant(struct.pack)}(f'{start}{{len({vector})}}d', {first}, *{vector})"
    return f"{writer.constant(struct.Struct(f'{start}{len(vector)}d').pack)}({first}, {', '.join(vector)})"


def _tested(writer: Writer, expr: p.Trees, tested: list[int], size: int) -> str:
    """The source of the tested elements; the record is unusual if the vector has not all of them."""
    if writer.elements(expr.x) is not None or len(tested) <= MOST_VARIABLES:
        return ", ".join(map(_element(writer, expr, size), tested))
    if (sparse := writer.sparse(expr.x)) is None:
        return f"*{writer.constant(itemgetter(*tested))}({writer.listed(expr.x)})"
    if sparse[1] < size:
        raise ArraysOnlyError("Trees that test an element beyond the vector")
    return f"*[{sparse[0]}.get(i, 0.0) for i in {writer.constant(tuple(tested))}]"
