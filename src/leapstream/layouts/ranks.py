"""Layouts of forests whose tests compare small integers, the ranks of a row's elements, for batches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leapstream.layouts.forest import Forest, Ints, ints, levels_of
from leapstream.layouts.leaftables import leaf_numbers

MOST_SLICED_LEAVES = 256
"""The number of a leaf has eight bits."""
_MOST_CUTS_TO_SLICE = 1 << 18
_MOST_RANKS = 1 << 16
"""A rank, and the number of a tested element, have 16 bits in a node."""
_MOST_BUCKETS = 1 << 13


@dataclass(frozen=True, eq=False)
class Ranks:
    """The distinct thresholds of each tested element of a forest, its *cuts*.

    ``rank(x)`` of an element is the number of its cuts below ``x``; for NaN it is the number of all cuts. So ``x`` is at most cut
    ``k`` if ``rank(x) < k + 1``. To find a rank, ``x`` falls into one of many buckets of equal width; the number of cuts in lower
    buckets is stored, and the few cuts in the bucket of ``x`` are searched by bisection. Rounding keeps the order of numbers, so
    that no cut is missed.

    Attributes:
        feature: int32, the indexes of the tested elements, ascending.
        count: int32 per tested element, its number of cuts.
        steps: int32 per element, the number of steps of the bisection.
        start: int32 per element: where its cuts begin in ``cut``.
        cut: float64, the cuts of each element, ascending, and as many infinities as the bisection may read beyond them.
        low, scale: float64 per element: ``x`` is in the bucket ``int((x - low) * scale)``, or in the first or last one if that
            is out of range.
        bucket: int32 per element, and one more: where its buckets begin in ``before``.
        before: int32 per bucket of each element: the number of the element's cuts in lower buckets.
    """

    feature: Ints
    count: Ints
    steps: Ints
    start: Ints
    cut: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]
    bucket: Ints
    before: Ints


@dataclass(frozen=True, eq=False)
class RankedForest:
    """A forest of any depth as one array of nodes of 64 bits.

    Attributes:
        ranks: the cuts of the elements.
        node: uint64 per node of :class:`~leapstream.layouts.forest.Forest`: its ``child`` in 32 bits, a number of 16 bits, and in
            16 bits the place of the tested element in ``ranks``. A row goes left if the element's rank is below the number.
    """

    ranks: Ranks
    node: npt.NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class SlicedForest:
    """A forest of trees with few leaves, for many rows at once, which have a bit each in words (after RapidScorer).

    A *mask* has a bit for each row that reaches a node. The mask of a left child is what the node's mask and the result of its
    test have in common. A row's leaf is a number of eight bits; the rows whose number has a bit set are those of some masks.

    Attributes:
        ranks: the cuts of the elements.
        inner: int32 (splits, 3), tree by tree, parents before children: the node and its right child, which precedes the left
            one, as numbers within the tree, and the test. An element has a test for each of its ranks: ``rank(x)`` is at most
            this one. The test after all others is never true.
        inner_start: int32 per tree, and one more: where its splits begin.
        member: int32, the nodes whose masks make a bit, tree by tree, bit by bit.
        member_start: int32 per bit of each tree, eight a tree, and one more.
        leaf: int32 per leaf, tree by tree, by number: the index of its first value in ``data``.
        leaf_start: int32 per tree: where its leaves begin.
        most_nodes: the greatest number of nodes of a tree.
    """

    ranks: Ranks
    inner: Ints
    inner_start: Ints
    member: Ints
    member_start: Ints
    leaf: Ints
    leaf_start: Ints
    most_nodes: int


def make_ranked(forest: Forest) -> SlicedForest | RankedForest | None:
    """The layout for batches of many rows; ``None`` if the forest has categorical splits, no splits, or too many cuts."""
    child = forest.child
    leaf = child == np.arange(len(child))
    if len(forest.order) < len(forest.root) or leaf.all():
        return None
    inner = np.flatnonzero(~leaf)
    place, number, cuts = _find_cuts(forest, inner)
    tree = np.repeat(np.arange(len(forest.root)), np.diff([*forest.root, len(child)]))
    counts = np.array([len(cut) for cut in cuts])
    if np.bincount(tree[leaf]).max() <= MOST_SLICED_LEAVES and counts.sum() <= _MOST_CUTS_TO_SLICE:
        starts = np.cumsum([0, *(counts + 1)])
        test = np.where(number < counts[place], starts[place] + number, starts[-1])
        return _slice(forest, _make_ranks(forest, inner, cuts), leaf, inner, tree, test)
    if max(len(cuts), counts.max()) >= _MOST_RANKS:
        return None
    node = child.astype(np.uint64)
    below = np.where(number < counts[place], number + 1, 0)
    node[inner] |= (below.astype(np.uint64) << np.uint64(32)) | (place.astype(np.uint64) << np.uint64(48))
    return RankedForest(_make_ranks(forest, inner, cuts), node)


def _find_cuts(
    forest: Forest, inner: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], list[npt.NDArray[np.float64]]]:
    """For each split the place of its element, and the number of its cut, which is that of all cuts if it has none; the cuts."""
    threshold = forest.threshold[inner]
    feature, place = np.unique(forest.feature[inner], return_inverse=True)
    order = np.lexsort((threshold, place))
    number = np.empty(len(order), dtype=np.intp)
    cuts = []
    for nodes in np.split(order, np.searchsorted(place[order], np.arange(1, len(feature)))):
        given = threshold[nodes]
        known = given[: len(given) - np.isnan(given).sum()]
        new = np.concatenate([known[:1] == known[:1], known[1:] != known[:-1]])
        cuts.append(known[new])
        number[nodes] = len(cuts[-1])
        number[nodes[: len(known)]] = np.cumsum(new) - 1
    return place, number, cuts


def _make_ranks(forest: Forest, inner: npt.NDArray[np.intp], cuts: list[npt.NDArray[np.float64]]) -> Ranks:
    low, scale = np.zeros(len(cuts)), np.zeros(len(cuts))
    befores, padded, steps = [], [], []
    for k, cut in enumerate(cuts):
        buckets = min(_MOST_BUCKETS, 1 << (8 * len(cut)).bit_length())
        with np.errstate(all="ignore"):
            width = cut[-1] - cut[0] if len(cut) else np.inf
            factor = (buckets - 1) / width
            if np.isfinite(width) and np.isfinite(factor):
                low[k], scale[k] = cut[0], factor
            share = (cut - low[k]) * scale[k]
        bucket = np.where(share > 0.0, np.minimum(share, buckets - 1), 0.0).astype(np.intp)
        befores.append(np.searchsorted(bucket, np.arange(buckets)))
        steps.append(int(np.bincount(bucket, minlength=1).max()).bit_length())
        padded.append(np.concatenate([cut, np.full((1 << steps[k]) - 1, np.inf)]))
    return Ranks(
        feature=ints(np.unique(forest.feature[inner])),
        count=ints([len(cut) for cut in cuts]),
        steps=ints(steps),
        start=ints(np.cumsum([0, *map(len, padded)])[:-1]),
        cut=np.concatenate(padded),
        low=low,
        scale=scale,
        bucket=ints(np.cumsum([0, *map(len, befores)])),
        before=ints(np.concatenate(befores)),
    )


def _slice(
    forest: Forest,
    ranks: Ranks,
    leaf: npt.NDArray[np.bool_],
    inner: npt.NDArray[np.intp],
    tree: npt.NDArray[np.intp],
    test: npt.NDArray[np.intp],
) -> SlicedForest:
    child, trees = forest.child, len(forest.root)
    levels = levels_of(forest, leaf)
    count, first = leaf_numbers(forest, leaf, levels)
    last = first + count - 1
    parent = np.full(len(child), -1)
    for level in levels:
        parent[child[level]] = parent[child[level] + 1] = level
    members = []
    for bit in range(8):
        # The numbers of the leaves below a node have the bit set, all of them.
        whole = (first >> bit == last >> bit) & (first >> bit & 1 == 1)
        members.append(np.flatnonzero(whole & ~((parent >= 0) & whole[parent])))
    key = np.concatenate([tree[nodes] * 8 + bit for bit, nodes in enumerate(members)])
    member = np.concatenate(members)[np.argsort(key, kind="stable")]
    leaves = np.flatnonzero(leaf)
    leaves = leaves[np.lexsort((first[leaves], tree[leaves]))]
    local = np.arange(len(child)) - forest.root[tree]
    return SlicedForest(
        ranks=ranks,
        inner=ints(np.stack([local[inner], local[child[inner]], test], axis=1)),
        inner_start=ints(np.searchsorted(tree[inner], np.arange(trees + 1))),
        member=ints(local[member]),
        member_start=ints(np.searchsorted(np.sort(key), np.arange(8 * trees + 1))),
        leaf=ints(forest.first[leaves]),
        leaf_start=ints(np.searchsorted(tree[leaves], np.arange(trees))),
        most_nodes=int(np.bincount(tree).max()),
    )
