"""Rows do not know of each other: however a batch is cut or ordered, each row has the same result."""

from __future__ import annotations

import math
from typing import Any

import pytest

from leapstream import LeapFrame, Tensor
from leapstream.executors.vectorized.executor import PRIMITIVES
from leapstream.plan import primitives as p
from tests.golden_corpus import Case, cases

FINE = [
    case
    for case in cases()
    if case.known and not case.info.get("load_error") and not case.error_rows and not case.info.get("dropped_rows")
]


def plain(value: Any) -> Any:
    return value.to_dense().tolist() if isinstance(value, Tensor) else value


def same(a: Any, b: Any) -> bool:
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-300)
    return bool(a == b)


@pytest.mark.slow
@pytest.mark.parametrize("case", FINE, ids=lambda case: case.name)
def test_row_by_row_and_in_reverse_gives_what_the_batch_gives(case: Case) -> None:
    model, frame = case.model(), case.input()
    batch = [[plain(v) for v in row] for row in model.transform(frame).rows]
    single = [[plain(v) for v in model.transform(LeapFrame(frame.schema, [row])).rows[0]] for row in frame.rows]
    reverse = [[plain(v) for v in row] for row in model.transform(LeapFrame(frame.schema, frame.rows[::-1])).rows][::-1]
    assert same(batch, single)
    assert same(batch, reverse)


def test_every_primitive_is_implemented() -> None:
    assert {cls for cls in vars(p).values() if isinstance(cls, type) and issubclass(cls, p.Expr)} - {p.Expr} == set(
        PRIMITIVES
    )
