"""Functions of numbers, one by one and in vectors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special

from leapstream.executors.contract import Executor
from leapstream.plan import primitives as p
from leapstream.plan.functions import FUNCTIONS, FunctionName
from tests.primitives.cases import NUMBER, VEC, VECTOR, Case, column
from tests.primitives.running import dense, sparse

NAN, INF = math.nan, math.inf

UNARY: dict[FunctionName, dict[float, float]] = {
    "negate": {2.0: -2.0, 0.0: -0.0},
    "logistic": {1.0: 1 / (1 + math.exp(-1)), -1000.0: 0.0},
    "one_minus": {0.25: 0.75, INF: -INF},
    "double": {3.0: 6.0},
    "exp": {2.0: math.exp(2), -INF: 0.0, 1000.0: INF},
    "log": {2.0: math.log(2), 0.0: -INF, -1.0: NAN},
    "sqrt": {2.0: math.sqrt(2), -0.0: -0.0, -1.0: NAN},
    "sin": {1.0: math.sin(1), INF: NAN},
    "cos": {1.0: math.cos(1)},
    "tan": {1.0: math.tan(1)},
    "abs": {-0.0: 0.0, -INF: INF},
    "floor": {-0.5: -1.0, -0.0: -0.0, INF: INF},
    "ceil": {-0.5: -0.0, 0.5: 1.0},
    "round": {2.5: 3.0, -2.5: -2.0, -0.5: 0.0, NAN: 0.0, 1e300: 2.0**63, 0.49999999999999994: 0.0},
    "logit": {0.25: math.log(0.25 / 0.75), 1.0: INF, 2.0: NAN},
    "tanh": {0.0: 0.0, 1.0: 0.7615941559557649, INF: 1.0, -INF: -1.0, NAN: NAN},
    "sublinear": {0.0: 0.0, 1.0: 1.0, 2.0: 1.0 + math.log(2), NAN: NAN},
    "matern_once": {0.0: 1.0, 1.0: 2 * math.exp(-1)},
    "matern_twice": {0.0: 1.0, 1.0: (2.0 + 1 / 3.0) * math.exp(-1)},
    "reciprocal": {4.0: 0.25, -0.0: -INF},
    "square": {3.0: 9.0},
    "complementary_log_log": {0.5: 1 - math.exp(-math.exp(0.5))},
    "erf": {-0.0: -0.0, INF: 1.0, 1.0: 0.8427007929497149, NAN: NAN},
    "normal_quantile": {
        0.5: 0.0,
        0.0: -INF,
        1.0: INF,
        2.0: NAN,
        NAN: NAN,
        0.975: 1.959963984540054,
        1e-3: -3.090232306167813,
        1e-20: -9.262340089798409,
    },
    "normal_cdf": {NAN: NAN, 0.0: 0.5, -INF: 0.0, INF: 1.0, 1.0: 0.8413447460685429},
}
BINARY: dict[FunctionName, dict[tuple[float, float], float]] = {
    "add": {(1.0, 2.0): 3.0, (-0.0, -0.0): -0.0},
    "sub": {(1.0, 2.0): -1.0, (INF, INF): NAN},
    "mul": {(3.0, -2.0): -6.0, (0.0, INF): NAN},
    "div": {(1.0, -0.0): -INF, (0.0, 0.0): NAN},
    "rem": {(-7.0, 2.0): -1.0, (7.5, -2.0): 1.5, (1.0, INF): 1.0, (1.0, 0.0): NAN},
    "log_n": {(8.0, 2.0): 3.0, (8.0, 1.0): INF},
    "pow": {(2.0, 10.0): 1024.0, (1.0, NAN): NAN, (-1.0, INF): NAN, (NAN, 0.0): 1.0, (-8.0, 1 / 3): NAN},
    "min": {(0.0, -0.0): -0.0, (1.0, NAN): NAN, (1.0, 2.0): 1.0},
    "max": {(-0.0, 0.0): 0.0, (NAN, 1.0): NAN, (1.0, 2.0): 2.0},
}
WIDELY = [*np.linspace(-40, 40, 1601).tolist(), -INF, INF, 0.0]


def test_every_function_has_a_case() -> None:
    assert set(UNARY) | set(BINARY) == set(FUNCTIONS)


CASES = [
    *(
        Case(f"{name} of a number", p.Unary(x=NUMBER, function=name, type=p.DOUBLE), list(values.items()))
        for name, values in UNARY.items()
    ),
    *(
        Case(
            f"{name} of a vector",
            p.Unary(x=VEC, function=name, type=VECTOR),
            [(dense(*values), dense(*values.values())), (dense(), dense())],
        )
        for name, values in UNARY.items()
    ),
    *(
        Case(
            f"{name} of two numbers",
            p.Binary(a=NUMBER, b=column(p.DOUBLE, "y"), function=name, type=p.DOUBLE),
            list(values.items()),
        )
        for name, values in BINARY.items()
    ),
    Case(
        "a function sees elements that are not stored",
        p.Unary(x=VEC, function="one_minus", type=VECTOR),
        [(sparse(3, {1: 3.0}), dense(1, -2, 1))],
    ),
    Case(
        "a function sees the -0.0 that a wide vector stores",
        p.Item(x=p.Unary(x=VEC, function="reciprocal", type=VECTOR), index=7, type=p.DOUBLE),
        [(sparse(1500, {7: -0.0}), -INF), (sparse(1500, {8: -0.0}), INF)],
    ),
    Case(
        "normal_cdf is accurate everywhere",
        p.Unary(x=VEC, function="normal_cdf", type=VECTOR),
        [(dense(*WIDELY), dense(*(0.5 * (1.0 + special.erf(np.array(WIDELY) / np.sqrt(2.0))))))],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, executor: Executor) -> None:
    case.check(executor)
