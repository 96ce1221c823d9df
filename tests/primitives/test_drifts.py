"""Values at which executors once differed: zeros of both signs, categories beyond 32 bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from leapstream.bundle.definition import CONTINUOUS, LEAF, Tree
from leapstream.bundle.types import Schema
from leapstream.executors import failures
from leapstream.executors.registry import executors
from leapstream.plan import primitives as p
from leapstream.plan.planning import make_plan
from tests.primitives.running import Failed, dense, run, same, sparse

EXECUTORS = [pytest.param(name, marks=pytest.mark.flink if name == "jvm" else ()) for name in executors()]


def found(name: str, expr: p.Expr, rows: list[Any]) -> list[Any]:
    """The results of an expression over one input, row by row; a row that fails gives the reason."""
    (x,) = expr.operands
    assert isinstance(x, p.Input)
    plan = make_plan("m", Schema.of([(x.name, x.type)]), [x, expr], [("out", expr)])
    executor = executors()[name]
    if executor.missing(plan):
        pytest.skip(f"{name} lacks {executor.missing(plan)}")
    results = run(executor.prepare(plan), [[row] for row in rows])
    return [result.reason if isinstance(result, Failed) else result["out"] for result in results]


def check(name: str, expr: p.Expr, rows: list[Any], wanted: list[Any]) -> None:
    results = found(name, expr, rows)
    assert all(same(a, b) for a, b in zip(results, wanted, strict=True)), results


def stump(threshold: float) -> Tree:
    """A split with the leaf 10 on the left and 20 on the right."""
    return Tree(
        kind=np.array([CONTINUOUS, LEAF, LEAF], dtype=np.uint8),
        feature=np.array([0, -1, -1], dtype=np.int32),
        threshold=np.array([threshold, np.nan, np.nan]),
        right=np.array([2, -1, -1], dtype=np.int32),
        data_start=np.array([0, 0, 1], dtype=np.int32),
        data_end=np.array([0, 1, 2], dtype=np.int32),
        data=np.array([10.0, 20.0]),
        num_categories=np.zeros(3, dtype=np.int32),
    )


NUMBER = p.Input(name="x", type=p.DOUBLE)
PAIR = p.Input(name="x", type=p.vector(2))


@pytest.mark.parametrize("threshold", [0.0, -0.0])
@pytest.mark.parametrize("name", EXECUTORS)
def test_zeros_of_both_signs_go_left_at_a_threshold_of_zero(name: str, threshold: float) -> None:
    trees = p.Trees(x=PAIR, trees=(stump(threshold),), combine="mean", width=1, type=p.DOUBLE)
    rows = [dense(0.0, 1.0), dense(-0.0, 1.0), sparse(2, {1: 1.0}), dense(5e-324, 1.0)]
    check(name, trees, rows, [10.0, 10.0, 10.0, 20.0])


@pytest.mark.parametrize("name", EXECUTORS)
@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 0.0), (-0.0, 1.0), (-1.0, -0.0)])
def test_a_zero_at_a_bound_of_zero_keeps_its_sign(name: str, low: float, high: float) -> None:
    clip = p.Clip(x=PAIR, low=low, high=high, type=PAIR.type)
    check(name, clip, [dense(-0.0, 0.0), dense(0.0, -0.0)], [dense(-0.0, 0.0), dense(0.0, -0.0)])


@pytest.mark.parametrize("name", EXECUTORS)
def test_products_that_are_negative_zeros_add_up_to_zero(name: str) -> None:
    dot = p.Dot(x=PAIR, weights=np.array([1.0, 1.0]), intercept=-0.0, type=p.DOUBLE)
    check(name, dot, [dense(-0.0, -0.0)], [0.0])


@pytest.mark.parametrize("name", EXECUTORS)
@pytest.mark.parametrize("keep", [True, False])
def test_a_category_beyond_32_bits_is_no_integer(name: str, keep: bool) -> None:
    encoded = p.OneHot(x=NUMBER, categories=3, width=4, keep=keep, type=p.vector(4))
    weight = p.CategoryWeight(x=NUMBER, weights=np.array([1.0, 2.0, 3.0, 4.0]), categories=3, keep=keep, type=p.DOUBLE)
    rows = [2.0**31, -(2.0**31) - 1, 1e20, 0.5, float("nan")]
    for expr in (encoded, weight):
        check(name, expr, rows, [failures.no_integer_category(x) for x in rows])


@pytest.mark.parametrize("name", EXECUTORS)
def test_a_category_of_32_bits_beyond_the_known_ones_is_kept(name: str) -> None:
    weight = p.CategoryWeight(x=NUMBER, weights=np.array([1.0, 2.0, 3.0, 4.0]), categories=3, keep=True, type=p.DOUBLE)
    check(name, weight, [2.0**31 - 1, -(2.0**31), 3.0, -0.0], [4.0, 4.0, 4.0, 1.0])
