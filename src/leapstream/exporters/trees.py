"""Converts decision trees of other libraries to MLeap's; missing values go to the same side as in the library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from leapstream.bundle.definition import CATEGORICAL, CATEGORICAL_NOT, CONTINUOUS, LEAF, Tree
from leapstream.exporters.graph import Block, Features, Graph
from leapstream.ops.trees import DecisionTreeRegression

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_GREATEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True)
class Nodes:
    """A tree of another library: arrays with an element per node, the root first.

    Attributes:
        left, right: index of the children; -1 in a leaf.
        feature: index of the tested feature.
        threshold: ``x <= threshold`` goes left.
        missing_left: true where NaN goes left.
        values: float64 (nodes, width), the values of leaves.
        categories: for each node that tests for categories, the categories on the side to which NaN does not go.
    """

    left: Ints
    right: Ints
    feature: Ints
    threshold: Doubles
    missing_left: npt.NDArray[np.bool_]
    values: Doubles
    categories: Mapping[int, Sequence[float]] = field(default_factory=dict)

    @property
    def needs_negated(self) -> bool:
        """True if the tree also tests negated features, see :func:`tree`."""
        numeric = self.left >= 0
        numeric[list(self.categories)] = False
        return bool((numeric & self.missing_left).any())


def constant_tree(value: float) -> Nodes:
    """A tree of one leaf, which has the same value for all rows."""
    none = np.array([-1])
    return Nodes(none, none, none, np.zeros(1), np.zeros(1, dtype=bool), np.array([[value]]))


def tree(nodes: Nodes, width: int) -> Tree:
    """Convert a tree to MLeap's arrays.

    In MLeap NaN always goes right, since ``NaN <= threshold`` is false. For a split where NaN has to go left, the children change
    sides and the test becomes ``x > threshold``, written as ``-x <= t`` with ``t`` the number just below ``-threshold``. So if
    :attr:`Nodes.needs_negated`, the tree reads a vector of ``2 * width`` elements: the features and then the negated features.
    An infinite threshold, which JSON cannot hold, becomes the greatest or least finite number.

    Args:
        nodes: the tree.
        width: the number of features.
    """
    mirrored = nodes.missing_left & (nodes.left >= 0)
    mirrored[list(nodes.categories)] = False
    threshold = np.where(mirrored, np.nextafter(-nodes.threshold, -np.inf), nodes.threshold)
    threshold = np.clip(threshold, -_GREATEST, _GREATEST)
    first = np.where(mirrored, nodes.right, nodes.left).tolist()
    second = np.where(mirrored, nodes.left, nodes.right).tolist()
    count = len(first)
    order: list[int] = []
    places = np.full(count, -1, dtype=np.int64)
    stack = [0]
    while stack:
        node = stack.pop()
        places[node] = len(order)
        order.append(node)
        if first[node] >= 0:
            stack += (second[node], first[node])
    kind = np.where(nodes.left >= 0, CONTINUOUS, LEAF).astype(np.uint8)
    data: list[npt.NDArray[np.float64]] = []
    ends = np.zeros(len(order), dtype=np.int64)
    total = 0
    for place, node in enumerate(order):
        part: npt.NDArray[np.float64] = np.zeros(0)
        if first[node] < 0:
            part = np.asarray(nodes.values[node], dtype=np.float64)
        elif node in nodes.categories:
            part = np.asarray(nodes.categories[node], dtype=np.float64)
            kind[node] = CATEGORICAL_NOT if nodes.missing_left[node] else CATEGORICAL
        data.append(part)
        total += len(part)
        ends[place] = total
    kinds = kind[order]
    starts = np.concatenate([[0], ends[:-1]])
    right = np.array([places[second[node]] if first[node] >= 0 else -1 for node in order])
    feature = np.where(mirrored, nodes.feature + width, nodes.feature)[order]
    return Tree(
        kind=kinds,
        feature=np.where(kinds == LEAF, -1, feature).astype(np.int32),
        threshold=np.where(kinds == CONTINUOUS, threshold[order], np.nan),
        right=right.astype(np.int32),
        data_start=starts.astype(np.int32),
        data_end=ends.astype(np.int32),
        data=np.concatenate(data),
        num_categories=np.where(kinds >= CATEGORICAL, ends - starts, 0).astype(np.int32),
    )


def tree_input(graph: Graph, features: Features, forest: Sequence[Nodes]) -> Block:
    """The vector that the trees of a forest read: the features, followed by the negated features if a tree needs them."""
    if not any(nodes.needs_negated for nodes in forest):
        return graph.vector(features)
    whole = graph.vector(features)
    mirror = graph.multiply((whole,), "negative", np.full(whole.size, -1.0))
    return graph.vector((whole, mirror))


def regression_trees(forest: Sequence[Nodes], width: int, block: Block) -> tuple[DecisionTreeRegression, ...]:
    """Regression trees over the vector ``block``, which :func:`tree_input` made of ``width`` features."""
    return tuple(DecisionTreeRegression(tree(nodes, width), block.size) for nodes in forest)


def single_precision(threshold: Doubles) -> Doubles:
    """For each ``threshold`` the ``t`` such that ``x <= t`` if and only if ``float32(x) <= threshold``, for any float64 ``x``.

    ``t`` is the greatest float64 that rounds to a float32 of at most ``threshold``. It lies halfway to the next float32, or just
    before that, since the half itself is rounded to the even neighbour.
    """
    with np.errstate(over="ignore"):
        below = threshold.astype(np.float32)
    below = np.where(below.astype(np.float64) > threshold, np.nextafter(below, np.float32(-np.inf)), below)
    after = np.nextafter(below, np.float32(np.inf))
    half = below.astype(np.float64) / 2.0 + after.astype(np.float64) / 2.0
    odd = below.view(np.int32) % 2 == 1
    return np.where(np.isfinite(half), np.where(odd, np.nextafter(half, -np.inf), half), threshold)
