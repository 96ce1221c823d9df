"""Computations of XGBoost besides tree traversal, in single precision."""

from __future__ import annotations

import math

import numpy as np
import pytest

from leapstream.executors.contract import Executor
from leapstream.plan import primitives as p
from leapstream.plan.functions import FLOAT_FUNCTIONS, FunctionName
from tests.primitives.cases import NUMBER, VEC, VECTOR, Case, Fails
from tests.primitives.running import dense, sparse
from tests.primitives.test_trees import stump

NAN, INF = math.nan, math.inf


def single(number: float) -> float:
    with np.errstate(over="ignore"):
        return float(np.float32(number))


def features(failure: str | None = None) -> p.FloatFeatures:
    return p.FloatFeatures(
        x=VEC,
        elements=np.array([0, 2, 0]),
        missing=np.array([NAN, -7.0, 5.0]),
        whole=np.array([False, False, True]),
        size=3,
        failure=failure,
        type=p.vector(3),
    )


def linear(contributions: bool) -> p.FloatLinear:
    return p.FloatLinear(
        x=VEC,
        weights=np.array([[0.1, 1.0], [2.0, -3.0]], dtype=np.float32),
        base=np.array([0.5, 0.1], dtype=np.float32),
        contributions=contributions,
        type=p.vector(6 if contributions else 2),
    )


INFINITE = Fails("an element is infinite in single precision")
OF_NUMBERS: dict[FunctionName, dict[float, float]] = {
    "single": {0.1: single(0.1), 1e300: INF, -0.0: -0.0, NAN: NAN},
    "logistic": {
        0.0: 0.5,
        100.0: 1.0,
        -200.0: float(np.float32(1) / (np.float32(math.exp(single(88.7))) + np.float32(1))),
    },
    "exp": {0.0: 1.0, 1.0: single(math.e), 1000.0: INF},
    "step": {0.5: 1.0, 0.0: 0.0, NAN: 0.0, -0.5: 0.0},
    "round": {2.5: 3.0, -2.5: -2.0, NAN: 0.0, 1e30: 2.0**31 - 1, -0.25: 0.0},
}


def test_every_function_has_a_case() -> None:
    assert set(OF_NUMBERS) == set(FLOAT_FUNCTIONS)


CASES = [
    Case(
        "elements that are missing are replaced",
        features(),
        [
            (dense(1.5, 9, 0.1), dense(1.5, single(0.1), 1)),
            (dense(NAN, 9, NAN), dense(NAN, -7, 5)),
            (sparse(3, {0: -1.5}), dense(-1.5, -7, -2)),
            (dense(2), dense(2, -7, 2)),
            (dense(0, 1e300, 0), INFINITE),
            (sparse(3, {1: -INF}), INFINITE),
            (dense(0, 0, 0, 0), Fails("the vector has 4 elements, and at most 3 are expected")),
        ],
    ),
    Case("a booster may fail every row", features("no such thing"), [(dense(0, 0, 0), Fails("no such thing"))]),
    *(
        Case(f"{name} of a number", p.FloatFunction(x=NUMBER, function=name, type=p.DOUBLE), list(values.items()))
        for name, values in OF_NUMBERS.items()
    ),
    *(
        Case(
            f"{name} of each element",
            p.FloatFunction(x=VEC, function=name, type=VECTOR),
            [(dense(*map(single, values)), dense(*values.values()))],
        )
        for name, values in OF_NUMBERS.items()
    ),
    Case(
        "softmax is computed in single precision",
        p.FloatSoftmax(x=VEC, type=VECTOR),
        [(dense(0, 0), dense(0.5, 0.5)), (dense(-1000, 0), dense(0, 1)), (dense(NAN, 0), dense(NAN, NAN))],
    ),
    Case(
        "a linear booster adds up one element after the other",
        linear(False),
        [
            (
                dense(single(0.1), 3),
                dense(
                    float(np.float32(0.5) + np.float32(0.1) * np.float32(0.1) + np.float32(6)),
                    float(np.float32(0.1) + np.float32(0.1) + np.float32(-9)),
                ),
            )
        ],
    ),
    Case(
        "contributions of a linear booster are its products",
        linear(True),
        [(dense(1, 3), dense(single(0.1), 6, 0.5, 1, -9, single(0.1)))],
    ),
    Case(
        "contributions of a tree add up to its leaf",
        p.TreeContributions(
            x=VEC,
            trees=(stump(),),
            cover=(np.array([4.0, 1.0, 3.0], dtype=np.float32),),
            weights=np.ones(1, dtype=np.float32),
            groups=(0,),
            base=np.array([0.5], dtype=np.float32),
            features=np.array([1]),
            num_features=2,
            type=p.vector(3),
        ),
        [(dense(0.0), dense(0, -2.25, 3.75)), (dense(1.0), dense(0, 0.75, 3.75))],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, executor: Executor) -> None:
    case.check(executor)
