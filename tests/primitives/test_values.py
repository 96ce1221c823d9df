"""Inputs, types and missing values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from leapstream import Tensor
from leapstream.bundle.types import BasicType, DataType, ListType, MapType, ScalarType, TensorType
from leapstream.executors.contract import Executor
from leapstream.plan import primitives as p
from tests.primitives.cases import (
    DOUBLES,
    FLOATS,
    MAYBE_DOUBLE,
    MAYBE_STRING,
    STRING,
    STRINGS,
    TEXTS,
    VECTOR,
    Case,
    Fails,
    column,
)
from tests.primitives.running import DROPPED, dense, sparse

NAN, INF = math.nan, math.inf


def passes(data_type: DataType, *values: Any) -> Case:
    return Case(f"a {data_type} comes through as it is", column(data_type), [(v, v) for v in values])


def cast(given: DataType, wanted: DataType, *rows: tuple[Any, Any]) -> Case:
    return Case(f"{given} as {wanted}", p.Cast(x=column(given), type=wanted), rows)


def numbers(given: str, wanted: str, *rows: tuple[Any, Any]) -> Case:
    return cast(ScalarType(BasicType(given), False), ScalarType(BasicType(wanted), False), *rows)


def no(text: str, wanted: str) -> Fails:
    return Fails(f"cannot cast '{text}' to {wanted}")


def texts(*values: str | None) -> Tensor:
    return Tensor.dense(list(values), BasicType.STRING)


def floats(*values: float) -> Tensor:
    return Tensor.dense(list(values), BasicType.FLOAT)


NO_ELEMENT = Fails("an element is missing")
NO_LIST = Fails("a sparse tensor cannot be cast to a list")
NO_VALUE = Fails("a missing value is not allowed here")
NOT_FIRST = Fails("the tensor does not store a first element")
LONGS = TensorType(BasicType.LONG)
X = column(MAYBE_DOUBLE)

REQUIRED = p.NotNull(x=column(MAYBE_DOUBLE, "z"), type=p.DOUBLE)

CASES = [
    passes(ScalarType(BasicType.BOOLEAN), True, None),
    passes(ScalarType(BasicType.BYTE), -3, None),
    passes(ScalarType(BasicType.SHORT), 300, None),
    passes(ScalarType(BasicType.INT), -(2**31), None),
    passes(ScalarType(BasicType.LONG), 2**62 + 1, None),
    passes(ScalarType(BasicType.FLOAT), 0.5, None),
    passes(MAYBE_DOUBLE, -0.0, 5e-324, NAN, INF, None),
    passes(MAYBE_STRING, "ä𝄞", "", None),
    passes(ScalarType(BasicType.BYTE_STRING), b"\x00\xff", None),
    passes(ListType(BasicType.STRING), ["a", "b"], [], None),
    passes(MapType(BasicType.STRING, BasicType.INT), {"a": 1}, None),
    passes(TensorType(BasicType.DOUBLE), Tensor.dense([[1.0, 2.0]]), sparse(5, {1: 2.0, 3: 1.0}), None),
    passes(LONGS, Tensor.dense([2**62 + 1], BasicType.LONG)),
    passes(TensorType(BasicType.STRING), texts("a", "b")),
    numbers("double", "int", (NAN, 0), (1e300, 2**31 - 1), (-1.9, -1), (-INF, -(2**31))),
    numbers("double", "long", (1e300, 2**63 - 1)),
    numbers("double", "byte", (300.7, 44)),
    numbers("double", "float", (0.1, float(np.float32(0.1))), (1e300, INF)),
    numbers("long", "double", (2**62 + 1, float(2**62))),
    numbers("long", "int", (2**32 + 5, 5)),
    numbers("int", "boolean", (0, False), (7, True)),
    numbers("boolean", "double", (True, 1.0), (False, 0.0)),
    numbers("boolean", "string", (True, "1"), (False, "0")),
    numbers("double", "string", (1e7, "1.0E7"), (0.1, "0.1"), (NAN, "NaN"), (-0.0, "-0.0"), (-INF, "-Infinity")),
    numbers("float", "string", (float(np.float32(0.1)), "0.1")),
    numbers("short", "string", (-5, "-5")),
    numbers("string", "double", (" 1.5 ", 1.5), ("", 0.0), ("null", 0.0), ("0x1p-1d", 0.5), ("x", no("x", "double"))),
    numbers("string", "int", ("+7", 7), ("1.0", no("1.0", "int")), ("99999999999", no("99999999999", "int"))),
    numbers("string", "long", ("9223372036854775807", 2**63 - 1)),
    numbers("string", "byte", ("-128", -128), ("128", no("128", "byte"))),
    numbers("string", "short", ("1", 1)),
    numbers("string", "float", ("0.5", 0.5)),
    numbers("string", "boolean", ("true", True), ("no", False), ("", False), ("0", False), ("10", True), ("x", True)),
    *(
        cast(ScalarType(given), ScalarType(wanted), (None, None))
        for given in (BasicType.STRING, BasicType.INT, BasicType.BOOLEAN)
        for wanted in BasicType
        if wanted is not BasicType.BYTE_STRING
    ),
    cast(MAYBE_STRING, MAYBE_DOUBLE, ("", None), ("null", None), ("2", 2.0)),
    cast(ListType(BasicType.INT), ListType(BasicType.STRING), ([1, 2], ["1", "2"]), (None, None)),
    cast(ListType(BasicType.STRING, False), VECTOR, (["1", ""], dense(1, 0)), (["x"], no("x", "double"))),
    cast(ListType(BasicType.INT, False), TEXTS, ([1], texts("1"))),
    cast(
        VECTOR,
        ListType(BasicType.INT, False),
        (dense(1.5), [1]),
        (sparse(2, {0: 1.0}), Fails("a sparse tensor cannot be cast to a list")),
    ),
    cast(TEXTS, ListType(BasicType.DOUBLE, False), (texts("1"), [1.0])),
    cast(FLOATS, VECTOR, (floats(0.5), dense(0.5))),
    cast(
        VECTOR,
        FLOATS,
        (Tensor.dense([[0.1]]), Tensor.dense([[0.1]], BasicType.FLOAT)),
        (
            sparse(9, {4: 0.5}),
            Tensor(BasicType.FLOAT, np.array([0.5], np.float32), (9,), np.array([[4]], np.int32)),
        ),
    ),
    cast(VECTOR, TEXTS, (dense(1, 2), texts("1.0", "2.0"))),
    cast(TEXTS, VECTOR, (texts("1", "null"), dense(1, 0))),
    cast(TEXTS, TensorType(BasicType.LONG, nullable=False), (texts("7"), Tensor.dense([7], BasicType.LONG))),
    cast(p.vector(1), p.DOUBLE, (dense(3), 3.0), (sparse(1, {}), NOT_FIRST)),
    cast(TensorType(BasicType.STRING, (1,)), MAYBE_DOUBLE, (texts(""), None), (None, None)),
    cast(TEXTS, VECTOR, (texts("1", None), NO_ELEMENT), (texts("1", "2"), dense(1, 2))),
    cast(TEXTS, ListType(BasicType.DOUBLE, False), (texts(None), NO_ELEMENT)),
    cast(TEXTS, STRINGS, (texts("a", None), ["a", None])),
    cast(STRINGS, TEXTS, (["a", None], texts("a", None))),
    cast(STRINGS, VECTOR, (["1", None], NO_ELEMENT)),
    cast(
        STRINGS,
        ListType(BasicType.DOUBLE, False),
        (["1", None], NO_ELEMENT),
        (["x", None], no("x", "double")),
        ([None, "x"], NO_ELEMENT),
        (["1"], [1.0]),
    ),
    cast(TEXTS, VECTOR, (texts("x", None), no("x", "double")), (texts(None, "x"), NO_ELEMENT)),
    cast(STRINGS, VECTOR, (["x", None], no("x", "double"))),
    cast(DOUBLES, DOUBLES, ([1.0, None], [1.0, None])),
    # Scala takes a missing number for 0 when it converts it.
    cast(DOUBLES, STRINGS, ([1.0, None], ["1.0", "0.0"]), ([1.0], ["1.0"])),
    cast(ListType(BasicType.LONG, False), STRINGS, ([None, 2], ["0", "2"])),
    cast(ListType(BasicType.BOOLEAN, False), STRINGS, ([None, True], ["0", "1"])),
    cast(ListType(BasicType.FLOAT, False), ListType(BasicType.INT, False), ([1.5, None], [1, 0])),
    cast(DOUBLES, VECTOR, ([1.0, None], dense(1, 0)), ([None, 3.0], dense(0, 3)), ([None], dense(0))),
    cast(ListType(BasicType.BOOLEAN, False), VECTOR, ([True, None], dense(1, 0))),
    cast(ListType(BasicType.LONG, False), LONGS, ([7, None], Tensor.dense([7, 0], BasicType.LONG))),
    cast(DOUBLES, LONGS, ([7.5, None], Tensor.dense([7, 0], BasicType.LONG))),
    cast(DOUBLES, TEXTS, ([None], texts("0.0"))),
    cast(TensorType(BasicType.STRING, ()), MAYBE_STRING, (Tensor.dense("a", BasicType.STRING), "a"), (None, None)),
    cast(VECTOR, DOUBLES, (sparse(2, {0: 1.0, 1: 2.0}), NO_LIST), (dense(1, 2), [1.0, 2.0]), (sparse(0, {}), NO_LIST)),
    cast(
        VECTOR, DOUBLES, (sparse(2000, dict.fromkeys(range(2000), 1.0)), NO_LIST), (dense(*[1.0] * 2000), [1.0] * 2000)
    ),
    cast(TensorType(BasicType.LONG, (1,)), MAYBE_STRING, (Tensor.dense([7], BasicType.LONG), "7"), (None, None)),
    cast(TensorType(BasicType.INT, (1,)), MAYBE_DOUBLE, (Tensor.dense([7], BasicType.INT), 7.0), (None, None)),
    cast(TensorType(BasicType.STRING, (1,), False), STRING, (texts("a"), "a"), (texts(), NOT_FIRST)),
    cast(p.INT, TensorType(BasicType.DOUBLE, (), nullable=False), (3, Tensor.dense(3.0))),
    cast(p.INT, TensorType(BasicType.STRING, ()), (3, Tensor.dense("3", BasicType.STRING))),
    cast(
        MapType(BasicType.STRING, BasicType.INT),
        MapType(BasicType.STRING, BasicType.DOUBLE),
        ({"a": 1}, {"a": 1.0}),
        ({"a": None}, {"a": 0.0}),
        (None, None),
    ),
    cast(
        MapType(BasicType.STRING, BasicType.BOOLEAN),
        MapType(BasicType.STRING, BasicType.BOOLEAN),
        ({"a": None, "b": True}, {"a": None, "b": True}),
    ),
    Case("a number that is there is kept", p.NotNull(x=X, type=p.DOUBLE), [(1.0, 1.0), (None, NO_VALUE)]),
    Case("a string is kept", p.NotNull(x=column(MAYBE_STRING), type=STRING), [("a", "a"), (None, NO_VALUE)]),
    Case(
        "a tensor is kept",
        p.NotNull(x=column(TensorType(BasicType.DOUBLE)), type=VECTOR),
        [(dense(1), dense(1)), (None, NO_VALUE)],
    ),
    Case(
        "a missing value fails where a cast has to be of one",
        p.Cast(x=p.NotNull(x=column(MAYBE_STRING), type=STRING), type=p.DOUBLE),
        [(None, Fails(NO_VALUE.reason, at=p.NotNull)), ("1", 1.0)],
    ),
    Case(
        "a value comes after others that may fail or drop rows",
        p.After(
            x=p.Unary(x=column(p.DOUBLE), function="abs", type=p.DOUBLE),
            others=(p.Lookup(x=column(STRING, "y"), labels=("a",), invalid="skip", type=p.DOUBLE), REQUIRED),
            type=p.DOUBLE,
        ),
        [
            ((-1.0, "a", 1.0), 1.0),
            ((-1.0, "b", 1.0), DROPPED),
            ((-1.0, "a", None), Fails(NO_VALUE.reason, at=p.NotNull)),
        ],
    ),
    Case(
        "impute fills what is missing, NaN, and the value that counts as missing",
        p.Impute(x=X, surrogate=9.0, missing=-1.0, type=p.DOUBLE),
        [(None, 9.0), (NAN, 9.0), (-1.0, 9.0), (2.0, 2.0)],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, executor: Executor) -> None:
    case.check(executor)
