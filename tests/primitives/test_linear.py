"""Linear algebra over vectors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import fft

from leapstream import Tensor
from leapstream.executors.contract import Executor
from leapstream.plan import primitives as p
from tests.primitives.cases import NUMBER, VEC, VECTOR, Case, Fails, column, together
from tests.primitives.running import dense, sparse

NAN, INF = math.nan, math.inf
V = column(VECTOR, "v")
SPARSE = sparse(3, {2: 5.0})
TOO_SHORT = Fails("the vector has 1 elements, and 3 are expected")
NO_VECTOR = Fails("a vector is expected, not a tensor of 2 dimensions")
REFUSED = [(dense(1), TOO_SHORT), (Tensor.dense([[1.0, 2.0, 3.0]]), NO_VECTOR)]
SUMMED = np.random.default_rng(3).normal(size=37) * 10.0 ** np.random.default_rng(4).integers(-8, 8, 37)


def in_order(values: list[float]) -> float:
    total = 0.0
    for value in values:
        total += value
    return total


def transform(size: int, inverse: bool) -> Case:
    values = np.random.default_rng(size).normal(size=size) * 100
    expected = (fft.idct if inverse else fft.dct)(values, norm="ortho")
    name = f"the cosine transform of {size} elements, {inverse=}"
    return Case(
        name, p.CosineTransform(x=VEC, inverse=inverse, type=VECTOR), [(Tensor.dense(values), Tensor.dense(expected))]
    )


CASES = [
    Case(
        "dot takes vectors of its size alone",
        p.Dot(x=VEC, weights=np.array([1.0, 10.0, 100.0]), intercept=0.5, type=p.DOUBLE),
        [(dense(1, 2, 3), 321.5), (SPARSE, 500.5), *REFUSED],
    ),
    Case(
        "dot adds up from the first element to the last",
        p.Dot(x=VEC, weights=SUMMED, intercept=0.0, type=p.DOUBLE),
        [
            (Tensor.dense(SUMMED[::-1].copy()), in_order((SUMMED[::-1] * SUMMED).tolist())),
            (dense(*[1.0] * 37), in_order(SUMMED.tolist())),
        ],
    ),
    Case(
        "mat_vec takes vectors of its width alone",
        p.MatVec(x=VEC, matrix=np.arange(6.0).reshape(2, 3), intercepts=np.array([1.0, 2.0]), type=p.vector(2)),
        [(dense(1, 2, 3), dense(9, 28)), (SPARSE, dense(11, 27)), *REFUSED],
    ),
    Case(
        "linear_sum reads numbers and vectors",
        p.LinearSum(
            xs=(NUMBER, V), weights=(np.array([2.0]), np.array([1.0, 1.0, 100.0])), intercept=0.5, type=p.DOUBLE
        ),
        [((1.0, SPARSE), 502.5), ((1.0, dense(1, 1, 0)), 4.5), ((1.0, dense(1)), TOO_SHORT)],
    ),
    *(transform(size, inverse) for size in (1, 2, 3, 5, 8, 20, 36, 64, 255) for inverse in (False, True)),
    Case(
        "a cosine transform with NaN is NaN",
        p.CosineTransform(x=VEC, inverse=False, type=VECTOR),
        [
            (dense(NAN, 1), dense(NAN, NAN)),
            (dense(1, math.inf), dense(NAN, NAN)),
            (dense(math.inf), dense(math.inf)),
            (dense(), Fails("the vector has no elements")),
        ],
    ),
    Case(
        "products that are negative zeros add up to 0",
        p.Dot(x=VEC, weights=np.ones(2), intercept=-0.0, type=p.DOUBLE),
        [(dense(-0.0, -0.0), 0.0)],
    ),
    Case(
        "an infinite weight counts for the stored elements of numbers put together",
        p.Dot(x=together(6), weights=np.array([2.0, *[INF] * 5]), intercept=1.0, type=p.DOUBLE),
        [(1.0, 3.0), (-2.0, -3.0)],
    ),
    *(
        Case(
            f"infinite elements of a matrix count for the stored ones of {size} numbers put together",
            p.MatVec(
                x=together(size),
                matrix=np.array([[2.0, *[INF] * (size - 1)], [-INF, *[1.0] * (size - 1)]]),
                intercepts=np.zeros(2),
                type=p.vector(2),
            ),
            [(1.0, dense(2.0, -INF)), (0.0, dense(0.0, 0.0))],
        )
        for size in (6, 70)
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, executor: Executor) -> None:
    case.check(executor)
