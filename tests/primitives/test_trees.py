"""Ensembles of decision trees."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from leapstream import Tensor
from leapstream.bundle.definition import CATEGORICAL, CATEGORICAL_NOT, CONTINUOUS, LEAF, Tree
from leapstream.executors.contract import Executor
from leapstream.plan import primitives as p
from tests.primitives.cases import NUMBER, VEC, Case, Fails, column
from tests.primitives.running import dense, sparse
from tests.trees import ENSEMBLES, ensemble, expected, telling

NAN = math.nan


def stump(kind: int = CONTINUOUS, feature: int = 0, data: tuple[float, ...] = (), threshold: float = 0.5) -> Tree:
    """A split at a threshold, or by categories, with leaves (1, 3) on the left and (4, 0) on the right."""
    n = len(data)
    return Tree(
        kind=np.array([kind, LEAF, LEAF], dtype=np.uint8),
        feature=np.array([feature, -1, -1], dtype=np.int32),
        threshold=np.array([threshold if kind == CONTINUOUS else NAN, NAN, NAN]),
        right=np.array([2, -1, -1], dtype=np.int32),
        data_start=np.array([0, n, n + 2], dtype=np.int32),
        data_end=np.array([n, n + 2, n + 4], dtype=np.int32),
        data=np.array([*data, 1.0, 3.0, 4.0, 0.0]),
        num_categories=np.array([n, 0, 0], dtype=np.int32),
    )


def beyond(size: int) -> Fails:
    return Fails(f"a tree tests a feature beyond the vector's {size} elements")


def combined(combine: Any, left: Any, right: Any) -> Case:
    vectors = combine in ("leaf", "votes")
    trees = p.Trees(
        x=VEC,
        trees=(stump(),) * (1 if combine == "leaf" else 2),
        combine=combine,
        width=2 if vectors else 1,
        weights=None if vectors else np.array([1.0, 2.0]),
        type=p.vector(2) if vectors else p.DOUBLE,
    )
    return Case(
        f"trees go left up to the threshold and right for NaN, {combine}",
        trees,
        [
            (dense(0.5), left),
            (dense(0.6), right),
            (dense(NAN), right),
            (sparse(3, {1: 1.0}), left),
            (dense(), beyond(0)),
        ],
    )


def by_categories(kind: int, *results: float) -> Case:
    trees = (stump(), stump(kind, 1, (5.0, 2.0, 7.0)))
    expr = p.Trees(x=VEC, trees=trees, combine="sum", width=1, weights=np.array([0.0, 1.0]), type=p.DOUBLE)
    rows = zip([dense(0, 5), dense(0, 3), dense(0, 7), dense(0, NAN)], results, strict=True)
    return Case(f"categories may come in any order, {kind}", expr, [*rows, (dense(0), beyond(1))])


def walked(kind: str) -> Case:
    """Random ensembles give bit for bit what a walk from node to node gives."""
    rng = np.random.default_rng(7)
    expr = ensemble(kind, VEC, rng, 3)
    pairs: list[tuple[Any, Any]] = []
    for width in (1, 2, 4):
        rows = rng.choice(telling(expr), (15, width))
        results = [
            beyond(width) if theirs is None else Tensor.dense(theirs) if isinstance(theirs, list) else theirs
            for theirs in expected(expr, rows)
        ]
        pairs += [(Tensor.dense(row), result) for row, result in zip(rows, results, strict=True)]
    return Case(f"{kind}, as a walk from node to node gives it", expr, pairs)


ASSEMBLED = p.Concat(xs=(NUMBER, column(p.DOUBLE, "y")), type=p.vector(2))

CASES = [
    combined("leaf", dense(1, 3), dense(4, 0)),
    combined("votes", dense(0.5, 1.5), dense(2, 0)),
    combined("sum", 3.0, 12.0),
    combined("mean", 1.5, 6.0),
    by_categories(CATEGORICAL, 1.0, 4.0, 1.0, 4.0),
    by_categories(CATEGORICAL_NOT, 4.0, 1.0, 4.0, 1.0),
    Case(
        "groups are summed in single precision",
        p.Trees(
            x=VEC,
            trees=(stump(), stump(), stump()),
            combine="groups",
            width=2,
            groups=(0, 1, 0),
            base=np.array([np.float32(0.1), 0.0], dtype=np.float64),
            type=p.vector(2),
        ),
        [(dense(0.0), dense(float(np.float32(0.1) + np.float32(1) + np.float32(1)), 1.0))],
    ),
    Case(
        "trees read assembled numbers",
        p.Trees(x=ASSEMBLED, trees=(stump(feature=1),), combine="sum", width=1, type=p.DOUBLE),
        [((9.0, 0.0), 1.0), ((0.0, 9.0), 4.0)],
    ),
    *(walked(kind) for kind in ENSEMBLES),
    *(
        Case(
            f"zeros of both signs are at most a threshold of {threshold}",
            p.Trees(x=VEC, trees=(stump(threshold=threshold),), combine="mean", width=1, type=p.DOUBLE),
            [(dense(0.0), 1.0), (dense(-0.0), 1.0), (sparse(1, {}), 1.0), (dense(5e-324), 4.0)],
        )
        for threshold in (0.0, -0.0)
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, executor: Executor) -> None:
    case.check(executor)
