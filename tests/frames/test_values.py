"""Columns of Python's values: a value means the same whatever its neighbours are."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leapstream.bundle.types import BasicType, DataType, ListType, MapType, ScalarType, TensorType
from leapstream.errors import SchemaError
from leapstream.executors.texts import texts_of
from leapstream.frames.leaptypes import arrow_type_of
from leapstream.frames.values import array_of

B = BasicType
MASKED: Any = np.ma.MaskedArray
NUMBERS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.floats(width=32).map(np.float32)
    | st.integers(-128, 127).map(np.int8)
)
CONVERTED = [base for base in BasicType if base is not B.BYTE_STRING]


def same(a: list[Any], b: list[Any]) -> bool:
    return [repr(x) for x in a] == [repr(x) for x in b]


@given(values=st.lists(NUMBERS, max_size=6), base=st.sampled_from(CONVERTED))
def test_numbers_and_booleans_become_the_declared_type_each_on_its_own(values: list[Any], base: BasicType) -> None:
    declared = ScalarType(base)
    together = array_of("x", values, declared)
    assert together.type == arrow_type_of(declared)
    assert same(together.to_pylist(), [array_of("x", [value], declared)[0].as_py() for value in values])


@given(rows=st.lists(st.none() | st.lists(NUMBERS.filter(lambda v: v is not None), max_size=3), max_size=4))
def test_elements_of_lists_become_the_declared_type_each_on_its_own(rows: list[Any]) -> None:
    declared = TensorType(B.DOUBLE, None)
    together = array_of("x", rows, declared)
    assert together.type == pa.list_(pa.float64())
    assert same(together.to_pylist(), [array_of("x", [row], declared)[0].as_py() for row in rows])


@given(values=st.lists(NUMBERS | st.text(max_size=3), max_size=6))
def test_numbers_beside_texts_are_texts_where_texts_are_declared(values: list[Any]) -> None:
    declared = ScalarType(B.STRING)
    together = array_of("x", values, declared)
    assert together.to_pylist() == [array_of("x", [value], declared)[0].as_py() for value in values]


def test_a_whole_number_beside_another_keeps_its_text() -> None:
    texts = array_of("x", [1, 2.5, np.float32(0.1), True, "1.0"], ScalarType(B.STRING))
    assert texts.to_pylist() == ["1", "2.5", "0.1", "1", "1.0"]


@pytest.mark.parametrize("base", [B.DOUBLE, B.LONG, B.BOOLEAN])
def test_texts_are_left_to_the_model_to_parse_and_do_not_stand_beside_numbers(base: BasicType) -> None:
    assert array_of("x", ["1", None], ScalarType(base)).to_pylist() == ["1", None]
    with pytest.raises(SchemaError, match=r"column 'x' has values of types .*: long \(1\), string \('a'\)"):
        array_of("x", [1, "a"], ScalarType(base))


@pytest.mark.parametrize(
    ("values", "declared"),
    [
        ([b"a", "a"], ScalarType(B.STRING)),
        ([b"a", 1], ScalarType(B.BYTE_STRING)),
        ([1.0, [1.0]], ScalarType(B.DOUBLE)),
        ([{"a": 1.0}, [1.0]], ListType(B.DOUBLE)),
        ([1, 2.5], None),
    ],
)
def test_values_without_one_right_meaning_are_rejected(values: list[Any], declared: DataType | None) -> None:
    with pytest.raises(SchemaError, match="column 'x' has values of types that do not fit each other"):
        array_of("x", values, declared)


@pytest.mark.parametrize("declared", [ScalarType(B.DOUBLE), TensorType(B.DOUBLE, (2,)), MapType(B.STRING, B.LONG)])
@pytest.mark.parametrize("missing", [None, pd.NA, np.ma.masked])
def test_missing_values_alone_are_of_the_declared_type(declared: DataType, missing: Any) -> None:
    array = array_of("x", [missing, missing], declared)
    assert array.null_count == 2
    assert array.type == arrow_type_of(declared)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([Decimal("0.1"), 1], [0.1, 1.0]),
        ([np.array(1.5), np.float16(0.5)], [1.5, 0.5]),
        ([2**60, 0.5], [float(2**60), 0.5]),
        ([np.uint64(3)], [3.0]),
    ],
)
def test_numbers_of_other_classes_are_numbers(values: list[Any], found: list[float]) -> None:
    assert array_of("x", values, ScalarType(B.DOUBLE)).to_pylist() == found


@pytest.mark.parametrize("value", [2**63, np.uint64(2**63), object()])
def test_values_that_no_leap_type_holds_are_rejected(value: Any) -> None:
    with pytest.raises(SchemaError, match="column 'x'"):
        array_of("x", [value], ScalarType(B.STRING))


def test_half_of_a_surrogate_pair_is_a_string() -> None:
    assert texts_of(array_of("x", ["\ud800", None, "a"], ScalarType(B.STRING))) == ["\ud800", None, "a"]


def test_arrays_as_rows_are_vectors() -> None:
    declared = TensorType(B.DOUBLE, (2,))
    rows = [np.array([1, 2], dtype=np.int32), np.array([3, 4], dtype=np.int32)]
    assert array_of("x", rows, declared).to_pylist() == [[1.0, 2.0], [3.0, 4.0]]
    assert array_of("x", [rows[0], [0.5, True], None], declared).to_pylist() == [[1.0, 2.0], [0.5, 1.0], None]
    masked: Any = MASKED([1.0, 2.0], mask=[False, True])
    assert array_of("x", [masked], declared).to_pylist() == [[1.0, None]]


def test_keys_and_values_of_maps_become_the_declared_types() -> None:
    declared = MapType(B.STRING, B.DOUBLE)
    assert array_of("x", [{"a": 1, "b": 2.5}, None], declared).to_pylist() == [[("a", 1.0), ("b", 2.5)], None]
    with pytest.raises(SchemaError, match="column 'x' has maps, and double is expected"):
        array_of("x", [{"a": 1}], ScalarType(B.DOUBLE))
