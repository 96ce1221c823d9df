"""Classifiers and clusterings on the JVM."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from leapstream import Tensor
from leapstream.executors.columns import Column
from leapstream.executors.vectorized.executor import VectorizedPlan
from leapstream.ops.base import Op
from leapstream.plan import primitives as p
from tests.executors.jvm.conftest import Run, column, plan_of
from tests.executors.jvm.test_primitives import check as check_values
from tests.ops.classes import OPS, check, clusters, outputs, rows_of

pytestmark = pytest.mark.flink

VECTOR = p.vector(None)
NAN, INF = math.nan, math.inf


def dense(*values: float) -> Tensor:
    return Tensor.dense(list(values))


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.op)
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_backends_agree(op: Op, data: st.DataObject) -> None:
    rows = [list(row) for row in data.draw(rows_of(op))]
    for found, expected in zip(outputs(op, *rows, backend="jvm"), outputs(op, *rows), strict=True):
        check(found, expected)


def test_greatest_takes_nan_over_all_and_0_over_its_negative(run: Run) -> None:
    x = column(VECTOR)
    rows = [[dense(1, NAN, INF, NAN)], [dense(-0.0, 0.0)], [dense(-INF, -2, -2)], [Tensor.sparse(3, [0], [-1.0])]]
    assert run(p.Greatest(x=x, position=True, type=p.DOUBLE), x, rows=rows) == [1.0, 1.0, 1.0, 1.0]
    check_values(run(p.Greatest(x=x, position=False, type=p.DOUBLE), x, rows=rows), [NAN, 0.0, -2.0, 0.0])


def test_stored_elements_alone_are_checked(run: Run) -> None:
    x = column(VECTOR)
    rows = [[dense(0, 1)], [Tensor.sparse(9, [4], [1.0])], [dense(0, 2)], [Tensor.sparse(9, [4], [NAN])]]
    found = run(p.RequireElements(x=x, allowed="zero_or_one", type=VECTOR), x, rows=rows)
    check_values(found, [*(row[0] for row in rows[:2]), "not 0 or 1", "not 0 or 1"])
    found = run(p.RequireElements(x=x, allowed="nonnegative", type=VECTOR), x, rows=[[dense(0, 2)], [dense(-1)]])
    check_values(found, [dense(0, 2), "not at least 0"])


def test_logarithms_of_shares_survive_large_numbers(run: Run) -> None:
    x = column(VECTOR)
    rows = [[dense(1000, 1000)], [dense(-1000, 0)]]
    half = math.log(0.5)
    check_values(run(p.ExpNormalize(x=x, log=True, type=VECTOR), x, rows=rows), [dense(half, half), dense(-1000, 0)])
    check_values(run(p.ExpNormalize(x=x, type=VECTOR), x, rows=rows), [dense(0.5, 0.5), dense(0, 1)])


def test_squares_are_summed_by_groups(run: Run) -> None:
    x = column(VECTOR)
    rows = [[dense(1, 2, 3, 4)], [Tensor.sparse(4, [3], [2.0])]]
    check_values(run(p.SquareSums(x=x, size=2, type=VECTOR), x, rows=rows), [dense(5, 25), dense(0, 4)])


def test_leaf_in_reach_of_a_sparse_vector(run: Run) -> None:
    x = column(VECTOR)
    rows: list[list[Any]] = [[Tensor.sparse(3, [0], [-5.0])], [Tensor.sparse(3, [], [])], [dense(1)]]
    found = run(p.NearestLeaf(x=x, tree=clusters(), type=p.INT), x, rows=rows)
    check_values(found, [0, 1, "has 1 elements"])


def test_topics_agree_to_the_last_digits(run: Run) -> None:
    rng = np.random.default_rng(5)
    weights = np.exp(special.psi(rng.gamma(1.0, 1.0, (40, 7))) - special.psi(40.0))
    x = column(VECTOR)
    mixture = p.TopicMixture(
        x=x, weights=weights, alpha=np.full(7, 0.1), start=rng.gamma(100.0, 0.01, 7), type=p.vector(7)
    )
    counts = rng.poisson(0.7, (30, 40)).astype(np.float64)
    found = run(mixture, x, rows=[[Tensor.dense(row)] for row in counts])
    batch = VectorizedPlan(plan_of(mixture, x)).run({"x": Column(counts)}, 30)
    np.testing.assert_allclose([f.to_dense() for f in found], batch.columns["out"].values, rtol=1e-11)
