"""Lookup tables for the trees of a forest, in place of its nodes where tables are faster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leapstream.layouts.forest import Forest, Ints, ints, levels_of


@dataclass(frozen=True, eq=False)
class LeafTables:
    """Tables for trees that test few elements: for each element of a row, the leaves that it leaves possible (after QuickScorer).

    ``rank(x)`` of an element is the number of its distinct thresholds (*cuts*) below ``x``; NaN has the highest rank. In
    categorical tests ``rank(x)`` is ``x`` itself, and a value that is not a category 0, 1, … has the highest rank. For each
    tree and each rank of an element, a mask has a bit for each leaf that the tree can still reach. The masks of all elements
    have exactly one bit in common; its number is that of the leaf.

    The rank is found by a division: ``x`` falls into one of many buckets of equal width; the number of cuts in lower buckets is
    stored, and only the few cuts in the bucket of ``x`` are compared. Rounding keeps the order of numbers, so that no cut is
    missed. If a bucket would have many cuts, the rank is found by bisection instead.

    For deeper trees, the tables hold only the top levels. The leaves of the tables are then nodes, from which the rest is
    traversed.

    Attributes:
        feature: int32, the indexes of the tested elements; those with cuts precede those with categories.
        count: int32 per tested element, its number of cuts or categories; it has one rank more.
        levels: the number of bisection steps that find a rank.
        cut: float64 (elements with cuts, 2**levels), the cuts of each element, ascending, padded with infinity.
        compared: int32 per element with cuts, the greatest number of cuts in a bucket; -1 if ranks are found by bisection.
        low, scale: float64 per element with cuts: a finite ``x`` is in the bucket ``1 + int((x - low) * scale)``, or in the
            first or last bucket if that is out of range.
        before: int32 (elements with cuts, buckets), the number of cuts in lower buckets.
        mask: uint32 (trees, ranks of all elements), a bit per leaf.
        below: the number of levels below the tables; 0 if they hold whole trees.
        reached: int32 (trees, 32), the index of the node for each leaf of the tables.
    """

    feature: Ints
    count: Ints
    levels: int
    cut: npt.NDArray[np.float64]
    compared: Ints
    low: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]
    before: Ints
    mask: npt.NDArray[np.uint32]
    below: int
    reached: Ints


_MOST_COMPARED = 8
"""Greatest number of cuts in a bucket."""
MOST_LEAVES = 32
_MOST_BUCKETS = 1 << 13
_MOST_CATEGORIES = 1 << 10
_MOST_ELEMENTS = 12
"""For trees that test more elements, traversing the nodes is about as fast as tables."""
_LEVELS_OF_AN_ELEMENT = 0.25
"""Looking up the rank of an element takes about as long as traversing this many levels."""
_MOST_ELEMENTS_WITH_CATEGORIES = 32
"""The limit is higher for trees with categorical splits, because those are traversed one by one."""
_MOST_BYTES = 1 << 18
"""Masks are read at random places, so above this size traversing the nodes is as fast."""
_MOST_BYTES_ABOVE = 1 << 21
"""The limit for tables of top levels, which belong to deep trees, whose traversal takes longer."""
_TOPS = (5, 4, 3)
"""Numbers of top levels to try."""


def make_leaf_tables(forest: Forest) -> LeafTables | None:
    """Tables of the whole trees or of their top levels; ``None`` if traversing the nodes is faster, or there can be no tables.

    Tables need few tested elements, each of which is compared either with thresholds or with categories, not with both.
    """
    leaf = forest.child == np.arange(len(forest.child))
    levels = levels_of(forest, leaf)
    plain = len(forest.order) == len(forest.root)
    most = _MOST_ELEMENTS if plain else _MOST_ELEMENTS_WITH_CATEGORIES
    tables = _make_tables(forest, leaf, levels, most, _MOST_BYTES)
    if tables is not None or not plain:
        return tables

    def cost(top: int) -> float:
        elements = len(np.unique(forest.feature[np.concatenate(levels[:top])]))
        return elements * _LEVELS_OF_AN_ELEMENT - top

    for top in sorted((top for top in _TOPS if top < len(levels)), key=cost):
        end = leaf.copy()
        end[levels[top]] = True
        tables = _make_tables(forest, end, levels[:top], most, _MOST_BYTES_ABOVE)
        if tables is not None:
            break
    return tables


def _make_tables(
    forest: Forest, end: npt.NDArray[np.bool_], levels: list[Ints], most_elements: int, most_bytes: int
) -> LeafTables | None:
    """Tables of the splits in ``levels``, whose leaves are the nodes marked in ``end``; ``None`` if a limit is exceeded."""
    child, trees = forest.child, len(forest.root)
    inner = np.sort(np.concatenate([forest.root[:0], *levels]))
    # Elements with cuts, then those with categories, whose numbers are negative.
    tested = np.unique(forest.feature[inner])[::-1]
    tested = np.concatenate([tested[tested >= 0][::-1], tested[tested < 0]])
    elements = np.where(tested < 0, -1 - tested, tested)
    if not 0 < len(elements) <= most_elements or len(np.unique(elements)) < len(elements):
        return None
    leaves, offset = leaf_numbers(forest, end, levels)
    if leaves.max() > MOST_LEAVES:
        return None
    tests = [_tests(forest, inner[forest.feature[inner] == f]) for f in tested]
    ranks = sum(test.ranks for test in tests)
    if any(test.ranks == 0 for test in tests) or 4 * ranks * trees > most_bytes:
        return None
    tree = np.repeat(np.arange(trees), np.diff([*forest.root, len(child)]))
    bits = (((1 << leaves) - 1) << offset).astype(np.uint32)
    mask = np.repeat(bits[forest.root], ranks).reshape(trees, ranks)
    start = 0
    for test in tests:
        columns = slice(start, start + test.ranks)
        start = columns.stop
        for node, left in zip(test.nodes, test.left(forest), strict=True):
            mask[tree[node], columns] &= np.where(left, ~bits[child[node]], ~bits[child[node] + 1])
    below = int(forest.depth.max()) - len(levels)
    reached = np.zeros((trees, MOST_LEAVES), dtype=np.int32)
    last = np.flatnonzero(end & (leaves > 0))
    reached[tree[last], offset[last]] = last
    cuts = [test.cut for test in tests if test.cut is not None]
    most = max((len(cut) for cut in cuts), default=0)
    # The padding keeps the comparison of a bucket's cuts inside the row.
    halvings = (most + _MOST_COMPARED - 1).bit_length()
    padded = np.full((len(cuts), 1 << halvings), np.inf)
    for row, cut in zip(padded, cuts, strict=True):
        row[: len(cut)] = cut
    counts = [test.ranks - 1 for test in tests]
    buckets = _buckets(cuts, min(_MOST_BUCKETS, 1 << (8 * most).bit_length()))
    return LeafTables(ints(elements), ints(counts), halvings, padded, *buckets, mask, below, reached)


def _buckets(
    cuts: list[npt.NDArray[np.float64]], number: int
) -> tuple[Ints, npt.NDArray[np.float64], npt.NDArray[np.float64], Ints]:
    """The arrays ``compared``, ``low``, ``scale`` and ``before`` for elements with ``cuts`` and this number of buckets."""
    compared = np.full(len(cuts), -1, dtype=np.int32)
    low, scale = np.zeros(len(cuts)), np.ones(len(cuts))
    before = np.zeros((len(cuts), number), dtype=np.int32)
    for k, cut in enumerate(cuts):
        with np.errstate(all="ignore"):
            low[k] = cut[0] if len(cut) else 0.0
            width = cut[-1] - low[k] if len(cut) else 0.0
            scale[k] = (number - 2) / width if width else 1.0
        if np.isfinite(width) and np.isfinite(scale[k]):
            bucket = 1 + np.minimum((cut - low[k]) * scale[k], number - 2).astype(np.intp)
            inside = np.bincount(bucket, minlength=number)
            before[k] = np.cumsum(inside) - inside
            if inside.max() <= _MOST_COMPARED:
                compared[k] = inside.max()
    return compared, low, scale, before


@dataclass(frozen=True, eq=False)
class _Tests:
    """The nodes that test an element, and its number of ranks, 0 if its categories cannot be ranks."""

    nodes: npt.NDArray[np.intp]
    ranks: int
    cut: npt.NDArray[np.float64] | None

    def left(self, forest: Forest) -> Iterator[npt.NDArray[np.bool_]]:
        """For each node, a boolean array of the ranks that go left; with a threshold of NaN none does."""
        ranks = np.arange(self.ranks)
        for node in self.nodes:
            if self.cut is not None:
                threshold = forest.threshold[node]
                yield (ranks <= np.searchsorted(self.cut, threshold)) & ~np.isnan(threshold)
            else:
                which = forest.first[node]
                yield np.isin(ranks, _categories(forest, node)) == (forest.set_left[which] == 1)


def _tests(forest: Forest, nodes: npt.NDArray[np.intp]) -> _Tests:
    """The tests of an element that is compared with thresholds only, or with categories only."""
    if forest.feature[nodes[0]] >= 0:
        threshold = forest.threshold[nodes]
        cut = np.unique(threshold[~np.isnan(threshold)])
        return _Tests(nodes, len(cut) + 1, cut)
    every = np.concatenate([_categories(forest, node) for node in nodes])
    tables = not ((every < 0) | (every != np.floor(every)) | (every >= _MOST_CATEGORIES)).any()
    return _Tests(nodes, int(every.max(initial=-1)) + 2 if tables else 0, None)


def _categories(forest: Forest, node: np.intp) -> npt.NDArray[np.float64]:
    which = forest.first[node]
    return forest.data[forest.set_start[which] : forest.set_end[which]]


def leaf_numbers(
    forest: Forest, end: npt.NDArray[np.bool_], levels: list[Ints]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """For each node of ``levels`` and each node in ``end``: the number of ends below it, and of its tree's ends to its left."""
    child = forest.child
    leaves, offset = np.zeros(len(child), dtype=np.int64), np.zeros(len(child), dtype=np.int64)
    for inner in reversed(levels):
        for side in (child[inner], child[inner] + 1):
            leaves[side[end[side]]] = 1
        leaves[inner] = leaves[child[inner]] + leaves[child[inner] + 1]
    leaves[forest.root[end[forest.root]]] = 1
    for inner in levels:
        offset[child[inner] + 1] = offset[inner]
        offset[child[inner]] = offset[inner] + leaves[child[inner] + 1]
    return leaves, offset
