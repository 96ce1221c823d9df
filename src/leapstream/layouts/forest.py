"""The layout of an ensemble of trees: flat arrays of nodes, and lookup tables in their place where these are faster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from leapstream.bundle.definition import CATEGORICAL, CATEGORICAL_NOT, LEAF, Tree
from leapstream.plan.primitives import TreeContributions, Trees

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Forest:
    """Trees as arrays with an element per node: tree by tree, level by level, the two children of a node side by side.

    A row at node ``n`` goes on to node ``child[n] + (x[feature[n]] <= threshold[n])``. A leaf is its own child and has the
    threshold NaN, so a row stays at the leaf that it has reached, and a tree is traversed in a fixed number of steps without a
    branch.

    Attributes:
        root: int32 per tree, the index of its root.
        depth: int32 per tree, the number of levels below its root.
        order: int32, the trees without categorical splits, shallow ones first.
        feature: int32 per node, the index of the tested element, 0 in a leaf; ``-1 - index`` in a categorical split.
        threshold: float64 per node; NaN in a leaf and in a categorical split.
        child: int32 per node, the index of its right child, which precedes the left one; its own index for a leaf.
        first: int32 per node: for a leaf, the index of its first value in ``data``; for a categorical split, the number of its
            set.
        set_start, set_end: int32 per set of categories: the slice of ``data`` with the categories, sorted, without NaN.
        set_left: int32 per set, 1 if its categories go left, 0 if they go right.
        data: float64, the values of leaves and the sets of categories. A leaf's values are multiplied by the tree's weight; for
            ``votes`` they are divided by their sum, and are 0 if the sum is 0.
        size: the number of elements that a vector needs for all tests.
        node: int32 per node, its index in the original trees, counted through all trees.
        tables: tables for these trees, or ``None`` if traversing the nodes is faster.
    """

    root: Ints
    depth: Ints
    order: Ints
    feature: Ints
    threshold: npt.NDArray[np.float64]
    child: Ints
    first: Ints
    set_start: Ints
    set_end: Ints
    set_left: Ints
    data: npt.NDArray[np.float64]
    size: int
    node: Ints
    tables: LeafTables | None = None


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

_NONE = Tree(
    kind=np.zeros(0, dtype=np.uint8),
    feature=np.zeros(0, dtype=np.int32),
    threshold=np.zeros(0),
    right=np.zeros(0, dtype=np.int32),
    data_start=np.zeros(0, dtype=np.int32),
    data_end=np.zeros(0, dtype=np.int32),
    data=np.zeros(0),
    num_categories=np.zeros(0, dtype=np.int32),
)


def make_forest(expr: Trees) -> Forest:
    """The layout of an ensemble's trees."""
    trees = expr.trees
    counts = [len(t.kind) for t in trees]
    tree = np.repeat(np.arange(len(trees)), np.array(counts, dtype=np.intp))
    roots = np.cumsum([0, *counts])[:-1]
    starts = np.cumsum([0, *(len(t.data) for t in trees)])[:-1]

    def joined(name: str) -> npt.NDArray[Any]:
        return np.concatenate([getattr(_NONE, name), *(getattr(t, name) for t in trees)])

    kind, feature, given = joined("kind"), joined("feature"), joined("data")
    right = joined("right") + roots[tree]
    data_start, data_end = joined("data_start") + starts[tree], joined("data_end") + starts[tree]
    leaf, categorical = kind == LEAF, kind >= CATEGORICAL

    order, depth = _by_level(roots, tree, leaf, right)
    place = np.zeros(len(kind), dtype=np.int64)
    place[order] = np.arange(len(order))
    plain = np.ones(len(trees), dtype=bool)
    plain[tree[categorical]] = False

    data = given.copy()
    if expr.combine == "votes":
        _normalize(data, data_start[leaf], data_end[leaf])
    elif expr.weights is not None:
        data *= np.repeat(expr.weights, [len(t.data) for t in trees])
    set_start, set_end = data_start[categorical], data_end[categorical]
    owner = np.repeat(np.arange(len(set_start)), set_end - set_start)
    at = _ranges(set_start, set_end)
    data[at] = given[at][np.lexsort((given[at], owner))]
    set_end = set_end - np.bincount(owner[np.isnan(given[at])], minlength=len(set_end))

    tested = np.where(leaf, 0, np.where(categorical, -1 - feature, feature))
    forest = Forest(
        root=_ints(place[roots]),
        depth=_ints(depth),
        order=_ints(np.flatnonzero(plain)[np.argsort(depth[plain], kind="stable")]),
        feature=_ints(tested[order]),
        threshold=joined("threshold")[order],
        child=_ints(np.where(leaf, place, place[right])[order]),
        first=_ints(np.where(categorical, np.cumsum(categorical) - 1, data_start)[order]),
        set_start=_ints(set_start),
        set_end=_ints(set_end),
        set_left=_ints(kind[categorical] != CATEGORICAL_NOT),
        data=data,
        size=int(feature[~leaf].max(initial=-1)) + 1,
        node=_ints(order),
    )
    return replace(forest, tables=_leaf_tables(forest))


def _leaf_tables(forest: Forest) -> LeafTables | None:
    """Tables of the whole trees or of their top levels; ``None`` if traversing the nodes is faster, or there can be no tables.

    Tables need few tested elements, each of which is compared either with thresholds or with categories, not with both.
    """
    leaf = forest.child == np.arange(len(forest.child))
    levels = _levels(forest, leaf)
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
    leaves, offset = _leaf_numbers(forest, end, levels)
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
    return LeafTables(_ints(elements), _ints(counts), halvings, padded, *buckets, mask, below, reached)


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


def _leaf_numbers(
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


def _levels(forest: Forest, leaf: npt.NDArray[np.bool_]) -> list[Ints]:
    """The indexes of the splits, level by level."""
    levels: list[Ints] = []
    nodes = forest.root
    while len(inner := nodes[~leaf[nodes]]):
        levels.append(inner)
        nodes = np.concatenate([forest.child[inner], forest.child[inner] + 1])
    return levels


@dataclass(frozen=True, eq=False)
class ExplainedForest:
    """A forest with the numbers that the contributions of its features need.

    Attributes:
        forest: the trees.
        cover: float32 per node, the weight of the training data that reached it.
        mean: float32 per tree, the mean of its leaves' values, weighted by their cover.
    """

    forest: Forest
    cover: npt.NDArray[np.float32]
    mean: npt.NDArray[np.float32]


def make_explained_forest(expr: TreeContributions) -> ExplainedForest:
    """The layout of the trees whose contributions are computed."""
    forest = make_forest(Trees(x=expr.x, trees=expr.trees, combine="groups", width=len(expr.base), type=expr.type))
    cover = np.concatenate([np.zeros(0, dtype=np.float32), *expr.cover])[forest.node]
    place = np.arange(len(forest.child))
    leaf = forest.child == place
    value = np.zeros(len(place), dtype=np.float32)
    value[leaf] = forest.data[forest.first[leaf]]
    with np.errstate(all="ignore"):
        for inner in reversed(_levels(forest, leaf)):
            right, left = forest.child[inner], forest.child[inner] + 1
            value[inner] = (value[left] * cover[left] + value[right] * cover[right]) / cover[inner]
    return ExplainedForest(forest, cover, value[forest.root])


def _ints(values: npt.ArrayLike) -> Ints:
    return np.ascontiguousarray(values, dtype=np.int32)


def _by_level(
    roots: npt.NDArray[np.intp], tree: npt.NDArray[np.intp], leaf: npt.NDArray[np.bool_], right: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The indexes of all nodes, tree by tree, level by level, and the depth of each tree."""
    depth = np.zeros(len(roots), dtype=np.intp)
    levels = [roots]
    while len(inner := levels[-1][~leaf[levels[-1]]]):
        depth[tree[inner]] = len(levels)
        levels.append(np.stack([right[inner], inner + 1], axis=1).reshape(-1))
    nodes = np.concatenate(levels)
    return nodes[np.argsort(tree[nodes], kind="stable")], depth


def _ranges(start: npt.NDArray[np.intp], end: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """The concatenated indexes of the slices from ``start`` to ``end``."""
    sizes = end - start
    at: npt.NDArray[np.intp] = np.arange(sizes.sum()) + np.repeat(start - (np.cumsum(sizes) - sizes), sizes)
    return at


def _normalize(data: npt.NDArray[np.float64], start: npt.NDArray[np.intp], end: npt.NDArray[np.intp]) -> None:
    """Divide each slice of ``data`` by its sum, which is added up from left to right; the result is 0 if the sum is 0."""
    sizes = end - start
    for size in np.unique(sizes[sizes > 0]).tolist():
        at = start[sizes == size][:, None] + np.arange(size)
        values = data[at]
        total = np.cumsum(values, axis=1)[:, -1:]
        data[at] = np.divide(values, total, out=np.zeros_like(values), where=total != 0)
