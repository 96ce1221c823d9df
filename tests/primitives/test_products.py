"""Products of elements."""

from __future__ import annotations

import math

import numpy as np
import pytest

from leapstream.bundle.types import BasicType, ScalarType
from leapstream.executors.contract import Executor
from leapstream.plan import primitives as p
from tests.primitives.cases import NUMBER, VEC, VECTOR, Case, Fails, column
from tests.primitives.running import dense, sparse

NAN = math.nan
V = column(VECTOR, "v")
NO_CATEGORY = Fails("a category is not an integer that its element may have")


def wrong_size(given: int, expected: int) -> Fails:
    return Fails(f"the vector has {given} elements, and {expected} are expected")


def interaction(*categories: tuple[int, ...]) -> p.Interaction:
    width = math.prod(map(sum, categories))
    return p.Interaction(xs=(NUMBER, V), categories=categories, type=p.vector(width))


FACTORS = p.FactorProduct(
    a=column(p.INT, "a"),
    b=column(p.INT, "b"),
    a_ids=np.array([-5, 3], dtype=np.int32),
    a_factors=np.array([[1.5, 0.1], [0.25, 8.0]], dtype=np.float32),
    b_ids=np.array([0], dtype=np.int32),
    b_factors=np.array([[2.0, 0.3]], dtype=np.float32),
    type=ScalarType(BasicType.FLOAT, nullable=False),
)
FACTOR = float(np.float32(3) + np.float32(0.1) * np.float32(0.3))
OTHER_FACTOR = float(np.float32(0.5) + np.float32(8) * np.float32(0.3))

CASES = [
    Case(
        "interactions are products of one element each",
        interaction((1,), (1, 1)),
        [((2.0, dense(3, -4)), sparse(2, {0: 6.0, 1: -8.0})), ((2.0, sparse(2, {0: 5.0})), sparse(2, {0: 10.0}))],
    ),
    Case(
        "inputs are checked from the last to the first",
        interaction((2,), (1, 1)),
        [((9.0, dense(3)), wrong_size(1, 2)), ((9.0, dense(3, 4)), NO_CATEGORY)],
    ),
    Case(
        "a category stands for its one-hot vector",
        interaction((2,), (1, 3)),
        [
            ((1.0, dense(5, 2)), sparse(8, {4: 5.0, 7: 1.0})),
            ((2.0, dense(5, 2)), NO_CATEGORY),
            ((0.0, dense(5, 0.5)), NO_CATEGORY),
            ((0.0, dense(5)), wrong_size(1, 2)),
        ],
    ),
    Case(
        "products up to a degree in Spark's order",
        p.PolynomialExpansion(x=VEC, degree=2, size=2, type=p.vector(5)),
        [
            (dense(2, 3), dense(2, 4, 3, 6, 9)),
            (sparse(2, {1: 3.0}), sparse(5, {2: 3.0, 4: 9.0})),
            (sparse(3, {1: 3.0, 2: 2.0}), sparse(9, {2: 3.0, 4: 9.0, 5: 2.0, 7: 6.0, 8: 4.0})),
            (sparse(1, {}), sparse(2, {})),
            (sparse(2, {1: -3.0, 0: 0.0}), sparse(5, {2: -3.0, 4: 9.0})),
            (dense(2), dense(2, 4, 0, 0, 0)),
            (dense(2, 0, 0), dense(2, 4, 0, 0, 0)),
            (dense(2, 0, 1), wrong_size(3, 2)),
        ],
    ),
    Case(
        "a product of factors is summed in single precision",
        FACTORS,
        [((-5, 0), FACTOR), ((3, 0), OTHER_FACTOR), ((4, 0), NAN), ((3, -1), NAN)],
    ),
    Case(
        "products of powers",
        p.PowerProducts(x=VEC, terms=((), ((0, 1),), ((1, 3), (0, 1))), type=p.vector(3)),
        [(dense(2, 3), dense(1, 2, 54)), (dense(2), Fails("the vector has 1 elements, and element 1 is read"))],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, executor: Executor) -> None:
    case.check(executor)
