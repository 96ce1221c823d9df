"""Whatever a user hands over gives an answer or one of leapstream's errors."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.exceptions import PanicException
from scipy import sparse

from leapstream import Model, SchemaError
from leapstream.bundle.types import DataShape
from leapstream.errors import LeapstreamError
from leapstream.ops.feature import Binarizer, MathBinary, MathUnary, Normalizer, Tokenizer
from leapstream.ops.linear import LinearRegression
from tests.frames.odd import COLUMNS, MASKED, NAMED, Price, Row, frames, odd_inputs
from tests.pipelines import node

pytestmark = pytest.mark.slow

ABSOLUTE = Model.from_node(node("abs", MathUnary("abs"), {"input": "x"}, {"output": "o"}))
TEXT = Model.from_node(node("text", Tokenizer(), {"input": "x"}, {"output": "o"}))
SUM = Model.from_node(node("sum", MathBinary("sub"), {"input_a": "x", "input_b": "y"}, {"output": "o"}))
LINEAR = Model.from_node(
    node("linear", LinearRegression(np.array([1.0, 2.0]), 0.5), {"features": "x"}, {"prediction": "o"})
)
VECTOR = Model.from_node(node("norm", Normalizer(2.0, 2), {"input": "x"}, {"output": "o"}))
MATRIX = Model.from_node(
    node("binary", Binarizer(0.5, DataShape("tensor", False, (2, 2))), {"input": "x"}, {"output": "o"})
)
MODELS = [ABSOLUTE, TEXT, SUM, LINEAR, VECTOR, MATRIX]


def raises_only_leapstreams_errors(model: Model, way: str, data: Any, on_error: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(LeapstreamError):
            getattr(model, way)(data, on_error=on_error)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(MODELS),
    st.sampled_from(["predict", "predict", "transform", "predict_record"]),
    odd_inputs(),
    st.sampled_from(["raise", "null"]),
)
def test_any_input_gives_an_answer_or_an_error_of_leapstream(model: Model, way: str, data: Any, on_error: str) -> None:
    raises_only_leapstreams_errors(model, way, data, on_error)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_any_column_in_any_frame_gives_an_answer_or_an_error_of_leapstream(model: Model) -> None:
    for make in COLUMNS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = frames(make())
            for frame in made:
                try:
                    data = frame()
                except (Exception, PanicException):
                    continue
                for way in ("predict", "transform"):
                    raises_only_leapstreams_errors(model, way, data, "null")


# ---- supported where a user would expect it ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "record",
    [pd.Series({"y": 2.0, "x": 5.0}), NAMED(5.0, 2.0), Row(5.0, 2.0), {"x": np.array(5), "y": np.float32(2)}],
    ids=lambda record: type(record).__name__,
)
def test_a_series_a_named_tuple_and_a_dataclass_are_records(record: Any) -> None:
    assert SUM.predict(record) == SUM.predict_record(record) == {"o": 3.0}
    assert SUM.predict([record, {"x": 1.0, "y": 1.0}]) == [{"o": 3.0}, {"o": 0.0}]


@pytest.mark.parametrize(
    "array",
    [
        np.array([[5.0, 2.0], [1.0, 1.0]]),
        np.array([[5, 2], [1, 1]]),
        np.array([[5, 2.0], [1, True]], dtype=object),
        np.array([(2.0, 5.0), (1.0, 1.0)], dtype=[("y", "f8"), ("x", "f4")]),
        sparse.coo_array([[5.0, 2.0], [1.0, 1.0]]),
    ],
    ids=["doubles", "ints", "objects", "structured", "sparse"],
)
def test_the_columns_of_an_array_are_the_inputs_in_their_order(array: Any) -> None:
    result = SUM.predict(array)
    assert type(result) is dict
    assert result["o"].tolist() == [3.0, 0.0]


@pytest.mark.parametrize("make", [np.array, sparse.csr_array, sparse.csc_matrix])
def test_the_rows_of_an_array_are_the_vectors_of_the_only_input(make: Callable[[Any], Any]) -> None:
    assert LINEAR.predict(make([[1.0, 2.0], [0.0, 3.0]]))["o"].tolist() == [5.5, 6.5]


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((2, 3)), r"array of dimensions \(2, 3\) cannot be the inputs"),
        (np.zeros(2), "array of 1 dimensions is not a frame"),
        (np.zeros((2, 1), dtype=[("x", "f8")]), "structured array of 2 dimensions"),
        (np.zeros((2, 2, 2)), r"dimensions \(2, 2, 2\)"),
    ],
)
def test_an_array_that_has_no_columns_for_the_inputs_is_rejected(array: Any, words: str) -> None:
    with pytest.raises(SchemaError, match=words):
        SUM.predict(array)


def test_masked_elements_of_an_arrays_columns_are_missing() -> None:
    masked = MASKED([[5.0, 2.0], [1.0, 1.0]], mask=[[0, 0], [0, 1]])
    assert SUM.predict(masked, on_error="null")["o"].tolist() == [3.0, None]


def test_a_lazy_frame_is_collected() -> None:
    result = SUM.predict(pl.LazyFrame({"x": [5.0], "y": [2.0]}))
    assert isinstance(result, pl.DataFrame)
    assert result["o"].to_list() == [3.0]


def test_records_and_arrow_tables_have_tensors_of_several_dimensions() -> None:
    rows = np.array([[[0.0, 1.0], [1.0, 0.0]]])
    assert MATRIX.predict({"x": [[0.0, 1.0], [1.0, 0.0]]}) == {"o": [0.0, 1.0, 1.0, 0.0]}
    assert MATRIX.predict([{"x": rows[0]}]) == [{"o": [0.0, 1.0, 1.0, 0.0]}]
    table = pa.table({"x": pa.FixedShapeTensorArray.from_numpy_ndarray(rows)})
    assert MATRIX.predict(table)["o"].to_pylist() == [[0.0, 1.0, 1.0, 0.0]]
    with pytest.raises(SchemaError, match=r"dimensions \(1, 2\) and \(2, 2\)"):
        MATRIX.predict([{"x": rows[0]}, {"x": [[1.0, 2.0]]}])


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1.5, None], dtype="Float32"),
        pd.Series([1.5, 0.0], dtype="Sparse[float64]"),
        pl.Series(["1.5", None], dtype=pl.Categorical),
        pc.run_end_encode(pa.array([1.5, None])),
        pa.array([1.5, None]).dictionary_encode(),
        pa.ExtensionArray.from_storage(Price(), pa.array([1.5, None])),
    ],
    ids=["nullable", "sparse", "categorical", "run-end", "dictionary", "extension"],
)
def test_columns_of_encoded_numbers_are_numbers(column: Any) -> None:
    assert ABSOLUTE.predict({"x": column}, on_error="null")["o"].tolist()[0] == 1.5


@pytest.mark.parametrize("value", [{1.0, 2.0}, {"a": 1.0}.keys(), pd.DataFrame({"a": [1.0, 2.0]})], ids=repr)
def test_a_column_without_an_order_is_rejected(value: Any) -> None:
    with pytest.raises(SchemaError, match="an array or a list is expected"):
        ABSOLUTE.transform({"x": value})
