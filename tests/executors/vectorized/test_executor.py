"""Rows do not know of each other: however a batch is cut or ordered, each row has the same result."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from leapstream import LeapFrame, Model, Tensor
from leapstream.bundle.definition import Socket
from leapstream.bundle.types import DataShape
from leapstream.executors.vectorized.executor import PRIMITIVES
from leapstream.ops.base import Op
from leapstream.ops.feature import OneHotEncoder, StringIndexer, VectorAssembler
from leapstream.ops.pipeline import Node, Pipeline
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


def categories() -> Model:
    """An indexer that fails at unknown colours, one that drops unknown sizes, and their one-hot vectors."""
    shapes = (DataShape("tensor", False, (2,)),) * 2

    def node(op: Op, reads: Sequence[str], writes: Sequence[str]) -> Node:
        inputs = tuple(map(Socket, op.inputs(), reads))
        return Node(writes[0], op, inputs, tuple(map(Socket, op.outputs(), writes)))

    return Model.from_node(
        Pipeline(
            "categories",
            (
                node(StringIndexer((("red", "blue"),), handle_invalid="error"), ["colour"], ["c"]),
                node(StringIndexer((("small", "large"),), handle_invalid="skip"), ["size"], ["s"]),
                node(OneHotEncoder((2, 2), drop_last=False), ["c", "s"], ["cs", "ss"]),
                node(VectorAssembler(shapes), ["cs", "ss"], ["out"]),
            ),
        )
    )


@pytest.mark.parametrize("kind", ["pandas", "Arrow"])
def test_texts_that_repeat_give_the_results_failures_and_drops_of_each_row_alone(kind: str) -> None:
    rng = np.random.default_rng(1)
    texts = {
        "colour": np.array(["red", "blue", "green", None], dtype=object)[rng.choice(4, 600, p=[0.5, 0.4, 0.05, 0.05])],
        "size": np.array(["small", "large", "huge"], dtype=object)[rng.choice(3, 600, p=[0.5, 0.4, 0.1])],
    }
    frame = pd.DataFrame(texts)
    given: Any = frame if kind == "pandas" else pa.Table.from_pandas(frame)
    model = categories()
    whole = model.predict_rows(given)
    kept = dict(zip(whole.rows.tolist(), _lists(whole.frame), strict=True))
    for row in range(60):
        alone = model.predict_rows(given[row : row + 1])
        assert [kept[row]] == _lists(alone.frame) if row in kept else len(alone.rows) == 0
        theirs = alone.errors.get(0)
        assert (str(whole.errors[row]) if row in whole.errors else None) == (theirs and str(theirs.at_row(row)))
    assert len({error.reason for error in whole.errors.values()}) == 2


def _lists(frame: Any) -> list[Any]:
    column = frame["out"]
    values = column.to_pylist() if isinstance(frame, pa.Table) else list(column)
    return [None if value is None else list(value) for value in values]
