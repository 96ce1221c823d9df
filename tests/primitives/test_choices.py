"""Values and plans that other values pick."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from leapstream.bundle.types import BasicType, MapType, ScalarType
from leapstream.executors.contract import Executor
from leapstream.plan import primitives as p
from tests.primitives.cases import (
    MAYBE_DOUBLE,
    MAYBE_STRING,
    NUMBER,
    STRING,
    TEXT,
    VECTOR,
    Case,
    Fails,
    column,
    plan_of,
)
from tests.primitives.running import DROPPED, dense

KEY = column(STRING, "key")
KEYS = ("a", "é", "x")


def entries(base: BasicType, default: Any, value: Any) -> Case:
    x = column(MapType(BasicType.STRING, base, nullable=False))
    expr = p.MapEntry(x=x, key=KEY, default=default, type=ScalarType(base, base is BasicType.STRING))
    given = {"a": value, "é": default}
    missing = None if base is BasicType.STRING else Fails("the map's value is missing")
    return Case(
        f"an entry of a map of {base}",
        expr,
        [((given, "a"), value), ((given, "é"), default), (({}, "a"), default), (({"a": None}, "a"), missing)],
    )


def inner(size: int) -> p.Dot:
    return p.Dot(x=column(VECTOR, "0"), weights=np.ones(size), intercept=0.0, type=p.DOUBLE)


SKIPPING = p.Bucketize(x=column(p.DOUBLE, "0"), splits=np.array([0.0, 1.0]), invalid="skip", type=p.DOUBLE)
AT = column(p.DOUBLE, "at")
MISSING = Fails("a missing value is not allowed here")

CASES = [
    Case(
        "the first pattern that matches counts",
        p.FirstMatch(x=TEXT, patterns=(r"^a", r"(?i)é", r"\d{2,3}$"), values=(3, -1, 7), default=None, type=p.INT),
        [("ab", 3), ("xé", -1), ("x12", 7), ("a12", 3), ("x", Fails("no pattern matches 'x'"))],
    ),
    Case(
        "a default stands for no match",
        p.FirstMatch(x=TEXT, patterns=("^a",), values=(3,), default=-9, type=p.INT),
        [("b", -9), ("a", 3)],
    ),
    Case(
        "no patterns look at nothing",
        p.FirstMatch(x=column(MAYBE_STRING), patterns=(), values=(), default=5, type=p.INT),
        [("b", 5), (None, 5)],
    ),
    Case(
        "a missing string fails where there are patterns",
        p.FirstMatch(x=column(MAYBE_STRING), patterns=("a",), values=(1,), default=5, type=p.INT),
        [("a", 1), (None, MISSING)],
    ),
    Case(
        "a value is picked by its position",
        p.ValueAt(x=NUMBER, values=np.array([0.5, math.nan, -0.0]), type=p.DOUBLE),
        [(0.0, 0.5), (1.0, math.nan), (2.0, -0.0)],
    ),
    entries(BasicType.BOOLEAN, True, False),
    entries(BasicType.BYTE, -3, 127),
    entries(BasicType.SHORT, 300, -1),
    entries(BasicType.INT, -70_000, 2**31 - 1),
    entries(BasicType.LONG, -(2**63), 2**62 + 1),
    entries(BasicType.FLOAT, 0.5, math.inf),
    entries(BasicType.DOUBLE, 0.1, -0.0),
    entries(BasicType.STRING, 'défaut "😀"\n', "ä"),
    Case(
        "the first that is there is taken, NaN too",
        p.Coalesce(xs=(column(MAYBE_DOUBLE, "a"), NUMBER), type=MAYBE_DOUBLE),
        [((None, 2.0), 2.0), ((math.nan, 2.0), math.nan), ((-0.0, 2.0), -0.0)],
    ),
    Case(
        "nothing is there",
        p.Coalesce(xs=(column(MAYBE_DOUBLE, "a"), column(MAYBE_DOUBLE, "b")), type=MAYBE_DOUBLE),
        [((None, None), None), ((None, 1.0), 1.0)],
    ),
    Case(
        "a row runs the plan of its position alone",
        p.Switch(
            position=AT,
            xs=(column(VECTOR),),
            plans=(plan_of(out=inner(2)), plan_of(out=inner(3))),
            type=p.DOUBLE,
        ),
        [
            ((1.0, dense(1, 1)), Fails("the vector has 2 elements, and 3 are expected", at=p.Dot)),
            ((0.0, dense(1, 1)), 2.0),
            ((1.0, dense(1, 1, 1)), 3.0),
        ],
    ),
    Case(
        "a row is dropped where its plan drops it",
        p.Switch(
            position=AT,
            xs=(NUMBER,),
            plans=(plan_of(out=SKIPPING), plan_of(out=column(p.DOUBLE, "0"))),
            type=p.DOUBLE,
        ),
        [((0.0, math.nan), DROPPED), ((1.0, math.nan), math.nan), ((0.0, 0.5), 0.0)],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, executor: Executor) -> None:
    case.check(executor)
