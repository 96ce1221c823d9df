"""Compiled loops over a batch for forests whose tests compare ranks (numba); numba keeps them in its cache."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.extending import intrinsic

_WORDS = 8
_ROWS = 64 * _WORDS
"""Number of rows whose bits make a mask."""
_MOST_RANKS = 1 << 18
"""Number of ranks, two bytes each, of the rows that walk one deep tree after the other; a tree and they stay in a cache."""
_LEVELS = 4
"""Number of levels that rows are walked before those at a leaf are left out."""

_MASK = ir.VectorType(ir.IntType(64), _WORDS)


def _place(context: Any, builder: Any, array_type: Any, array: Any, row: Any) -> Any:  # pragma: no cover - compiled
    """The address of a row of masks as that of a vector of words."""
    data = context.make_array(array_type)(context, builder, value=array).data
    words = builder.gep(data, [builder.mul(row, ir.Constant(row.type, _WORDS))])
    return builder.bitcast(words, _MASK.as_pointer())


def _split(typing: Any, mask: Any, node: Any, child: Any, tests: Any, test: Any) -> Any:  # pragma: no cover - compiled
    """Set the masks of the right child, and of the left one after it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        mask, node, child, tests, test = arguments
        mask_type, _, _, tests_type, _ = signature.args
        there = builder.load(_place(context, builder, mask_type, mask, node), align=8)
        left = builder.load(_place(context, builder, tests_type, tests, test), align=8)
        right_place = _place(context, builder, mask_type, mask, child)
        left_place = _place(context, builder, mask_type, mask, builder.add(child, ir.Constant(child.type, 1)))
        builder.store(builder.and_(there, builder.not_(left)), right_place, align=8)
        builder.store(builder.and_(there, left), left_place, align=8)
        return context.get_dummy_value()

    return types.void(mask, node, child, tests, test), generate


def _join(typing: Any, target: Any, row: Any, source: Any, other: Any) -> Any:  # pragma: no cover - compiled
    """Set what a row of masks has, or another."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, row, source, other = arguments
        into = _place(context, builder, signature.args[0], target, row)
        added = builder.load(_place(context, builder, signature.args[2], source, other), align=8)
        builder.store(builder.or_(builder.load(into, align=8), added), into, align=8)
        return context.get_dummy_value()

    return types.void(target, row, source, other), generate


_split_mask: Any = intrinsic(_split)
_add_mask: Any = intrinsic(_join)


def _spread() -> Any:
    """For each byte a word whose bytes are the byte's bits, the lowest one first."""
    byte = np.arange(256, dtype=np.uint64)
    return sum((byte >> np.uint64(i) & np.uint64(1)) << np.uint64(8 * i) for i in range(8))


SPREAD = _spread()


@njit(cache=True, nogil=True)
def _find_ranks(  # type: ignore[no-untyped-def]
    x, begin, here, k, feature, count, steps, start, cut, low, scale, bucket, before, value, rank
):  # pragma: no cover - compiled
    """The ranks of a tested element for a block of rows; :class:`~leapstream.layouts.ranks.Ranks` has the arrays."""
    place = np.uint64
    element, least, factor = place(feature[k]), low[k], scale[k]
    cuts, buckets = cut[start[k] :], before[bucket[k] :]
    last = np.float64(bucket[k + 1] - bucket[k] - 1)
    for i in range(here):
        x_i = x[place(begin + i), element]
        value[i] = x_i
        share = (x_i - least) * factor
        share = share if share > 0.0 else 0.0
        rank[i] = buckets[place(np.int64(share if share < last else last))]
    for step in range(steps[k] - 1, -1, -1):
        half = place(1) << place(step)
        for i in range(here):
            at = place(rank[i])
            rank[i] = at + half * place(cuts[at + half - place(1)] < value[i])
    for i in range(here):
        rank[i] = rank[i] if value[i] == value[i] else count[k]


@njit(cache=True, nogil=True)
def sum_sliced(  # type: ignore[no-untyped-def]
    x, feature, count, steps, start, cut, low, scale, bucket, before, inner, inner_start, member, member_start, leaf, leaf_start,
    most_nodes, data, group, spread, out
):  # fmt: skip  # pragma: no cover - compiled
    """Add the leaves' vectors to ``out[row]``, tree by tree; with a ``group`` for each tree, its value in single precision.

    :class:`~leapstream.layouts.ranks.SlicedForest` has the arrays.
    """
    place = np.uint64
    rows, width = out.shape
    tests = np.zeros((count.sum() + len(count) + 1, _WORDS), dtype=np.uint64)
    value, rank = np.zeros(_ROWS), np.zeros(_ROWS, dtype=np.uint32)
    mask = np.zeros((most_nodes, _WORDS), dtype=np.uint64)
    bits = np.zeros((8, _WORDS), dtype=np.uint64)
    number = np.zeros(_ROWS, dtype=np.uint8)
    for begin in range(0, rows, _ROWS):
        here = min(_ROWS, rows - begin)
        # A row's bit is in the mask of its rank first, then in those of all higher ones.
        tests[:] = place(0)
        first = place(0)
        for k in range(len(feature)):
            _find_ranks(x, begin, here, k, feature, count, steps, start, cut, low, scale, bucket, before, value, rank)
            for i in range(here):
                tests[first + place(rank[i]), place(i) >> place(6)] |= place(1) << place(i & 63)
            end = first + place(count[k]) + place(1)
            for t in range(first + place(1), end):
                _add_mask(tests, place(t), tests, place(t) - place(1))
            first = end
        mask[0] = ~place(0)
        for tree in range(len(leaf_start)):
            for n in range(inner_start[tree], inner_start[tree + 1]):
                _split_mask(mask, place(inner[n, 0]), place(inner[n, 1]), tests, place(inner[n, 2]))
            used = 0
            for bit in range(8):
                least, most = member_start[8 * tree + bit], member_start[8 * tree + bit + 1]
                if least == most:
                    break
                bits[bit] = place(0)
                for m in range(least, most):
                    _add_mask(bits, place(bit), mask, place(member[m]))
                used = bit + 1
            leaves = leaf[leaf_start[tree] :]
            for w in range(_WORDS):
                for shift in range(0, 64, 8):
                    row = place(64 * w + shift)
                    if row >= here:
                        break
                    eight = place(0)
                    for bit in range(used):
                        eight |= spread[bits[bit, w] >> place(shift) & place(255)] << place(bit)
                    for j in range(8):
                        number[row + place(j)] = eight >> place(8 * j) & place(255)
            if len(group) > 0:
                k = group[tree]
                for i in range(here):
                    out[begin + i, k] = np.float32(out[begin + i, k] + data[place(leaves[place(number[i])])])
            elif width == 1:
                for i in range(here):
                    out[begin + i, 0] += data[place(leaves[place(number[i])])]
            else:
                for i in range(here):
                    at = leaves[place(number[i])]
                    for k in range(width):
                        out[begin + i, k] += data[at + k]


@njit(cache=True, nogil=True)
def sum_ranked(  # type: ignore[no-untyped-def]
    x, feature, count, steps, start, cut, low, scale, bucket, before, root, depth, node, first, data, group, out
):  # fmt: skip  # pragma: no cover - compiled
    """Add the leaves' vectors to ``out[row]``, tree by tree; with a ``group`` for each tree, its value in single precision.

    :class:`~leapstream.layouts.ranks.RankedForest` and :class:`~leapstream.layouts.forest.Forest` have the arrays.
    """
    place = np.uint64
    rows, width = out.shape
    tested = place(len(feature))
    low32, low16 = place(0xFFFFFFFF), place(0xFFFF)
    block = min(rows, max(_ROWS, _MOST_RANKS // len(feature)))
    ranks = np.zeros(block * len(feature), dtype=np.uint16)
    value, found = np.zeros(block), np.zeros(block, dtype=np.uint32)
    nodes = np.zeros(block, dtype=np.uint32)
    going, at = np.zeros(block, dtype=np.uint32), np.zeros(block, dtype=np.uint32)
    for begin in range(0, rows, block):
        here = min(block, rows - begin)
        for k in range(len(feature)):
            _find_ranks(x, begin, here, k, feature, count, steps, start, cut, low, scale, bucket, before, value, found)
            for i in range(here):
                ranks[place(i) * tested + place(k)] = found[i]
        for tree in range(len(root)):
            for i in range(here):
                going[i], at[i] = i, root[tree]
            left, active = depth[tree], here
            while left > 0 and active > 0:
                for _ in range(min(left, _LEVELS)):
                    for j in range(active):
                        test = node[place(at[j])]
                        rank = place(ranks[place(going[j]) * tested + (test >> place(48))])
                        at[j] = (test & low32) + place(rank < (test >> place(32) & low16))
                left -= _LEVELS
                kept = place(0)
                for j in range(active):
                    row, reached = place(going[j]), place(at[j])
                    nodes[row] = reached
                    going[kept], at[kept] = row, reached
                    kept += place(reached != (node[reached] & low32))
                active = np.int64(kept)
            if depth[tree] == 0:
                nodes[:here] = root[tree]
            if len(group) > 0:
                k = group[tree]
                for i in range(here):
                    out[begin + i, k] = np.float32(out[begin + i, k] + data[place(first[place(nodes[i])])])
            elif width == 1:
                for i in range(here):
                    out[begin + i, 0] += data[place(first[place(nodes[i])])]
            else:
                for i in range(here):
                    start_of_leaf = first[place(nodes[i])]
                    for k in range(width):
                        out[begin + i, k] += data[start_of_leaf + k]
