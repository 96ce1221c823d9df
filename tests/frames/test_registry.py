"""Frames of all kinds, and one rule for a record, a list of records and a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from leapstream import LeapFrame, Model, SchemaError
from leapstream.bundle.types import BasicType, Field, ScalarType, Schema
from leapstream.frames.contract import Wanted
from leapstream.frames.registry import KINDS, table_of
from leapstream.ops.feature import MathUnary, Normalizer, StringIndexer
from leapstream.ops.pipeline import Pipeline
from tests.pipelines import node

MASKED: Any = np.ma.MaskedArray
SCHEMA = Schema((Field("x", ScalarType(BasicType.DOUBLE, False)),))
FRAMES = [
    LeapFrame(SCHEMA, [(1.0,), (-2.0,)]),
    pd.DataFrame({"x": [1.0, -2.0]}),
    pl.DataFrame({"x": [1.0, -2.0]}),
    pa.table({"x": [1.0, -2.0]}),
    pa.RecordBatch.from_pydict({"x": [1.0, -2.0]}),
    [{"x": 1.0}, {"x": -2.0}],
    {"x": np.array([1.0, -2.0])},
]
"""Arrays and lazy frames come back as frames of another class."""


@pytest.fixture(scope="module")
def absolute() -> Model:
    return Model.from_node(node("abs", MathUnary("abs"), {"input": "x"}, {"output": "o"}))


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: type(frame).__name__)
def test_a_frame_is_of_one_kind_and_comes_back_as_that_kind(absolute: Model, frame: Any) -> None:
    assert sum(kind.accepts(frame) for kind in KINDS) == 1
    result = absolute.transform(frame)
    assert type(result) is type(frame)
    assert list(table_of(result, Wanted(Schema((Field("o", SCHEMA["x"].type),)))).column("o", None).values) == [1, 2]


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (lambda: pd.Series({"x": 1.0}), "type Series is not supported .*to_dict"),
        (lambda: pl.Series("x", [1.0]), "type Series is not supported .*DataFrame"),
        (lambda: (row for row in ({"x": 1.0},)), "type generator is not supported .*list"),
        (lambda: pd.DataFrame([[1.0, 2.0]], columns=["x", "x"]), "column 'x' is there 2 times"),
        (lambda: pa.table([pa.array([1.0]), pa.array([2.0])], names=["x", "x"]), "column 'x' is there 2 times"),
        (lambda: pd.DataFrame([[1.0]], columns=pd.MultiIndex.from_tuples([("x", "q")])), "2 levels"),
        (lambda: pl.DataFrame({"x": pl.Series([1], dtype=pl.Int128)}), "column 'x'"),
        (lambda: {"x": MASKED([[1.0, 1.0]], mask=[[0, 1]])}, "masked elements in its vectors"),
        (lambda: {"x": [1.0], "y": 2.0}, "column 'y' is of type float"),
        (lambda: {"x": np.array([2**63], dtype=np.uint64)}, "beyond the largest long"),
        (lambda: ["a"], "row 0 is a str"),
    ],
)
def test_a_frame_that_no_kind_takes_is_rejected_with_the_reason(
    absolute: Model, frame: Callable[[], Any], words: str
) -> None:
    with pytest.raises(SchemaError, match=words):
        absolute.transform(frame())


def test_subclasses_of_arrays_do_not_pass_through(absolute: Model) -> None:
    masked: Any = MASKED([1.0, -2.0], mask=[False, True])
    result = absolute.predict({"x": masked}, on_error="null")["o"]
    assert type(result) is np.ndarray
    assert result.tolist() == [1.0, None]


def test_texts_of_other_arrow_types_are_texts() -> None:
    indexer = Model.from_node(node("index", StringIndexer((("a", "b"),), "error"), {"input": "x"}, {"output": "o"}))
    for kind in (pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())):
        column = pa.array(["b", "a"], pa.string_view()) if kind == pa.string_view() else pa.array(["b", "a"]).cast(kind)
        assert indexer.predict(pa.table({"x": column}))["o"].to_pylist() == [1.0, 0.0]


# ---- one rule for a record, a list of records and a batch -------------------------------------------------------------


def two() -> Model:
    """Two nodes that have nothing to do with each other."""
    return Model.from_node(
        Pipeline(
            "two",
            (
                node("a", MathUnary("abs"), {"input": "x"}, {"output": "y"}),
                node("b", MathUnary("abs"), {"input": "z"}, {"output": "w"}),
            ),
        )
    )


def answers(model: Model, record: dict[str, Any], **options: Any) -> list[Any]:
    """The answers for a record, a list of it, and frames of it."""
    forms: list[Callable[[], Any]] = [
        lambda: model.predict(record, **options),
        lambda: model.predict_record(record, **options),
        lambda: model.predict([record], **options)[0],
        lambda: model.predict(pd.DataFrame([record]), **options).to_dict("records")[0],
        lambda: model.predict(pa.Table.from_pylist([record]), **options).to_pylist()[0],
    ]
    found = []
    for form in forms:
        try:
            found.append(form())
        except SchemaError as error:
            found.append(str(error))
    return found


@pytest.mark.parametrize("backend", ["vectorized", "rowwise"])
def test_columns_that_the_outputs_do_not_need_may_be_missing_in_a_record_and_in_a_batch(backend: str) -> None:
    found = answers(two(), {"x": -1.0}, outputs=["y"], backend=backend)
    assert found == [{"y": 1.0}] * len(found)


@pytest.mark.parametrize("outputs", [["w"], ["y", "w"], None])
def test_columns_that_the_outputs_need_have_to_be_there_in_a_record_and_in_a_batch(outputs: Any) -> None:
    found = answers(two(), {"x": -1.0}, outputs=outputs)
    assert len(set(found)) == 1
    assert "column 'z' double not null is missing; given: (x double not null)" in found[0]


def test_a_node_drops_no_rows_by_a_column_that_is_not_there() -> None:
    skipping = node("s", StringIndexer((("a",),), "skip"), {"input": "s"}, {"output": "i"})
    model = Model.from_node(Pipeline("p", (skipping, node("a", MathUnary("abs"), {"input": "x"}, {"output": "y"}))))
    assert answers(model, {"x": -1.0}, outputs=["y"]) == [{"y": 1.0}] * 5


def test_a_column_that_is_missing_is_no_output_either() -> None:
    with pytest.raises(SchemaError, match="no column 'z'; it has: x, y, w"):
        two().predict({"x": 1.0}, outputs=["z"])


@pytest.mark.parametrize("values", [[1, 2.5], [2.5, 1, True], ["1", 1], [True, "a", 0.5], [None, 1, 2.0]])
def test_a_row_of_a_list_gives_what_the_record_gives_alone(values: list[Any]) -> None:
    indexer = Model.from_node(
        node("index", StringIndexer((("1", "1.0", "2.5", "2.0", "0.5"),), "keep"), {"input": "x"}, {"output": "o"})
    )
    alone = [indexer.predict({"x": value})["o"] for value in values]
    assert [row["o"] for row in indexer.predict([{"x": value} for value in values])] == alone
    assert indexer.predict({"x": values})["o"].tolist() == alone
    assert indexer.predict(pd.DataFrame({"x": pd.Series(values, dtype=object)}))["o"].tolist() == alone


def test_booleans_among_the_elements_of_a_vector_are_numbers_in_a_record_and_in_a_batch() -> None:
    model = Model.from_node(node("n", Normalizer(2.0, 2), {"input": "x"}, {"output": "o"}))
    assert model.predict({"x": [True, 0.0]}) == model.predict([{"x": [True, 0.0]}])[0] == {"o": [1.0, 0.0]}


def test_half_of_a_surrogate_pair_is_a_string_in_a_record_and_in_a_batch() -> None:
    indexer = Model.from_node(node("index", StringIndexer((("a", "\ud800"),), "keep"), {"input": "x"}, {"output": "o"}))
    assert [indexer.predict({"x": text}) for text in ("\ud800", "\udc00")] == [{"o": 1.0}, {"o": 2.0}]
    assert indexer.predict([{"x": "\ud800"}, {"x": "\udc00"}]) == [{"o": 1.0}, {"o": 2.0}]
    assert indexer.predict({"x": ["\ud800", "\udc00"]})["o"].tolist() == [1.0, 2.0]


def test_a_column_that_ports_read_as_several_types_keeps_its_own_type_and_is_of_one() -> None:
    model = Model.from_node(
        Pipeline(
            "p",
            (
                node("a", MathUnary("abs"), {"input": "x"}, {"output": "y"}),
                node("s", StringIndexer((("1", "1.0"),), "keep"), {"input": "x"}, {"output": "i"}),
            ),
        )
    )
    assert model.predict([{"x": 1}]) == [{"y": 1.0, "i": 0.0}]
    assert model.predict({"x": 1.0}) == {"y": 1.0, "i": 1.0}
    with pytest.raises(SchemaError, match="types that do not fit each other"):
        model.predict([{"x": 1}, {"x": 1.0}])


@pytest.mark.parametrize("data", [{"x": 1.0, "z": 1.0}, [{"x": 1.0, "z": 1.0}]])
def test_on_error_and_outputs_are_checked_for_a_record_and_for_a_batch(data: Any) -> None:
    calls: list[Any] = [two().predict, two().transform if isinstance(data, list) else two().predict_record]
    for call in calls:
        with pytest.raises(SchemaError, match="on_error is 'bogus'"):
            call(data, on_error="bogus")
        with pytest.raises(SchemaError, match="outputs is 'y', and has to be a list"):
            call(data, outputs="y")
        with pytest.raises(SchemaError, match=r"outputs is \[\['y'\]\]"):
            call(data, outputs=[["y"]])


@pytest.mark.parametrize("value", [pd.NA, np.array(1.5), np.float32(1.5), {"a": 1.0}, None])
def test_a_dict_whose_values_are_no_columns_is_a_record(absolute: Model, value: Any) -> None:
    try:
        alone = absolute.predict({"x": value}, on_error="null")
    except SchemaError as error:
        with pytest.raises(SchemaError, match=str(error).split(":")[0]):
            absolute.predict([{"x": value}], on_error="null")
    else:
        assert alone == absolute.predict([{"x": value}], on_error="null")[0]


def test_a_vector_that_is_missing_in_all_rows_fails_like_one_among_others() -> None:
    model = Model.from_node(node("n", Normalizer(2.0, 2), {"input": "x"}, {"output": "o"}))
    assert model.predict([{"x": None}], on_error="null") == [{"o": None}]
    assert model.predict([{"x": None}, {"x": [1.0, 0.0]}], on_error="null") == [{"o": None}, {"o": [1.0, 0.0]}]
