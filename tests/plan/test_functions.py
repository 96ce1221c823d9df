"""The table of functions of numbers."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from leapstream.executors.jvm.emitter import functions as java
from leapstream.executors.jvm.emitter import xgboost as java_floats
from leapstream.executors.rowwise import functions as rowwise
from leapstream.executors.vectorized import functions as arrays
from leapstream.executors.vectorized import xgboost as array_floats
from leapstream.plan import primitives as p
from leapstream.plan.functions import FLOAT_FUNCTIONS, FUNCTIONS, evaluate, simple_functions, spelled

SIMPLE: dict[str, Callable[..., float]] = {
    "negate": lambda x: -x,
    "exp": math.exp,
    "log": math.log,
    "erf": math.erf,
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "max": max,
}


COMPOSED = [
    ("one_minus", 0.25, 0.75),
    ("double", 3.0, 6.0),
    ("square", 3.0, 9.0),
    ("reciprocal", 4.0, 0.25),
    ("logistic", 1.0, 1.0 / (1.0 + math.exp(-1.0))),
    ("logit", 0.2, math.log(0.2 / (1.0 - 0.2))),
    ("tanh", 0.5, 2.0 / (1.0 + math.exp(-1.0)) - 1.0),
    ("sublinear", 2.0, 1.0 + math.log(2.0)),
    ("matern_once", 0.5, 1.5 * math.exp(-0.5)),
    ("matern_twice", 0.5, (1.0 + 0.5 + 0.5 * 0.5 / 3.0) * math.exp(-0.5)),
    ("normal_cdf", 0.3, 0.5 * (1.0 + math.erf(0.3 / math.sqrt(2.0)))),
    ("complementary_log_log", 0.5, 1.0 - math.exp(-math.exp(0.5))),
]


def value(name: str, *arguments: float) -> float:
    return evaluate(name, arguments, lambda simple, given: SIMPLE[simple](*given), float)


@pytest.mark.parametrize("spelling", [arrays.SPELLING, rowwise.SPELLING, java.SPELLING], ids=["arrays", "rows", "java"])
def test_every_executor_spells_every_simple_function_and_no_other(spelling: dict[str, object]) -> None:
    assert set(spelling) == simple_functions()


@pytest.mark.parametrize("spelling", [array_floats.SPELLING, java_floats.SPELLING], ids=["arrays", "java"])
def test_every_executor_spells_every_function_of_single_precision(spelling: dict[str, object]) -> None:
    assert set(spelling) == set(FLOAT_FUNCTIONS)


@pytest.mark.parametrize(("name", "x", "expected"), COMPOSED)
def test_a_composed_function_is_its_formula(name: str, x: float, expected: float) -> None:
    assert value(name, x) == expected


def test_a_formula_may_have_two_parameters() -> None:
    assert value("log_n", 8.0, 2.0) == math.log(8.0) / math.log(2.0)


def test_each_composed_function_is_tested() -> None:
    composed = {name for name, function in FUNCTIONS.items() if function.kind == "composed"}
    assert {name for name, _, _ in COMPOSED} | {"log_n"} == composed


def test_a_function_is_spelled_in_the_order_of_its_formula() -> None:
    assert spelled("logistic", ["v1"], java.SPELLING) == "(1.0 / (1.0 + Math.exp((-v1))))"
    assert spelled("log_n", ["v1", "v2"], java.SPELLING) == "(Math.log(v1) / Math.log(v2))"


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda x: p.Unary(x=x, function="add", type=p.DOUBLE), "add"),
        (lambda x: p.Binary(a=x, b=x, function="logistics", type=p.DOUBLE), "logistics"),
        (lambda x: p.FloatFunction(x=x, function="sin", type=p.DOUBLE), "sin"),
    ],
)
def test_an_expression_has_a_function_that_the_table_has(make: Callable[[p.Expr], p.Expr], name: str) -> None:
    with pytest.raises(ValueError, match=f"function '{name}' is none of "):
        make(p.Constant(value=1.0, type=p.DOUBLE))


@pytest.mark.parametrize("name", ["BinaryFunction", "FloatFunctionName", "UnaryFunction"])
def test_the_old_types_of_names_are_now_one(name: str) -> None:
    with pytest.warns(DeprecationWarning, match=f"{name} is now FunctionName"):
        assert getattr(p, name) is p.FunctionName
