"""The leap type of a sample."""

from __future__ import annotations

import enum
import fractions
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.sparse import csr_array

from leapstream.bundle.types import BasicType, ListType, MapType, ScalarType, TensorType
from leapstream.errors import SchemaError
from leapstream.frames.leaptypes import arrow_type_of, basic_type_of, basic_types_of, leap_type_of, sample_type_of

B = BasicType


class Colour(enum.IntEnum):
    RED = 1


@pytest.mark.parametrize(
    ("value", "base"),
    [
        (True, B.BOOLEAN),
        (np.bool_(True), B.BOOLEAN),
        (1, B.LONG),
        (Colour.RED, B.LONG),
        (np.int8(1), B.BYTE),
        (np.int16(1), B.SHORT),
        (np.int32(1), B.INT),
        (np.int64(1), B.LONG),
        (np.uint8(1), B.SHORT),
        (np.uint16(1), B.INT),
        (np.uint32(1), B.LONG),
        (np.uint64(1), B.LONG),
        (1.0, B.DOUBLE),
        (np.float64(1), B.DOUBLE),
        (np.float32(1), B.FLOAT),
        (np.float16(1), B.FLOAT),
        (Decimal("1.5"), B.DOUBLE),
        ("a", B.STRING),
        (np.str_("a"), B.STRING),
        (b"a", B.BYTE_STRING),
        (fractions.Fraction(1, 2), None),
        (np.longdouble(1), None),
        (np.datetime64("2020-01-01"), None),
    ],
)
def test_a_value_has_the_basic_type_of_its_class(value: Any, base: BasicType | None) -> None:
    assert basic_type_of(type(value)) is base


def test_missing_values_have_no_type_and_others_without_one_are_named() -> None:
    assert basic_types_of("x", [type(None), int, float]) == {B.LONG, B.DOUBLE}
    with pytest.raises(SchemaError, match="column 'x': a value of type Fraction has no leap type"):
        basic_types_of("x", [float, fractions.Fraction])


@pytest.mark.parametrize(
    ("array", "leap"),
    [
        (np.zeros(2), ScalarType(B.DOUBLE, False)),
        (np.zeros(2, dtype=np.float16), ScalarType(B.FLOAT, False)),
        (np.zeros(2, dtype=np.uint8), ScalarType(B.SHORT, False)),
        (np.zeros((2, 3), dtype=np.float32), TensorType(B.FLOAT, (3,), False)),
        (np.zeros((2, 3, 4)), TensorType(B.DOUBLE, (3, 4), False)),
        (csr_array((2, 3)), TensorType(B.DOUBLE, (3,), False)),
        (pa.array([1, None]), ScalarType(B.LONG, True)),
        (pa.array([1, 2], pa.uint32()), ScalarType(B.LONG, False)),
        (pa.array(["a"]), ScalarType(B.STRING, False)),
        (pa.array([[1.0], None]), ListType(B.DOUBLE, True)),
        (pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int32())), MapType(B.STRING, B.INT, False)),
    ],
)
def test_an_array_has_the_type_of_its_elements_and_dimensions(array: Any, leap: Any) -> None:
    assert leap_type_of("x", array) == leap


@pytest.mark.parametrize(
    "array",
    [np.array(["2020-01-01"], dtype="datetime64[D]"), pa.array([pd.Timestamp("2020-01-01")]), pa.array([[[1.0]]])],
)
def test_an_array_without_a_leap_type_is_named(array: Any) -> None:
    with pytest.raises(SchemaError, match="column 'x': .* has no leap type"):
        leap_type_of("x", array)


@pytest.mark.parametrize(
    "leap", [ScalarType(B.DOUBLE), ListType(B.STRING), MapType(B.STRING, B.INT), ScalarType(B.BYTE_STRING)]
)
def test_arrow_holds_each_leap_type_but_tensors_which_are_lists(leap: Any) -> None:
    assert leap_type_of("x", pa.nulls(1, arrow_type_of(leap))) == leap
    assert arrow_type_of(TensorType(B.FLOAT, (2,))) == pa.list_(pa.float32())


@pytest.mark.parametrize(
    ("values", "leap"),
    [
        ([1, 2], ScalarType(B.LONG, False)),
        ([1, None, 2.5], ScalarType(B.DOUBLE)),
        ([True, None], ScalarType(B.BOOLEAN)),
        (["a", None, float("nan")], ScalarType(B.STRING)),
        (np.array(["a", "b"]), ScalarType(B.STRING)),
        ([None, None], ScalarType(B.STRING)),
        (pd.Series([0.5, float("nan")]), ScalarType(B.DOUBLE, False)),
        (np.zeros((2, 3), dtype=np.uint8), TensorType(B.SHORT, (3,), False)),
    ],
)
def test_a_sample_is_of_numbers_or_of_texts(values: Any, leap: Any) -> None:
    assert sample_type_of("x", values) == leap


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (["a", 1], "neither numbers nor texts alone, but long, string"),
        ([[1, "a"], [2, "b"]], "column 'x' has 2 dimensions"),
        ([fractions.Fraction(1, 2)], "Fraction has no leap type"),
        (np.array(["2020-01-01"], dtype="datetime64[D]"), "has no leap type"),
    ],
)
def test_a_sample_of_other_values_is_rejected(values: Any, words: str) -> None:
    with pytest.raises(SchemaError, match=words):
        sample_type_of("x", np.array(values, dtype=object) if isinstance(values, list) else values)
