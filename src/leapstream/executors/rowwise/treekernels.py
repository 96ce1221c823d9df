"""The compiled kernel for the trees of one record (numba); compiled once per machine and kept in numba's cache.

It takes addresses and a buffer of bytes, because numba takes several times as long to accept an array as the kernel runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.numpy_support import carray

from leapstream.executors.bits import lowest_bit
from leapstream.executors.rowwise.forests import CAREFUL

_HEADER = 22
_HEADER_OF_TABLES = 13
_LEVELS = 4
"""Number of levels that trees are walked before the kernel looks for trees that go on."""


def _address(typing: Any, number: Any) -> Any:  # pragma: no cover - compiled
    """A number as a pointer."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(number), generate


def _memory(typing: Any, buffer: Any) -> Any:  # pragma: no cover - compiled
    """The address of a buffer's bytes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, value=arguments[0])
        return builder.bitcast(array.data, cgutils.voidptr_t)

    return types.voidptr(buffer), generate


_pointer: Any = intrinsic(_address)
_bytes_of: Any = intrinsic(_memory)


@njit
def _step(slot, threshold, link, node):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """The next node; indexes are unsigned, as no negative ones are then looked for."""
    place = np.uint64
    at = node * place(4)
    return place(link[at + place(3)]) + place(slot[place(link[at + place(2)])] <= threshold[node + node])


@njit
def _goes_on(link, node):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    return np.uint64(link[node * np.uint64(4) + np.uint64(3)]) ^ node


@njit
def _leaf(node, slot, threshold, link, set_start, set_end, set_left, data):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """The leaf of a tree that may have categorical splits."""
    while _goes_on(link, node):
        feature = link[node * np.uint64(4) + np.uint64(2)]
        if feature >= 0:
            node = _step(slot, threshold, link, node)
            continue
        which = np.int64(threshold[node + node])
        value = slot[-feature]
        found = False
        for i in range(set_start[which], set_end[which]):
            found |= data[i] == value
        left = found == (set_left[which] == 1)
        node = np.uint64(link[node * np.uint64(4) + np.uint64(3)]) + np.uint64(left)
    return node


@njit
def _pick(slot, vector, picks, missing, whole):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Fill the slots with elements of a vector in single precision."""
    for i in range(len(vector)):
        if np.isinf(np.float32(vector[i])):
            raise ValueError("an element is infinite in single precision")
    for k in range(len(picks)):
        value = np.float64(np.float32(vector[picks[k]])) if picks[k] < len(vector) else np.float64(np.nan)
        if value != value:
            value = missing[k]
        elif whole[k]:
            value = np.floor(value)
        slot[1 + k] = value


@njit
def _row(slot, header, trees, k):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """The index of the first mask of an element's rank."""
    place = np.uint64
    elements, buckets, cuts = header[0], header[1], header[2]
    # The first element again, where there are no more, makes no difference.
    k = place(k if k < elements else 0)
    value = slot[place(carray(_pointer(header[3]), elements, np.int32)[k])]
    lowest = place(carray(_pointer(header[4]), elements, np.int32)[k])
    count = place(carray(_pointer(header[5]), elements, np.int32)[k])
    compared = place(carray(_pointer(header[6]), elements, np.int32)[k])
    low = carray(_pointer(header[7]), elements, np.float64)[k]
    scale = carray(_pointer(header[8]), elements, np.float64)[k]
    before = carray(_pointer(header[9]), elements * buckets, np.int32)
    cut = carray(_pointer(header[10]), elements * cuts, np.float64)
    share, last = (value - low) * scale, np.float64(buckets - 2)
    # NaN takes the first bucket too.
    share = share if share > -1.0 else -1.0
    rank = place(before[k * place(buckets) + place(1 + np.int64(share if share < last else last))])
    first = k * place(cuts) + rank
    for i in range(compared):
        rank += place(cut[first + i] < value)
    return (lowest + (rank if value == value else count)) * place(trees)


@njit
def _reach(slot, address, trees, reached):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """For each tree the node that the tables lead to; :class:`~leapstream.executors.rowwise.forests.RecordTables` has these."""
    place = np.uint64
    header = carray(_pointer(address), _HEADER_OF_TABLES, np.int64)
    mask = carray(_pointer(header[11]), trees, np.int32)
    node = carray(_pointer(header[12]), trees * 32, np.int32)
    for k in range(0, header[0], 3):
        a, b, c = _row(slot, header, trees, k), _row(slot, header, trees, k + 1), _row(slot, header, trees, k + 2)
        for t in range(place(trees)):
            possible = mask[a + t] & mask[b + t] & mask[c + t]
            reached[t] = possible if k == 0 else reached[t] & possible
    for t in range(place(trees)):
        reached[t] = node[t * place(32) + place(lowest_bit(reached[t]))]


@njit
def _plus(total, value, single):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    return np.float64(np.float32(total + value)) if single else total + value


@njit
def _add(sums, tree, node, threshold, group, data, single):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Add a leaf to one of several sums, or its vector to all of them."""
    value = threshold[node + node]
    if len(group):
        k = group[tree]
        sums[k] = _plus(sums[k], value, single)
    else:
        start = np.int64(value)
        for k in range(len(sums)):
            sums[k] += data[start + k]


@njit(types.float64(types.int64, types.ByteArray(types.uint8, 1, "C")), cache=True)
def _sum_leaves(address, buffer):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    place = np.uint64
    header = carray(_pointer(address), _HEADER, np.int64)
    trees, nodes, width, single, exact, tested, picked, grouped, sets, values, tables = header[:11]
    root = carray(_pointer(header[11]), trees, np.int32)
    steps = carray(_pointer(header[12]), trees // 8, np.int32)
    threshold = carray(_pointer(header[13]), 2 * nodes, np.float64)
    link = carray(_pointer(header[13]), 4 * nodes, np.int32)
    group = carray(_pointer(header[14]), grouped, np.int32)
    set_start = carray(_pointer(header[15]), sets, np.int32)
    set_end = carray(_pointer(header[16]), sets, np.int32)
    set_left = carray(_pointer(header[17]), sets, np.int32)
    data = carray(_pointer(header[18]), values, np.float64)
    doubles = carray(_bytes_of(buffer), len(buffer) // 8, np.float64)
    free = width + 1 + tested
    sums, slot = doubles[:width], doubles[width:free]
    if picked:
        picks = carray(_pointer(header[19]), picked, np.int64)
        missing = carray(_pointer(header[20]), picked, np.float64)
        whole = carray(_pointer(header[21]), picked, np.bool_)
        _pick(slot, doubles[free + (trees // 2 if tables else 0) :], picks, missing, whole)
    if tables:
        root = carray(_bytes_of(buffer), len(buffer) // 4, np.int32)[2 * free :]
        _reach(slot, tables, trees, root)
    total = sums[0]
    for eight in range(trees // 8):
        t = eight * 8
        a, b, c, d = place(root[t]), place(root[t + 1]), place(root[t + 2]), place(root[t + 3])
        e, f, g, h = place(root[t + 4]), place(root[t + 5]), place(root[t + 6]), place(root[t + 7])
        left = steps[eight]
        while left > 0:
            for _ in range(min(left, _LEVELS)):
                a, b = _step(slot, threshold, link, a), _step(slot, threshold, link, b)
                c, d = _step(slot, threshold, link, c), _step(slot, threshold, link, d)
                e, f = _step(slot, threshold, link, e), _step(slot, threshold, link, f)
                g, h = _step(slot, threshold, link, g), _step(slot, threshold, link, h)
            left -= _LEVELS
            if left > 0 and not (
                (_goes_on(link, a) | _goes_on(link, b) | _goes_on(link, c) | _goes_on(link, d))
                | (_goes_on(link, e) | _goes_on(link, f) | _goes_on(link, g) | _goes_on(link, h))
            ):
                break
        # Sums of one kind each: a rounding in between would take longer than the addition, even if its result is not used.
        if width == 1 and left != CAREFUL and not single:
            total = total + threshold[a + a] + threshold[b + b] + threshold[c + c] + threshold[d + d]
            total = total + threshold[e + e] + threshold[f + f] + threshold[g + g] + threshold[h + h]
            continue
        if width == 1 and left != CAREFUL and exact:
            rounded = np.float32(total)
            for node in (a, b, c, d, e, f, g, h):
                rounded += np.float32(threshold[node + node])
            total = np.float64(rounded)
            continue
        tree = t
        for node in (a, b, c, d, e, f, g, h):
            if left == CAREFUL:
                node = _leaf(node, slot, threshold, link, set_start, set_end, set_left, data)
            if width == 1:
                total = _plus(total, threshold[node + node], single)
            else:
                _add(sums, tree, node, threshold, group, data, single)
            tree += 1
    return total if width == 1 else sums[0]


_compiled: Any = _sum_leaves.overloads[_sum_leaves.signatures[0]]
sum_leaves: Callable[[int, bytes | bytearray], float] = _compiled.entry_point
"""Add the leaves of a forest to the sums in a buffer, and return the first sum.

:class:`~leapstream.executors.rowwise.forests.RecordForest` says which address, and which buffer. This is the entry point of the
compiled function: numba's look at the types of the arguments would take longer than a small forest does.
"""
