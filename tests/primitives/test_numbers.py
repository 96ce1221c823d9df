"""Numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from leapstream.executors.contract import Executor
from leapstream.plan import primitives as p
from tests.primitives.cases import NUMBER, Case, Fails
from tests.primitives.running import dense

NAN, INF = math.nan, math.inf


def interpolate(boundaries: list[float], predictions: list[float]) -> p.Interpolate:
    return p.Interpolate(x=NUMBER, boundaries=np.array(boundaries), predictions=np.array(predictions), type=p.DOUBLE)


CASES = [
    Case(
        "polynomials are those of the interval that a number is in",
        p.Polynomials(
            x=NUMBER,
            breaks=np.array([0.0, 2.0]),
            origins=np.array([0.0, 0.0, 2.0]),
            coefficients=np.array([[[0.0, 1.0], [0.0, 2.0]], [[1.0, 0.0], [2.0, 1.0]], [[-1.0, 2.0], [0.0, 5.0]]]),
            type=p.vector(2),
        ),
        [
            (-1.0, dense(1, 2)),
            (0.0, dense(0, 1)),
            (-0.0, dense(0, 1)),
            (1.5, dense(1.5, 4)),
            (2.0, dense(2, 5)),
            (5.0, dense(-1, 5)),
            (math.nan, dense(math.nan, math.nan)),
        ],
    ),
    Case(
        "a constant is the same in every row",
        p.Pack(
            xs=(p.Constant(value=-0.0, type=p.DOUBLE), p.Constant(value=NAN, type=p.DOUBLE), NUMBER), type=p.vector(3)
        ),
        [(1.0, dense(-0.0, NAN, 1)), (2.0, dense(-0.0, NAN, 2))],
    ),
    Case(
        "a number has to be within its bounds",
        p.RequireWithin(x=NUMBER, low=0.0, high=1.0, type=p.DOUBLE),
        [
            (0.0, 0.0),
            (-0.0, -0.0),
            (1.0, 1.0),
            (NAN, NAN),
            (1.5, Fails("1.5 is outside of [0.0, 1.0]")),
            (-INF, Fails("-Infinity is outside of [0.0, 1.0]")),
            (1e-5 - 1, Fails("-0.99999 is outside of [0.0, 1.0]")),
            (-1e-7, Fails("-1.0E-7 is outside of [0.0, 1.0]")),
        ],
    ),
    Case(
        "a prediction is linear between boundaries and constant beyond",
        interpolate([-1.0, 0.0, 3.0], [-4.0, 2.0, 8.0]),
        [(-1.0, -4.0), (-9.0, -4.0), (-0.5, -1.0), (1.5, 5.0), (3.0, 8.0), (INF, 8.0), (NAN, 8.0)],
    ),
    Case(
        "-0.0 lies below a boundary at 0, and of boundaries that repeat that counts on which the search hits",
        interpolate([-1.0, 0.0, 0.0, 0.0, 0.25], [-4.0, -1.0, 0.0, 1.0, 2.0]),
        [(-0.0, -1.0), (0.0, 0.0), (0.125, 1.5)],
    ),
    Case("one boundary is constant", interpolate([1.0], [5.0]), [(0.0, 5.0), (1.0, 5.0), (2.0, 5.0), (NAN, 5.0)]),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, executor: Executor) -> None:
    case.check(executor)
