"""Compiled loops over a batch (numba); compiled once per machine and kept in numba's cache."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from leapstream.plan.forest import Forest
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


def run_forest(
    expr: Trees, forest: Forest, x: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """The result of an ensemble over rows ``x`` (rows, features), and where it fails."""
    x = np.ascontiguousarray(x, dtype=np.float64)
    failed = np.zeros(len(x), dtype=bool)
    careful = np.ones(len(forest.root), dtype=bool)
    if x.shape[1] >= forest.size:
        careful[forest.order] = False
    arrays = (forest.root, forest.depth, forest.feature, forest.threshold, forest.child, forest.first)
    sets = (forest.set_start, forest.set_end, forest.set_left)
    out = np.zeros((len(x), expr.width))
    if expr.base is not None:
        out[:] = expr.base
    sum_leaves(x, careful, *arrays, *sets, forest.data, np.array(expr.groups, dtype=np.int32), out, failed)
    if expr.combine in ("leaf", "votes", "groups"):
        return out, failed
    total = out[:, 0]
    return (total / len(expr.trees) if expr.combine == "mean" else total), failed
