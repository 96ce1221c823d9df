"""Converts decision trees of other libraries to MLeap's; missing values go to the same side as in the library."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from leapstream.bundle.definition import CATEGORICAL, CATEGORICAL_NOT, CONTINUOUS, LEAF, Tree
from leapstream.exporters.graph import Block, Features, Graph, Origin
from leapstream.exporters.progress import tree_done
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
        zero_missing: the features whose zeros count as missing too; they have to come to the tree as NaN.
        slopes: for each feature that linear models in leaves read, its coefficient by the node. A leaf's value is then that in
            ``values`` and the sum of the coefficients times the features.
    """

    left: Ints
    right: Ints
    feature: Ints
    threshold: Doubles
    missing_left: npt.NDArray[np.bool_]
    values: Doubles
    categories: Mapping[int, Sequence[float]] = field(default_factory=dict)
    zero_missing: frozenset[int] = frozenset()
    slopes: Mapping[int, Mapping[int, float]] = field(default_factory=dict)

    @property
    def needs_negated(self) -> bool:
        """True if the tree also tests negated features, see :func:`tree`."""
        numeric = self.left >= 0
        numeric[list(self.categories)] = False
        return bool((numeric & self.missing_left).any())


def levels(nodes: Nodes) -> Iterator[Ints]:
    """The nodes of each level, from the root down."""
    level = np.zeros(1, dtype=np.int64)
    while len(level):
        yield level
        inner = level[nodes.left[level] >= 0]
        level = np.concatenate([nodes.left[inner], nodes.right[inner]])


def slope_trees(nodes: Nodes) -> Iterator[tuple[int, Nodes]]:
    """For each feature the tree whose leaves have its coefficients, without splits below which all are 0."""
    count, inner = len(nodes.left), nodes.left >= 0
    upwards = [level[inner[level]] for level in levels(nodes)][::-1]
    for feature, coefficients in nodes.slopes.items():
        values = np.zeros(count)
        values[list(coefficients)] = list(coefficients.values())
        needed = values != 0.0
        for splits in upwards:
            needed[splits] = needed[nodes.left[splits]] | needed[nodes.right[splits]]
        split = needed & inner
        kept = np.zeros(count, dtype=bool)
        kept[[0, *nodes.left[split], *nodes.right[split]]] = True
        places = np.cumsum(kept) - 1
        yield (
            feature,
            Nodes(
                left=np.where(split, places[nodes.left], -1)[kept],
                right=np.where(split, places[nodes.right], -1)[kept],
                feature=np.where(split, nodes.feature, -1)[kept],
                threshold=nodes.threshold[kept],
                missing_left=(nodes.missing_left & split)[kept],
                values=values[kept, None],
                categories={int(places[node]): codes for node, codes in nodes.categories.items() if split[node]},
            ),
        )


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
    tree_done()
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


def folded(graph: Graph, features: Features, forest: Sequence[Nodes]) -> tuple[Features, list[Nodes]]:
    """Let the trees test the features from which theirs were computed by non-decreasing functions, such as scalers.

    A threshold becomes the greatest double whose function is at most that threshold, computed as the original library does. So
    every row goes to the side to which it goes there, and no node has to compute the functions.

    Returns:
        the features that the trees test, and the trees.
    """
    if not any(map(_computed_from, features)):
        return features, list(forest)
    blocks: dict[str, Block] = {}
    places = []
    for block in features:
        root, at = _root(block, np.arange(block.size))
        blocks.setdefault(root.column, root)
        places.append((root.column, at))
    sources: list[Block] = []
    starts: dict[str, tuple[int, Ints]] = {}
    start = 0
    for column, block in blocks.items():
        used = np.unique(np.concatenate([at for name, at in places if name == column]))
        sources += graph.take((block,), used.tolist())
        starts[column] = (start, used)
        start += len(used)
    moved = np.concatenate([starts[name][0] + np.searchsorted(starts[name][1], at) for name, at in places])
    ends = np.cumsum([block.size for block in features])
    return tuple(sources), [_moved(nodes, features, ends, moved) for nodes in forest]


def _computed_from(block: Block) -> Origin | None:
    """The origin of a block, if functions have computed its features."""
    origin = block.origin
    computed = origin is not None and (origin.function is not None or _computed_from(origin.source) is not None)
    return origin if computed else None


def _root(block: Block, positions: Ints) -> tuple[Block, Ints]:
    """The block from which functions have computed the features at ``positions`` of a block, and the positions in it."""
    origin = _computed_from(block)
    return (block, positions) if origin is None else _root(origin.source, origin.positions[positions])


def _computed(block: Block, positions: Ints, numbers: Doubles) -> Doubles:
    """The features at ``positions`` of a block, for numbers in place of the features that :func:`_root` finds."""
    origin = _computed_from(block)
    if origin is None:
        return numbers
    at = origin.positions[positions]
    numbers = _computed(origin.source, at, numbers)
    return numbers if origin.function is None else origin.function(numbers, at)


def _moved(nodes: Nodes, features: Features, ends: Ints, moved: Ints) -> Nodes:
    numeric = nodes.left >= 0
    numeric[list(nodes.categories)] = False
    threshold = nodes.threshold.copy()
    feature = np.where(nodes.left >= 0, nodes.feature, 0)
    owner = np.searchsorted(ends, feature, side="right")
    for number, block in enumerate(features):
        if _computed_from(block) is not None:
            chosen = numeric & (owner == number)
            at = feature[chosen] - (ends[number] - block.size)
            threshold[chosen] = greatest_inputs(partial(_computed, block, at), threshold[chosen])
    return replace(nodes, threshold=threshold, feature=moved[feature])


def greatest_inputs(function: Callable[[Doubles], Doubles], thresholds: Doubles) -> Doubles:
    """For each threshold the greatest double for which a non-decreasing function, element by element, is at most the threshold.

    It is infinite if there is no such double, or none that is not. The functions of NumPy may fall by a last bit between
    neighbours, so some doubles above the first one that is found are tried too.
    """

    def below(places: Ints) -> npt.NDArray[np.bool_]:
        with np.errstate(all="ignore"):
            # A function that is NaN up to some number is so for the least ones.
            return ~np.asarray(function(_double_at(places)) > thresholds)

    least, greatest = (np.full(len(thresholds), _place_of(limit)) for limit in (-np.inf, np.inf))
    while (least + 1 < greatest).any():
        # Without an overflow, which a sum or a difference of the two may have.
        middle = (least >> 1) + (greatest >> 1) + (least & greatest & 1)
        left = below(middle)
        least, greatest = np.where(left, middle, least), np.where(left, greatest, middle)
    for step in range(1, _NEIGHBOURS):
        above = np.minimum(least + step, _place_of(np.inf))
        greatest = np.where(below(above), above + 1, greatest)
    # Not -0.0, to which 0.0 is equal.
    return _double_at(greatest - 1) + 0.0


_NEIGHBOURS = 16


def _place_of(number: float) -> int:
    """The place of a double among all doubles in their order, with 0.0 at 0."""
    bits = int(np.float64(number).view(np.int64))
    return bits if bits >= 0 else -(bits & 0x7FFFFFFFFFFFFFFF)


def _double_at(places: Ints) -> Doubles:
    return np.copysign(np.abs(places).view(np.float64), places)


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
