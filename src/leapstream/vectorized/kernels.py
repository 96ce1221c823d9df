"""Compiled loops over a batch (numba); compiled once per machine and kept in numba's cache."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from leapstream.plan.forest import DE_BRUIJN, Forest
from leapstream.plan.primitives import Trees

_BLOCK = 128
"""Rows that go down a tree together; the processor works on several at once, since they do not wait for each other."""
_TOGETHER = 8
"""For so many levels they do; then those that are at a leaf have become many."""


@njit(cache=True, nogil=True)
def sum_leaves(  # type: ignore[no-untyped-def]
    x, careful, root, depth, feature, threshold, child, first, set_start, set_end, set_left, data, group, out, failed
):  # pragma: no cover - compiled
    """Add the leaves' vectors to ``out[row]``, tree by tree.

    Where trees have a ``group`` each, only the first value, to the group's element, in single precision. ``careful`` says which
    trees have splits by categories, or tests of elements that ``x`` lacks. See :class:`~leapstream.plan.forest.Forest` for the
    other arrays. Unsigned indexes are faster: no negative one is looked for.
    """
    place = np.uintp
    rows, width = out.shape
    nodes = np.empty(_BLOCK, dtype=np.uintp)
    for start in range(0, rows, _BLOCK):
        count = min(_BLOCK, rows - start)
        for tree in range(root.shape[0]):
            for i in range(count):
                nodes[i] = root[tree]
            if careful[tree]:
                for i in range(count):
                    nodes[i] = _careful_leaf(
                        x[start + i], nodes[i], feature, threshold, child, first, set_start, set_end, set_left, data
                    )
                    failed[start + i] |= child[nodes[i]] != nodes[i]
            else:
                for _ in range(min(depth[tree], _TOGETHER)):
                    for i in range(count):
                        node = nodes[i]
                        nodes[i] = place(child[node]) + place(x[start + i, place(feature[node])] <= threshold[node])
                if depth[tree] > _TOGETHER:
                    for i in range(count):
                        node = nodes[i]
                        while place(child[node]) != node:
                            node = place(child[node]) + place(x[start + i, place(feature[node])] <= threshold[node])
                        nodes[i] = node
            if len(group) > 0:
                for i in range(count):
                    k = group[tree]
                    out[start + i, k] = np.float32(out[start + i, k] + data[first[nodes[i]]])
            elif width == 1 and not careful[tree]:
                for i in range(count):
                    out[start + i, 0] += data[place(first[nodes[i]])]
            else:
                for i in range(count):
                    if not failed[start + i]:
                        at = first[nodes[i]]
                        for k in range(width):
                            out[start + i, k] += data[at + k]


@njit(cache=True, nogil=True)
def _careful_leaf(  # type: ignore[no-untyped-def]
    x, node, feature, threshold, child, first, set_start, set_end, set_left, data
):  # pragma: no cover - compiled
    """The leaf that a row reaches, or the node whose test reads beyond the row."""
    while child[node] != node:
        f = feature[node]
        element = -1 - f if f < 0 else f
        if element >= x.shape[0]:
            break
        left = x[element] <= threshold[node]
        if f < 0:
            found = False
            for i in range(set_start[first[node]], set_end[first[node]]):
                found |= data[i] == x[element]
            left = found == (set_left[first[node]] == 1)
        node = np.uintp(child[node]) + np.uintp(left)
    return node


@njit(cache=True, nogil=True)
def sum_ranked_leaves(  # type: ignore[no-untyped-def]
    x, feature, count, levels, cut, mask, first, data, group, out
):  # pragma: no cover - compiled
    """The same by tables; see :class:`~leapstream.plan.forest.Ranks` for the arrays."""
    place = np.uintp
    rows, width = out.shape
    trees, elements = first.shape[0], feature.shape[0]
    ranks = np.empty((elements, _BLOCK), dtype=np.uintp)
    value = np.empty(_BLOCK)
    possible = np.empty(trees, dtype=np.uint32)
    for begin in range(0, rows, _BLOCK):
        here = min(_BLOCK, rows - begin)
        lowest = place(0)
        for k in range(elements):
            rank, most = ranks[k], place(count[k])
            for i in range(here):
                rank[i] = 0
                value[i] = x[begin + i, place(feature[k])]
            if k >= cut.shape[0]:
                for i in range(here):
                    known = value[i] >= 0.0 and value[i] < count[k] and value[i] == np.floor(value[i])
                    rank[i] = lowest + (place(value[i]) if known else most)
                lowest += most + place(1)
                continue
            cuts = cut[k]
            for level in range(levels - 1, -1, -1):
                half = place(1) << place(level)
                for i in range(here):
                    rank[i] += half * place(not value[i] <= cuts[rank[i] + half - place(1)])
            for i in range(here):
                # Above all cuts there is only infinity, which NaN is not at most either.
                rank[i] = lowest + min(rank[i], most)
            lowest += most + place(1)
        for i in range(here):
            row = begin + i
            for t in range(trees):
                possible[t] = mask[ranks[0, i], t]
            for k in range(1, elements):
                for t in range(trees):
                    possible[t] &= mask[ranks[k, i], t]
            if len(group) > 0:
                for t in range(trees):
                    k = group[t]
                    out[row, k] = np.float32(out[row, k] + data[_first(first, t, possible[t])])
            elif width == 1:
                total = 0.0
                for t in range(trees):
                    total += data[_first(first, t, possible[t])]
                out[row, 0] = total
            else:
                for t in range(trees):
                    at = _first(first, t, possible[t])
                    for k in range(width):
                        out[row, k] += data[at + k]


@njit(cache=True, nogil=True, inline="always")
def _first(first, tree, mask):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Where the values of the leaf start whose bit is in a mask."""
    return first[tree, np.uintp(np.uint32(mask * np.uint32(DE_BRUIJN)) >> np.uint32(27))]


def run_forest(
    expr: Trees, forest: Forest, x: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """The result of an ensemble over rows ``x`` (rows, features), and where it fails."""
    x = np.ascontiguousarray(x, dtype=np.float64)
    failed = np.zeros(len(x), dtype=bool)
    group = np.array(expr.groups, dtype=np.int32)
    out = np.zeros((len(x), expr.width))
    if expr.base is not None:
        out[:] = expr.base
    ranks = forest.ranks
    # Rows go down a deep tree in blocks, which is as fast as the table of its top.
    if ranks is not None and not ranks.below and x.shape[1] >= forest.size:
        sum_ranked_leaves(
            x, ranks.feature, ranks.count, ranks.levels, ranks.cut, ranks.mask, ranks.reached, forest.data, group, out
        )
    else:
        careful = np.ones(len(forest.root), dtype=bool)
        if x.shape[1] >= forest.size:
            careful[forest.order] = False
        arrays = (forest.root, forest.depth, forest.feature, forest.threshold, forest.child, forest.first)
        sets = (forest.set_start, forest.set_end, forest.set_left)
        sum_leaves(x, careful, *arrays, *sets, forest.data, group, out, failed)
    if expr.combine in ("leaf", "votes", "groups"):
        return out, failed
    total = out[:, 0]
    return (total / len(expr.trees) if expr.combine == "mean" else total), failed
