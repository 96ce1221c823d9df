from __future__ import annotations

import time

import pytest

from leapstream import LeapFrame, Model, load
from leapstream.bundle.types import BasicType, Field, ScalarType, Schema
from leapstream.errors import PredictionError, SchemaError
from leapstream.serving.http import Request
from leapstream.serving.loading import warmed
from leapstream.serving.mleap.layouts import Layout, layout_of
from leapstream.serving.mleap.transforming import FrameTransform, transform_for
from leapstream.serving.registry import ServedModel
from tests.golden_corpus import GOLDEN, Case
from tests.serving.conftest import BENCH
from tests.serving.mleap.frames import expected

CASES = ("pipeline/loans-logistic", "feature/bucketizer-skip", "feature/one-hot-droplast_true-keep")


@pytest.fixture(scope="module")
def served() -> ServedModel:
    return warmed(ServedModel("linear", "1", load(BENCH / "linear3.zip")))


def layout(*names: str, base: BasicType = BasicType.DOUBLE) -> Layout:
    return layout_of(Schema(tuple(Field(name, ScalarType(base)) for name in names)))


def request() -> Request:
    return Request("POST", "/", b"", {}, b"", "1", time.monotonic() + 60, in_loop=False)


FEATURES = ("feature1", "feature2", "feature3")


def test_a_row_is_computed_like_a_batch(served: ServedModel) -> None:
    work = transform_for(served, layout(*FEATURES))
    row = (1.0, 2.0, 3.0)
    many = work.run(request(), served, [row] * 100, 1000)
    assert work.run(request(), served, [row], 1000) == [work.run_row(row)]
    assert LeapFrame(work.result.schema, work.result.leap_rows([many[99]])) == LeapFrame(
        work.result.schema,
        work.result.leap_rows([work.run_row(row)]),  # type: ignore[list-item]
    )


def test_columns_that_the_model_does_not_know_are_answered_too(served: ServedModel) -> None:
    work = FrameTransform(served, layout("id", *FEATURES))
    assert work.result.schema.names == ("id", *FEATURES, "features", "prediction")
    assert work.run_row((7.0, 1.0, 2.0, 3.0))[0] == 7.0  # type: ignore[index]


def test_values_of_other_types_are_cast(served: ServedModel) -> None:
    work = FrameTransform(served, layout(*FEATURES, base=BasicType.INT), ("prediction",))
    assert work.run_row((1, 2, 3)) == FrameTransform(served, layout(*FEATURES), ("prediction",)).run_row(
        (1.0, 2.0, 3.0)
    )


def test_an_input_alone_may_be_selected(served: ServedModel) -> None:
    work = FrameTransform(served, layout(*FEATURES), ("feature2",))
    assert [list(row) for row in work.run(request(), served, [(1.0, 2.0, 3.0)] * 70, 100)] == [[2.0]] * 70


@pytest.mark.parametrize(("select", "reason"), [(("no",), "no column 'no'"), (("prediction",) * 2, "selected twice")])
def test_a_selection_that_cannot_be_made_fails(served: ServedModel, select: tuple[str, ...], reason: str) -> None:
    with pytest.raises(SchemaError, match=reason):
        FrameTransform(served, layout(*FEATURES), select)


def test_a_column_that_the_model_adds_must_not_be_given(served: ServedModel) -> None:
    with pytest.raises(SchemaError, match="column 'prediction' already"):
        FrameTransform(served, layout(*FEATURES, "prediction"))


@pytest.mark.parametrize("rows", [3, 10_000])
def test_a_row_that_fails_is_named(served: ServedModel, rows: int) -> None:
    given = [(1.0, 2.0, 3.0)] * (rows - 1) + [(1.0, None, 3.0)]
    with pytest.raises(PredictionError) as failed:
        transform_for(served, layout(*FEATURES)).run(request(), served, given, 100_000)
    assert (failed.value.row, failed.value.node) == (rows - 1, "assemble")


@pytest.mark.parametrize("name", CASES)
def test_rows_that_a_model_drops_are_not_answered(name: str) -> None:
    case = Case(GOLDEN / name)
    model: Model = case.model()
    served = warmed(ServedModel("m", "1", model))
    given = case.input()
    work = FrameTransform(served, layout_of(given.schema))
    rows = [
        row
        for i, values in enumerate(given.rows)
        if i not in case.error_rows and (row := work.run_row(values)) is not None
    ]
    kept = LeapFrame(given.schema, [row for i, row in enumerate(given.rows) if i not in case.error_rows])
    assert LeapFrame(work.result.schema, work.result.leap_rows(rows)) == expected(model, kept)
