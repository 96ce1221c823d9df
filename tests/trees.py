"""Trees of random shape, and what they give row by row, node by node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from leapstream.bundle.definition import CATEGORICAL, CATEGORICAL_NOT, CONTINUOUS, LEAF, Tree
from leapstream.executors.rowwise.runtime import add_up
from leapstream.plan import primitives as p

NUMBERS = [-np.inf, -1.0, -0.0, 0.0, 0.5, 1.0, 2.0, np.inf, np.nan]
"""Values that tests and thresholds have in common."""


class _Nodes:
    def __init__(self) -> None:
        self.rows: list[tuple[int, int, float, list[float]]] = []
        self.right: list[int] = []

    def add(self, kind: int, feature: int, threshold: float, data: Sequence[float]) -> int:
        self.rows.append((kind, feature, threshold, list(data)))
        self.right.append(-1)
        return len(self.rows) - 1

    def tree(self) -> Tree:
        kind, feature, threshold, data = zip(*self.rows, strict=True)
        ends = np.cumsum([len(d) for d in data])
        return Tree(
            kind=np.array(kind, dtype=np.uint8),
            feature=np.array(feature, dtype=np.int32),
            threshold=np.array(threshold),
            right=np.array(self.right, dtype=np.int32),
            data_start=(ends - [len(d) for d in data]).astype(np.int32),
            data_end=ends.astype(np.int32),
            data=np.concatenate([np.array(d, dtype=float) for d in data]),
            num_categories=np.array([len(d) if k >= CATEGORICAL else 0 for k, _, _, d in self.rows], dtype=np.int32),
        )


def random_tree(
    rng: np.random.Generator,
    depth: int,
    features: int,
    width: int = 1,
    categories: bool = False,
    split: float = 0.8,
    numbered: int | None = None,
    cuts: Sequence[float] = NUMBERS,
) -> Tree:
    """A tree of at most ``depth`` levels below its root, of splits at some cuts.

    The element ``numbered`` is always tested for some of the categories 0, 1 and 2.
    """
    nodes = _Nodes()

    def grow(left: int) -> None:
        if left == 0 or rng.random() > split:
            nodes.add(LEAF, -1, np.nan, rng.choice([0.0, 1.0, 2.0, rng.normal()], width).tolist())
            return
        feature = int(rng.integers(features))
        if feature == numbered or (categories and rng.random() < 0.4):
            kind = CATEGORICAL if rng.random() < 0.5 else CATEGORICAL_NOT
            known = [0.0, 1.0, 2.0] if feature == numbered else NUMBERS
            node = nodes.add(kind, feature, np.nan, rng.choice(known, int(rng.integers(4)), replace=False).tolist())
        else:
            node = nodes.add(CONTINUOUS, feature, float(rng.choice(cuts)), [])
        grow(left - 1)
        nodes.right[node] = len(nodes.rows)
        grow(left - 1)

    grow(depth)
    return nodes.tree()


def chain(length: int, features: int) -> Tree:
    """A tree with one leaf on each level: the leaf of level k, worth k, is for rows whose element is greater than k."""
    nodes = _Nodes()
    for k in range(length):
        nodes.add(CONTINUOUS, k % features, float(k), [])
    nodes.add(LEAF, -1, np.nan, [float(length)])
    for k in reversed(range(length)):
        nodes.right[k] = nodes.add(LEAF, -1, np.nan, [float(k)])
    return nodes.tree()


def leaf_of(tree: Tree, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64] | None:
    """The values at the leaf that a row reaches; ``None`` where a test reads beyond it."""
    node = 0
    while tree.kind[node] != LEAF:
        if tree.feature[node] >= len(x):
            return None
        value = x[tree.feature[node]]
        if tree.kind[node] == CONTINUOUS:
            left = value <= tree.threshold[node]
        else:
            categories = tree.data[tree.data_start[node] : tree.data_end[node]]
            left = bool((categories == value).any()) == (tree.kind[node] == CATEGORICAL)
        node = node + 1 if left else int(tree.right[node])
    return tree.data[tree.data_start[node] : tree.data_end[node]]


def expected(expr: p.Trees, rows: npt.NDArray[np.float64]) -> list[list[float] | float | None]:
    """The result of an ensemble for each row; ``None`` where the row fails."""

    def one(x: npt.NDArray[np.float64]) -> list[float] | float | None:
        leaves = [leaf_of(tree, x) for tree in expr.trees]
        found = [leaf for leaf in leaves if leaf is not None]
        if len(found) < len(leaves):
            return None
        if expr.combine in ("leaf", "votes"):
            sums = [0.0] * expr.width
            for leaf in found:
                total = add_up(leaf.tolist())
                share = leaf if expr.combine == "leaf" else leaf / total if total != 0 else leaf * 0
                sums = [s + float(v) for s, v in zip(sums, share, strict=False)]
            return sums
        weights = [1.0] * len(found) if expr.weights is None else expr.weights.tolist()
        total = 0.0
        for weight, leaf in zip(weights, found, strict=True):
            total += weight * float(leaf[0])
        return total / len(found) if expr.combine == "mean" else total

    return [one(x) for x in rows]


def telling(expr: p.Trees) -> npt.NDArray[np.float64]:
    """Values that tell the tests of an ensemble apart."""
    cuts = np.unique(np.concatenate([tree.threshold[tree.kind == CONTINUOUS] for tree in expr.trees]))
    with np.errstate(over="ignore"):
        near = [cuts, np.nextafter(cuts, -np.inf), np.nextafter(cuts, np.inf)]
    return np.concatenate([NUMBERS, [-1.7e308, 1.7e308, 1e17], *near])


ENSEMBLES = (
    "mean", "weighted", "mixed", "spread", "crowded", "huge", "one cut", "votes", "numbered", "leaf", "chain", "stump",
)  # fmt: skip


def ensemble(kind: str, x: p.Expr, rng: np.random.Generator, features: int) -> p.Trees:
    """A random ensemble of one of the kinds :data:`ENSEMBLES` over a vector."""

    def trees(count: int, depth: int, **options: object) -> tuple[Tree, ...]:
        return tuple(random_tree(rng, depth, features, **options) for _ in range(count))  # type: ignore[arg-type]

    def added(count: int, depth: int, **options: object) -> p.Trees:
        return p.Trees(x=x, trees=trees(count, depth, **options), combine="sum", width=1, type=p.DOUBLE)

    def classes(combine: Literal["leaf", "votes"], count: int, **options: object) -> p.Trees:
        made = trees(count, 5, width=3, **options)
        return p.Trees(x=x, trees=made, combine=combine, width=3, type=p.vector(3))

    match kind:
        case "mean":
            return replace(added(13, 4), combine="mean")
        case "weighted":
            return replace(added(9, 14, split=0.7), weights=rng.normal(size=9))
        case "mixed":
            return replace(added(6, 6), trees=trees(6, 6, categories=True) + trees(5, 7))
        case "spread":
            return added(30, 5, split=1.0, cuts=rng.normal(size=200))
        case "crowded":
            # Some lie so close together that no division tells them apart …
            return added(30, 5, split=1.0, cuts=[*(1.0 + 1e-15 * np.arange(30)), 1e6])
        case "huge":
            # … and others so far from each other that it overflows.
            return added(30, 5, split=1.0, cuts=rng.choice([-1.7e308, 1.7e308], 30) * rng.random(30))
        case "one cut":
            return added(3, 1, split=1.0, cuts=[0.5])
        case "votes":
            return classes("votes", 7, categories=True)
        case "numbered":
            return classes("votes", 40, numbered=features - 1)
        case "leaf":
            return classes("leaf", 1, categories=True)
        case "chain":
            return replace(added(0, 0), trees=(chain(30, features),) * 5)
        case "stump":
            return added(1, 0)
    raise KeyError(kind)
