"""Nearest centres, clusters and topics."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special

from leapstream import Tensor
from leapstream.bundle.definition import ClusterTree
from leapstream.executors.contract import Executor
from leapstream.plan import primitives as p
from tests.ops.classes import clusters
from tests.primitives.cases import VEC, Case, Fails
from tests.primitives.running import dense, sparse
from tests.primitives.test_linear import REFUSED, SPARSE, TOO_SHORT

NAN = math.nan
FAR = ClusterTree(
    index=np.array([-1, 0, 1], dtype=np.int32),
    norm=np.array([0.5, 1.0, 2.0]),
    centers=np.array([[0.5], [-1.0], [2.0]]),
    num_children=np.array([2, 0, 0], dtype=np.int32),
)
CENTERS = np.array([[0.0, 0.0, 9.0], [0.0, 0.0, 5.0], [0.0, 0.0, 5.0], [1.0, 2.0, 3.0]])
TERMS = np.exp(special.psi(np.random.default_rng(5).gamma(1.0, 1.0, (6, 2))) - special.psi(6.0))


def topics(counts: list[float]) -> Tensor:
    """The inference as the primitive's docstring has it."""
    x = np.array(counts)
    gamma = np.ones(2)
    while True:
        theta = np.exp(special.psi(gamma) - special.psi(gamma.sum()))
        phi = TERMS @ theta + 1e-100
        after = 0.1 + theta * (TERMS.T @ (x / phi))
        change = np.abs(after - gamma).mean()
        gamma = after
        if change <= 1e-3:
            return Tensor.dense(gamma / gamma.sum())


CASES = [
    Case(
        "nearest takes the first of equals, and 0 for NaN",
        p.Nearest(x=VEC, centers=CENTERS, type=p.INT),
        [(dense(1, 2, 3), 3), (SPARSE, 1), *REFUSED, (dense(NAN, 0, 0), 0)],
    ),
    Case(
        "nearest looks at the size of a vector when it computes a distance",
        p.Nearest(x=VEC, centers=CENTERS, type=p.INT),
        [
            (dense(math.inf), 0),
            (dense(NAN, 0), 0),
            (dense(1e200, 0, 0, 0), 0),
            (sparse(7, {5: -math.inf}), 0),
            (dense(1e100), Fails("the vector has 1 elements, and 3 are expected")),
        ],
    ),
    Case(
        "nearest computes no distance from a center that is not finite",
        p.Nearest(x=VEC, centers=np.array([[NAN, 0.0], [0.0, math.inf]]), type=p.INT),
        [(dense(1), 0), (dense(1, 2), 0), (dense(), 0)],
    ),
    Case(
        "nearest may have centers without elements",
        p.Nearest(x=VEC, centers=np.zeros((3, 0)), type=p.INT),
        [(dense(), 0), (sparse(1, {}), Fails("the vector has 1 elements, and 0 are expected"))],
    ),
    Case(
        "scaled distances go by element",
        p.ScaledDistances(
            x=VEC, centers=CENTERS[:2], scales=np.array([[1.0, 2.0, 4.0], [1.0, 0.0, 1.0]]), type=p.vector(2)
        ),
        [(dense(1, 2, 3), dense(1 + 2 + 9, math.inf)), (SPARSE, dense(4, NAN)), *REFUSED],
    ),
    Case(
        "squared distances are added up",
        p.Distances(x=VEC, centers=CENTERS[:2], metric="squared", type=p.vector(2)),
        [(dense(1, 2, 3), dense(1 + 4 + 36, 1 + 4 + 4)), (SPARSE, dense(16, 0)), *REFUSED],
    ),
    Case(
        "distances by blocks are those of magnitudes",
        p.Distances(x=VEC, centers=CENTERS[:2], metric="manhattan", type=p.vector(2)),
        [(dense(1, -2, 3), dense(9, 5)), (dense(NAN, 0, 0), dense(NAN, NAN)), *REFUSED],
    ),
    Case(
        "the greatest of distances is NaN where one is",
        p.Distances(x=VEC, centers=CENTERS[:2], metric="chebyshev", type=p.vector(2)),
        [(dense(1, -2, 3), dense(6, 2)), (dense(0, NAN, 0), dense(NAN, NAN)), *REFUSED],
    ),
    Case(
        "distances of what is present go for the others",
        p.Distances(x=VEC, centers=np.array([[0.0, NAN, 1.0], [1.0, 1.0, 1.0]]), metric="present", type=p.vector(2)),
        [
            (dense(1, 2, 3), dense((1 + 4) / 2 * 3, 0 + 1 + 4)),
            (dense(NAN, 5, NAN), dense(NAN, 16 * 3)),
            *REFUSED,
        ],
    ),
    Case(
        "the nearest neighbours are the first of equals",
        p.NeighborWeights(x=VEC, count=2, radius=math.inf, weighting="uniform", type=p.vector(4)),
        [
            (dense(3, 1, 2, 1), dense(0, 1, 0, 1)),
            (dense(2, 2, 2, -0.0), dense(1, 0, 0, 1)),
            (dense(NAN, NAN, NAN, 5), dense(0, 0, 0, 1)),
            (dense(1), dense(1)),
            (sparse(4, {0: 1.0, 3: 2.0}), dense(0, 1, 1, 0)),
        ],
    ),
    Case(
        "neighbours within a radius weigh by their distance",
        p.NeighborWeights(x=VEC, count=9, radius=2.0, weighting="distance", type=p.vector(4)),
        [(dense(3, 1, 2, NAN), dense(0, 1, 2, 0))],
    ),
    Case(
        "neighbours at no distance are alone",
        p.NeighborWeights(x=VEC, count=2, radius=9.0, weighting="inverse", type=p.vector(3)),
        [(dense(4, 2, 8), dense(0.25, 0.5, 0)), (dense(4, 0, 8), dense(0, 1, 0)), (dense(0, 10, -0.0), dense(1, 0, 1))],
    ),
    Case(
        "distances of vectors without elements are 0",
        p.ScaledDistances(x=VEC, centers=np.zeros((2, 0)), scales=np.ones((2, 0)), type=p.vector(2)),
        [(dense(), dense(0, 0))],
    ),
    Case(
        "a leaf is reached through the nearest children",
        p.NearestLeaf(x=VEC, tree=clusters(), type=p.INT),
        [
            (sparse(3, {0: -5.0}), 0),
            (sparse(3, {}), 1),
            (dense(4, 0, 1), 2),
            (dense(1), TOO_SHORT),
            (dense(NAN, 0, 0), Fails("the vector's norm is NaN")),
        ],
    ),
    Case(
        "an infinite distance of a sparse vector is NaN where that of a dense one is infinite",
        p.NearestLeaf(x=VEC, tree=FAR, type=p.INT),
        [
            (sparse(1, {0: -math.inf}), 1),
            (dense(-math.inf), 0),
            (sparse(1, {0: math.inf}), 0),
            (dense(math.inf), 0),
            (sparse(1, {0: -1e200}), 0),
            (dense(2), 1),
        ],
    ),
    Case(
        "topics of a document add up to 1",
        p.TopicMixture(x=VEC, weights=TERMS, alpha=np.full(2, 0.1), start=np.ones(2), type=p.vector(2)),
        [
            (dense(1, 0, 2, 0, 0, 3), topics([1, 0, 2, 0, 0, 3])),
            (sparse(6, {5: 1.0, 0: 2.0}), topics([2, 0, 0, 0, 0, 1])),
            (sparse(6, {}), dense(0, 0)),
            (sparse(7, {0: 1.0, 6: 1.0}), Fails("the document has terms beyond the 6 known")),
        ],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, executor: Executor) -> None:
    case.check(executor)
