"""Classifiers and clusterings over batches."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import special
from scipy.sparse import csr_array

from leapstream.executors.columns import Column
from leapstream.executors.contract import Outcome
from leapstream.executors.vectorized.clusterkernels import _digamma
from leapstream.executors.vectorized.executor import VectorizedPlan
from leapstream.layouts.clusters import subtree_ends
from leapstream.plan import primitives as p
from tests.ops.classes import clusters
from tests.primitives.cases import plan_of

VECTOR = p.vector(None)
NAN, INF = math.nan, math.inf


def batch(expr: Any, x: p.Input, values: Any) -> Outcome[Column]:
    return VectorizedPlan(plan_of(out=expr)).run({"x": Column(values)}, values.shape[0])


@pytest.fixture
def x() -> p.Input:
    return p.Input(name="x", type=VECTOR)


def test_sparse_rows_are_checked_as_they_are(x: p.Input) -> None:
    values = csr_array(np.array([[0.0, 1.0], [0.0, 2.0], [0.0, 0.0], [NAN, 0.0]]))
    result = batch(p.RequireElements(x=x, allowed="zero_or_one", type=VECTOR), x, values)
    assert result.failed.tolist() == [False, True, False, True]
    assert result.columns["out"].values is values


def test_sparse_documents_have_the_topics_of_dense_ones(x: p.Input) -> None:
    rng = np.random.default_rng(3)
    weights = rng.uniform(0.01, 1.0, (20, 3))
    mixture = p.TopicMixture(x=x, weights=weights, alpha=np.full(3, 0.1), start=np.ones(3), type=p.vector(3))
    counts = rng.poisson(0.2, (50, 20)).astype(np.float64)
    counts[7] = 0.0
    dense, sparse = batch(mixture, x, counts), batch(mixture, x, csr_array(counts))
    np.testing.assert_array_equal(dense.columns["out"].values, sparse.columns["out"].values)
    np.testing.assert_allclose(dense.columns["out"].values.sum(axis=1), counts.any(axis=1))
    wider = csr_array(np.hstack([counts, counts[:, :1]]))
    assert batch(mixture, x, wider).failed.tolist() == (counts[:, 0] != 0).tolist()


def test_digamma_is_accurate() -> None:
    values = np.concatenate([np.logspace(-9, 9, 400), [-0.5, -3.25]])
    np.testing.assert_allclose([_digamma(v) for v in values], special.psi(values), rtol=1e-12, atol=1e-13)
    assert _digamma(0.0) == -INF
    assert math.isnan(_digamma(NAN))


def test_subtree_ends_where_the_next_sibling_stands() -> None:
    assert subtree_ends(clusters()).tolist() == [5, 4, 3, 4, 5]


def test_failures_of_a_switch_keep_their_rows_and_reasons(x: p.Input) -> None:
    position = p.Input(name="at", type=p.DOUBLE)
    plans = []
    for size in (2, 3):
        inner = p.Input(name="0", type=VECTOR)
        plans.append(plan_of(out=p.Dot(x=inner, weights=np.ones(size), intercept=0.0, type=p.DOUBLE)))
    switch = p.Switch(position=position, xs=(x,), plans=tuple(plans), type=p.DOUBLE)
    plan = plan_of(out=switch)
    columns = {"at": Column(np.array([1.0, 0.0, 1.0, 0.0])), "x": Column(np.ones((4, 2)))}
    result = VectorizedPlan(plan).run(columns, 4)
    assert result.failed.tolist() == [True, False, True, False]
    assert "2 elements, and 3 are expected" in result.error(2).reason
    assert result.columns["out"].values[[1, 3]].tolist() == [2.0, 2.0]
