"""Compiled loops over a batch (numba); compiled once per machine and kept in numba's cache."""

from __future__ import annotations

import numpy as np
from numba import njit

from leapstream.executors.bits import lowest_bit

_BLOCK = 128
"""Number of rows that traverse a tree together; the processor overlaps their steps, which do not depend on each other."""
_TOGETHER = 8
"""Number of levels that they traverse together; after that, many rows have reached a leaf."""


@njit(cache=True, nogil=True)
def add_products(x, weights, total):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Add the products of each row with the weights to its total, from left to right; four rows do not wait for each other."""
    rows = x.shape[0]
    for i in range(0, rows - 3, 4):
        a, b, c, d = total[i], total[i + 1], total[i + 2], total[i + 3]
        for j in range(x.shape[1]):
            weight = weights[j]
            a += x[i, j] * weight
            b += x[i + 1, j] * weight
            c += x[i + 2, j] * weight
            d += x[i + 3, j] * weight
        total[i], total[i + 1], total[i + 2], total[i + 3] = a, b, c, d
    for i in range(rows - rows % 4, rows):
        for j in range(x.shape[1]):
            total[i] += x[i, j] * weights[j]


@njit(cache=True, nogil=True)
def add_rows(terms, total):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Add the elements of each row to its total, from left to right."""
    add_products(terms, np.ones(terms.shape[1]), total)


@njit(cache=True, nogil=True)
def few_products(x, matrix, out):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """``out`` (rows, outputs) = the products of each row with the rows of a matrix (outputs, elements), from left to right."""
    for start in range(0, x.shape[0], _BLOCK):
        block = x[start : start + _BLOCK]
        for k in range(matrix.shape[0]):
            total = np.zeros(block.shape[0])
            add_products(block, matrix[k], total)
            out[start : start + _BLOCK, k] = total


@njit(cache=True, nogil=True)
def many_products(x, matrix, out):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Add to ``out`` (rows, outputs) the products of each row with a matrix (elements, outputs), from left to right."""
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            for k in range(out.shape[1]):
                out[i, k] += x[i, j] * matrix[j, k]


@njit(cache=True, nogil=True)
def _find_ranks(  # type: ignore[no-untyped-def]
    x, begin, here, feature, count, levels, cut, compared, low, scale, before, rank
):  # pragma: no cover - compiled
    """The column of masks for each row and tested element; :class:`~leapstream.layouts.leaftables.LeafTables` has the arrays."""
    place = np.uintp
    lowest = place(0)
    last = np.float64(before.shape[1] - 2)
    for k in range(feature.shape[0]):
        found, element, most = rank[k], place(feature[k]), place(count[k])
        if k >= cut.shape[0]:
            for i in range(here):
                value = x[begin + i, element]
                known = value >= 0.0 and value < count[k] and value == np.floor(value)
                found[i] = lowest + (place(value) if known else most)
        elif compared[k] >= 0:
            cuts, bucket = cut[k], before[k]
            for i in range(here):
                share = (x[begin + i, element] - low[k]) * scale[k]
                # NaN takes the first bucket too.
                share = share if share > -1.0 else -1.0
                found[i] = bucket[place(1 + np.int64(share if share < last else last))]
            for _ in range(compared[k]):
                for i in range(here):
                    at = place(found[i])
                    found[i] = at + place(not x[begin + i, element] <= cuts[at])
            for i in range(here):
                known = x[begin + i, element] == x[begin + i, element]
                found[i] = lowest + (place(found[i]) if known else most)
        else:
            cuts = cut[k]
            for i in range(here):
                found[i] = 0
            for level in range(levels - 1, -1, -1):
                half = place(1) << place(level)
                for i in range(here):
                    at = place(found[i])
                    found[i] = at + half * place(not x[begin + i, element] <= cuts[at + half - place(1)])
            for i in range(here):
                # Above all cuts there is only infinity, which NaN is not at most either.
                found[i] = lowest + min(place(found[i]), most)
        lowest += most + place(1)
    for k in range(feature.shape[0], rank.shape[0]):
        for i in range(here):
            rank[k, i] = rank[0, i]


@njit(cache=True, nogil=True)
def sum_table_values(  # type: ignore[no-untyped-def]
    x, feature, count, levels, cut, compared, low, scale, before, mask, values, out
):  # pragma: no cover - compiled
    """Add to ``out[row]`` a value per tree, by tables that hold the trees whole; ``values`` has those of each tree's leaves."""
    # By three; the first one again makes no difference.
    rank = np.empty(((feature.shape[0] + 2) // 3 * 3, _BLOCK), dtype=np.uint32)
    possible = np.empty(_BLOCK, dtype=np.uint32)
    for begin in range(0, x.shape[0], _BLOCK):
        here = min(_BLOCK, x.shape[0] - begin)
        _find_ranks(x, begin, here, feature, count, levels, cut, compared, low, scale, before, rank)
        total = out[begin : begin + here]
        for tree in range(mask.shape[0]):
            masks, value = mask[tree], values[tree]
            a, b, c = rank[0], rank[1], rank[2]
            if rank.shape[0] == 3:
                for i in range(here):
                    total[i] += value[lowest_bit(masks[a[i]] & masks[b[i]] & masks[c[i]])]
            else:
                _narrow(masks, rank, here, possible)
                for i in range(here):
                    total[i] += value[lowest_bit(possible[i])]


@njit(cache=True, nogil=True)
def _narrow(masks, rank, here, possible):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """The mask of the leaves of a tree that are possible, for each row of a block."""
    a, b, c = rank[0], rank[1], rank[2]
    for i in range(here):
        possible[i] = masks[a[i]] & masks[b[i]] & masks[c[i]]
    for k in range(3, rank.shape[0], 3):
        a, b, c = rank[k], rank[k + 1], rank[k + 2]
        for i in range(here):
            possible[i] &= masks[a[i]] & masks[b[i]] & masks[c[i]]


@njit(cache=True, nogil=True)
def sum_leaves(  # type: ignore[no-untyped-def]
    x, careful, root, depth, feature, threshold, child, first, set_start, set_end, set_left, data, group,
    tested, count, levels, cut, compared, low, scale, before, mask, reached, top, out, failed
):  # fmt: skip  # pragma: no cover - compiled
    """Add the leaves' vectors to ``out[row]``, tree by tree.

    Where trees have a ``group`` each, only the first value, to the group's element, in single precision. ``careful`` says which
    trees have splits by categories, or tests of elements that ``x`` lacks. :class:`~leapstream.layouts.forest.Forest` has the
    other arrays, and :class:`~leapstream.layouts.leaftables.LeafTables` those after ``group``: where ``mask`` has rows, they lead
    through the first ``top`` levels. Unsigned indexes are faster: no negative one is looked for.
    """
    place = np.uintp
    rows, width = out.shape
    nodes = np.empty(_BLOCK, dtype=np.uintp)
    possible = np.empty(_BLOCK, dtype=np.uint32)
    rank = np.empty(((tested.shape[0] + 2) // 3 * 3, _BLOCK), dtype=np.uint32)
    tables = mask.shape[0] > 0
    for start in range(0, rows, _BLOCK):
        here = min(_BLOCK, rows - start)
        if tables:
            _find_ranks(x, start, here, tested, count, levels, cut, compared, low, scale, before, rank)
        for tree in range(root.shape[0]):
            left = depth[tree]
            if tables:
                _narrow(mask[tree], rank, here, possible)
                for i in range(here):
                    nodes[i] = reached[tree, lowest_bit(possible[i])]
                left -= top
            else:
                for i in range(here):
                    nodes[i] = root[tree]
            if careful[tree]:
                for i in range(here):
                    nodes[i] = _careful_leaf(
                        x[start + i], nodes[i], feature, threshold, child, first, set_start, set_end, set_left, data
                    )
                    failed[start + i] |= child[nodes[i]] != nodes[i]
            else:
                for _ in range(min(left, _TOGETHER)):
                    for i in range(here):
                        node = nodes[i]
                        nodes[i] = place(child[node]) + place(x[start + i, place(feature[node])] <= threshold[node])
                if left > _TOGETHER:
                    for i in range(here):
                        node = nodes[i]
                        while place(child[node]) != node:
                            node = place(child[node]) + place(x[start + i, place(feature[node])] <= threshold[node])
                        nodes[i] = node
            if len(group) > 0:
                for i in range(here):
                    k = group[tree]
                    out[start + i, k] = np.float32(out[start + i, k] + data[first[nodes[i]]])
            elif width == 1 and not careful[tree]:
                for i in range(here):
                    out[start + i, 0] += data[place(first[nodes[i]])]
            else:
                for i in range(here):
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
