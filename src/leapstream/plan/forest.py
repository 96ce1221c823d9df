"""The trees of an ensemble in flat arrays, as both executors walk them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from leapstream.bundle.definition import CATEGORICAL, CATEGORICAL_NOT, LEAF, Tree
from leapstream.plan.primitives import TreeContributions, Trees

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Forest:
    """Trees one after the other, each level by level; the two children of a node lie side by side.

    A row at node ``n`` goes on to ``child[n] + (x[feature[n]] <= threshold[n])``. A leaf is its own child under a threshold of
    NaN, so that a row which has reached it stays: a tree can be walked for a fixed number of levels, without a branch.

    Attributes:
        root: int32 per tree, its first node.
        depth: int32 per tree, the number of levels below its root.
        order: int32, the trees without a split by categories, shallow ones first.
        feature: int32 per node, the element that is tested, 0 in a leaf; ``-1 - element`` where it is tested for categories.
        threshold: float64 per node; NaN where it is none.
        child: int32 per node, the right child, before the left one; a leaf itself.
        first: int32 per node, where a leaf's values start in ``data``; the number of the set of a split by categories.
        set_start, set_end: int32 per set: the slice of ``data`` that has its categories, sorted, without NaN.
        set_left: int32 per set, whether a category in it goes left (1) or right (0).
        data: float64. Values are multiplied by their tree's weight; for ``votes`` divided by their leaf's sum, and 0 where that
            is 0.
        size: number of elements that a vector needs for every test.
        node: int32 per node, its number in the trees that were given, counted through.
        ranks: the same trees as tables, where that is the faster way.
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
    ranks: Ranks | None = None


@dataclass(frozen=True, eq=False)
class Ranks:
    """Small trees over few elements as tables of the leaves that each element leaves possible (after QuickScorer).

    The rank of an element is the number of its cuts that it is not at most; NaN has the highest. An element that is tested for
    categories is its own rank; what is none of 0, 1, … has the highest. The masks of the ranks of all elements have one bit in
    common, that of the leaf; ``mask * DE_BRUIJN >> 27`` (in 32 bits) is its slot.

    Attributes:
        feature: int32, the elements that are tested, those with cuts before those with categories.
        count: int32, the number of cuts or categories of each; there is one rank more.
        levels: number of halvings that find a rank.
        cut: float64 (elements with cuts, 2**levels), the thresholds of each, ascending, and infinity after them.
        mask: uint32 (ranks of all elements, trees), a bit per leaf.
        first: int32 (trees, 32), where the values of the leaf of a slot start in the forest's data.
    """

    feature: Ints
    count: Ints
    levels: int
    cut: npt.NDArray[np.float64]
    mask: npt.NDArray[np.uint32]
    first: Ints


DE_BRUIJN = 0x077CB531
_MOST_LEAVES = 32
_MOST_CATEGORIES = 1 << 10
_MOST_ELEMENTS = 6
"""Beyond, walking four trees at a time is as fast."""
_MOST_ELEMENTS_WITH_CATEGORIES = 32
"""Trees with categories are walked one by one."""
_MOST_BYTES = 1 << 18
"""Masks are read at random: beyond the processor's second cache the tables would be slower than the trees."""

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
    """The trees of an ensemble."""
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
    return replace(forest, ranks=_make_ranks(forest))


def _make_ranks(forest: Forest) -> Ranks | None:
    """The tables, if the trees are small, and over few elements each of which is tested in one way."""
    child, trees = forest.child, len(forest.root)
    inner = np.flatnonzero(child != np.arange(len(child)))
    # Elements with cuts, then those with categories, which are below 0.
    tested = np.unique(forest.feature[inner])[::-1]
    tested = np.concatenate([tested[tested >= 0][::-1], tested[tested < 0]])
    elements = np.where(tested < 0, -1 - tested, tested)
    most = _MOST_ELEMENTS if len(forest.order) == trees else _MOST_ELEMENTS_WITH_CATEGORIES
    if not 0 < len(elements) <= most or len(np.unique(elements)) < len(elements):
        return None
    leaves, offset = _leaf_numbers(forest)
    sides = [_sides(forest, inner[forest.feature[inner] == f]) for f in tested]
    tables = [table for table in sides if table is not None]
    ranks = sum(len(table.left) for table in tables)
    if len(tables) < len(sides) or leaves.max() > _MOST_LEAVES or 4 * ranks * trees > _MOST_BYTES:
        return None
    tree = np.repeat(np.arange(trees), np.diff([*forest.root, len(child)]))
    bits = (((1 << leaves) - 1) << offset).astype(np.uint32)
    mask = np.tile(bits[forest.root], (ranks, 1))
    end = 0
    for table in tables:
        start, end = end, end + len(table.left)
        for node, left in zip(table.nodes, table.left.T, strict=True):
            mask[start:end, tree[node]] &= np.where(left, ~bits[child[node]], ~bits[child[node] + 1])
    first = np.zeros((trees, 32), dtype=np.int32)
    leaf = np.flatnonzero(child == np.arange(len(child)))
    slot = (np.uint64(1) << offset[leaf].astype(np.uint64)) * np.uint64(DE_BRUIJN) % np.uint64(1 << 32) >> np.uint64(27)
    first[tree[leaf], slot.astype(np.intp)] = forest.first[leaf]
    cuts = [table.cut for table in tables if table.cut is not None]
    levels = max((len(cut) for cut in cuts), default=0).bit_length()
    padded = np.full((len(cuts), 1 << levels), np.inf)
    for row, cut in zip(padded, cuts, strict=True):
        row[: len(cut)] = cut
    return Ranks(_ints(elements), _ints([len(table.left) - 1 for table in tables]), levels, padded, mask, first)


@dataclass(frozen=True, eq=False)
class _Sides:
    """The nodes that test an element, which ranks go left at each (ranks, nodes), and the cuts if it has such."""

    nodes: npt.NDArray[np.intp]
    left: npt.NDArray[np.bool_]
    cut: npt.NDArray[np.float64] | None


def _sides(forest: Forest, nodes: npt.NDArray[np.intp]) -> _Sides | None:
    """The table of one element; ``None`` where its categories do not make one. No element is at most a threshold of NaN."""
    if forest.feature[nodes[0]] >= 0:
        threshold = forest.threshold[nodes]
        cut = np.unique(threshold[~np.isnan(threshold)])
        ranks = np.arange(len(cut) + 1)[:, None]
        return _Sides(nodes, (ranks <= np.searchsorted(cut, threshold)) & ~np.isnan(threshold), cut)
    sets = forest.first[nodes]
    categories = [forest.data[forest.set_start[s] : forest.set_end[s]] for s in sets]
    every = np.concatenate(categories)
    if ((every < 0) | (every != np.floor(every)) | (every >= _MOST_CATEGORIES)).any():
        return None
    left = np.zeros((int(every.max(initial=-1)) + 2, len(nodes)), dtype=bool)
    for column, known in zip(left.T, categories, strict=True):
        column[known.astype(np.intp)] = True
    return _Sides(nodes, left == (forest.set_left[sets] == 1), None)


def _leaf_numbers(forest: Forest) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """For each node the number of leaves below it, and that of leaves of its tree to their left."""
    child = forest.child
    leaf = child == np.arange(len(child))
    levels = _levels(forest, leaf)
    leaves, offset = leaf.astype(np.int64), np.zeros(len(child), dtype=np.int64)
    for inner in reversed(levels):
        leaves[inner] = leaves[child[inner]] + leaves[child[inner] + 1]
    for inner in levels:
        offset[child[inner] + 1] = offset[inner]
        offset[child[inner]] = offset[inner] + leaves[child[inner] + 1]
    return leaves, offset


def _levels(forest: Forest, leaf: npt.NDArray[np.bool_]) -> list[Ints]:
    """The nodes that are no leaves, level by level."""
    levels: list[Ints] = []
    nodes = forest.root
    while len(inner := nodes[~leaf[nodes]]):
        levels.append(inner)
        nodes = np.concatenate([forest.child[inner], forest.child[inner] + 1])
    return levels


@dataclass(frozen=True, eq=False)
class Explained:
    """A forest with what the contributions of its features need.

    Attributes:
        forest: the trees.
        cover: float32 per node.
        mean: float32 per tree, the mean of its leaves' values, by their cover.
    """

    forest: Forest
    cover: npt.NDArray[np.float32]
    mean: npt.NDArray[np.float32]


def make_explained(expr: TreeContributions) -> Explained:
    """The trees whose contributions are asked for."""
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
    return Explained(forest, cover, value[forest.root])


def _ints(values: npt.ArrayLike) -> Ints:
    return np.ascontiguousarray(values, dtype=np.int32)


def _by_level(
    roots: npt.NDArray[np.intp], tree: npt.NDArray[np.intp], leaf: npt.NDArray[np.bool_], right: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """All nodes tree by tree, level by level, and the depth of each tree."""
    depth = np.zeros(len(roots), dtype=np.intp)
    levels = [roots]
    while len(inner := levels[-1][~leaf[levels[-1]]]):
        depth[tree[inner]] = len(levels)
        levels.append(np.stack([right[inner], inner + 1], axis=1).reshape(-1))
    nodes = np.concatenate(levels)
    return nodes[np.argsort(tree[nodes], kind="stable")], depth


def _ranges(start: npt.NDArray[np.intp], end: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """The indexes in all of the slices, one after the other."""
    sizes = end - start
    at: npt.NDArray[np.intp] = np.arange(sizes.sum()) + np.repeat(start - (np.cumsum(sizes) - sizes), sizes)
    return at


def _normalize(data: npt.NDArray[np.float64], start: npt.NDArray[np.intp], end: npt.NDArray[np.intp]) -> None:
    """Divide each slice of ``data`` by its sum, taken from left to right; 0 where that is 0."""
    sizes = end - start
    for size in np.unique(sizes[sizes > 0]).tolist():
        at = start[sizes == size][:, None] + np.arange(size)
        values = data[at]
        total = np.cumsum(values, axis=1)[:, -1:]
        data[at] = np.divide(values, total, out=np.zeros_like(values), where=total != 0)
