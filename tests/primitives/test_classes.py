"""Classes: probabilities and predictions from scores."""

from __future__ import annotations

import math

import numpy as np
import pytest

from leapstream import Tensor
from leapstream.executors.contract import Executor
from leapstream.plan import primitives as p
from tests.primitives.cases import NUMBER, VEC, VECTOR, Case, Fails, together
from tests.primitives.running import dense, sparse

NAN, INF = math.nan, math.inf
E = math.exp(-1)
SPARSE = sparse(3, {2: 5.0})
NO_VECTOR = Fails("a vector is expected, not a tensor of 2 dimensions")
NOT_BIT = Fails("an element is not 0 or 1")
TELLING = [dense(1, NAN, INF, NAN), dense(-0.0, 0.0), dense(-INF, -2, -2), sparse(3, {0: -1.0})]

CASES = [
    Case(
        "the median is reached at half of the weights",
        p.WeightedMedian(x=VEC, weights=np.array([1.0, 2.0, 1.0]), type=p.DOUBLE),
        [
            (dense(5, 1, 3), 1.0),
            (dense(1, 5, 3), 3.0),
            (dense(math.nan, 5, 3), 5.0),
            (dense(1, 1), Fails("the vector has 2 elements, and 3 are expected")),
        ],
    ),
    Case(
        "softmax survives large and infinite margins",
        p.Softmax(x=VEC, type=VECTOR),
        [
            (dense(1000, 1000), dense(0.5, 0.5)),
            (dense(-1, 0), dense(E / (1 + E), 1 / (1 + E))),
            (dense(0, INF), dense(0, 1)),
            (dense(NAN, 0), dense(NAN, NAN)),
        ],
    ),
    Case(
        "normalize_sum leaves a sum of 0",
        p.NormalizeSum(x=VEC, type=VECTOR),
        [(dense(1, 3), dense(0.25, 0.75)), (dense(1, -1), dense(1, -1))],
    ),
    Case(
        "normalize_sum of packed numbers",
        p.NormalizeSum(x=p.Pack(xs=(NUMBER, NUMBER), type=p.vector(2)), type=p.vector(2)),
        [(-3.0, dense(0.5, 0.5)), (0.0, dense(0, 0))],
    ),
    Case(
        "elements that are not stored have no share",
        p.NormalizeSum(x=VEC, type=VECTOR),
        [(sparse(2, {1: -3.0}), sparse(2, {1: 1.0})), (dense(0, -3), dense(-0.0, 1))],
    ),
    Case(
        "elements that are not stored have no share behind another primitive either",
        p.NormalizeSum(x=p.Recode(x=VEC, size=2, positions=(), tables=(), others=(), type=VECTOR), type=VECTOR),
        [(sparse(2, {1: -3.0}), sparse(2, {1: 1.0}))],
    ),
    Case(
        "vectors without elements",
        p.ExpNormalize(x=p.Softmax(x=VEC, type=VECTOR), type=VECTOR),
        [(dense(), dense())],
    ),
    Case("no element is the greatest of none", p.ArgMax(x=VEC, type=p.DOUBLE), [(dense(), -1.0)]),
    Case(
        "none is the greatest of none",
        p.Greatest(x=VEC, position=False, type=p.DOUBLE),
        [(dense(), Fails("the vector has 0 elements, and element 0 is read"))],
    ),
    Case(
        "a tensor that is no vector has no classes",
        p.ArgMax(x=VEC, type=p.DOUBLE),
        [(Tensor.dense([[1.0]]), NO_VECTOR)],
    ),
    Case(
        "arg_max takes the first of equals, and a NaN in front",
        p.ArgMax(x=VEC, type=p.DOUBLE),
        [(dense(1, 3, 3), 1.0), (dense(NAN, 3), 0.0), (dense(1, NAN, 3), 2.0), (SPARSE, 2.0), (dense(-INF, -INF), 0.0)],
    ),
    Case(
        "arg_max divides by thresholds",
        p.ArgMax(x=VEC, thresholds=np.array([0.5, 0.1]), type=p.DOUBLE),
        [(dense(0.6, 0.4), 1.0), (dense(1), Fails("the vector has 1 elements, and 2 are expected"))],
    ),
    Case(
        "a threshold of 0 makes infinite",
        p.ArgMax(x=VEC, thresholds=np.array([0.5, 0.0]), type=p.DOUBLE),
        [(dense(1, 0), 1.0)],
    ),
    Case(
        "greatest takes NaN over all, and 0.0 over -0.0",
        p.Greatest(x=VEC, position=False, type=p.DOUBLE),
        list(zip(TELLING, [NAN, 0.0, -2.0, 0.0], strict=True)),
    ),
    Case("greatest has a position", p.Greatest(x=VEC, position=True, type=p.DOUBLE), [(row, 1.0) for row in TELLING]),
    Case(
        "stored elements alone are checked",
        p.RequireElements(x=VEC, allowed="zero_or_one", type=VECTOR),
        [
            (dense(0, 1), dense(0, 1)),
            (sparse(9, {4: 1.0}), sparse(9, {4: 1.0})),
            (dense(0, 2), NOT_BIT),
            (sparse(9, {4: NAN}), NOT_BIT),
        ],
    ),
    Case(
        "elements have to be at least 0",
        p.RequireElements(x=VEC, allowed="nonnegative", type=VECTOR),
        [(dense(0, 2), dense(0, 2)), (dense(-1), Fails("an element is not at least 0")), (dense(-0.0), dense(-0.0))],
    ),
    Case(
        "shares survive large numbers",
        p.ExpNormalize(x=VEC, type=VECTOR),
        [(dense(1000, 1000), dense(0.5, 0.5)), (dense(-1000, 0), dense(0, 1)), (dense(INF, 0), dense(NAN, NAN))],
    ),
    Case(
        "logarithms of shares survive large numbers",
        p.ExpNormalize(x=VEC, log=True, type=VECTOR),
        [
            (dense(1000, 1000), dense(1000 - (math.log(2) + 1000), 1000 - (math.log(2) + 1000))),
            (dense(-1000, 0), dense(-1000, 0)),
        ],
    ),
    Case(
        "squares are summed by groups",
        p.SquareSums(x=VEC, size=2, type=VECTOR),
        [(dense(1, 2, 3, 4), dense(5, 25)), (sparse(4, {3: 2.0}), dense(0, 4)), (dense(), dense())],
    ),
    Case(
        "shares of numbers put together keep the zeros",
        p.NormalizeSum(x=together(6), type=p.vector(6)),
        [(-2.0, sparse(6, {0: 1.0})), (0.0, sparse(6, {}))],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, executor: Executor) -> None:
    case.check(executor)
