"""The layout of an ensemble of trees as flat arrays of nodes."""

from __future__ import annotations

from dataclasses import dataclass
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
    return Forest(
        root=ints(place[roots]),
        depth=ints(depth),
        order=ints(np.flatnonzero(plain)[np.argsort(depth[plain], kind="stable")]),
        feature=ints(tested[order]),
        # -0.0 becomes 0.0: Java compares with a threshold by the sign of a difference.
        threshold=joined("threshold")[order] + 0.0,
        child=ints(np.where(leaf, place, place[right])[order]),
        first=ints(np.where(categorical, np.cumsum(categorical) - 1, data_start)[order]),
        set_start=ints(set_start),
        set_end=ints(set_end),
        set_left=ints(kind[categorical] != CATEGORICAL_NOT),
        data=data,
        size=int(feature[~leaf].max(initial=-1)) + 1,
        node=ints(order),
    )


def levels_of(forest: Forest, leaf: npt.NDArray[np.bool_]) -> list[Ints]:
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
        for inner in reversed(levels_of(forest, leaf)):
            right, left = forest.child[inner], forest.child[inner] + 1
            value[inner] = (value[left] * cover[left] + value[right] * cover[right]) / cover[inner]
    return ExplainedForest(forest, cover, value[forest.root])


def ints(values: npt.ArrayLike) -> Ints:
    """A contiguous array of 32-bit integers."""
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
