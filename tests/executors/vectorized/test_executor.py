"""Rows do not know of each other: however a batch is cut or ordered, each row has the same result."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from leapstream import LeapFrame, Tensor
from leapstream.executors.columns import Column
from leapstream.executors.vectorized.classes import argmax
from leapstream.executors.vectorized.executor import PRIMITIVES, VectorizedPlan
from leapstream.plan import primitives as p
from leapstream.plan.planning import make_plan
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


def test_argmax_takes_the_first_of_equals_and_a_nan_in_front() -> None:
    rows = np.array([[1.0, 2.0, 2.0], [np.nan, 5.0, 6.0], [1.0, np.nan, 0.5], [-np.inf, -np.inf, -np.inf]])
    assert argmax(rows).tolist() == [1, 0, 0, 0]


def test_first_of_several_failures_of_a_row_counts() -> None:
    x = p.Input(name="x", type=p.DOUBLE)
    first = p.Bucketize(
        x=x, splits=np.array([0.0, 1.0]), invalid="error", type=p.DOUBLE, origin=p.Origin("one", "bucketizer")
    )
    second = p.OneHot(
        x=x, categories=1, width=1, keep=False, type=p.vector(1), origin=p.Origin("two", "one_hot_encoder")
    )
    from leapstream.bundle.types import Schema

    plan = make_plan("m", Schema.of([("x", p.DOUBLE)]), [x, first, second], [("a", first), ("b", second)])
    batch = VectorizedPlan(plan).run({"x": Column(np.array([7.5, 0.0, 0.5]))}, 3)
    assert batch.failed.tolist() == [True, False, True]
    assert batch.error(0).node == "one"
    assert batch.error(2).node == "two"


def test_negative_zero_lies_below_a_split_at_zero() -> None:
    from leapstream.bundle.types import Schema

    x = p.Input(name="x", type=p.DOUBLE)
    bucket = p.Bucketize(x=x, splits=np.array([-1.0, 0.0, 1.0]), invalid="error", type=p.DOUBLE)
    plan = make_plan("m", Schema.of([("x", p.DOUBLE)]), [x, bucket], [("b", bucket)])
    batch = VectorizedPlan(plan).run({"x": Column(np.array([-0.0, 0.0, 1.0]))}, 3)
    assert batch.columns["b"].values.tolist() == [0.0, 1.0, 1.0]
