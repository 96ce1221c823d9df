"""The text of a row's values; RowTextTest of the Java has the same."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from pyflink.common import Row

from leapstream.flink.rowtext import element_text, row_text


def test_values_have_their_names() -> None:
    assert row_text([1e7, None, "x\ny", True], ["a", "b", "c", "d"]) == "{a: 1.0E7, b: null, c: 'x\\ny', d: true}"


def test_values_without_names_for_them_have_none() -> None:
    assert row_text([1, np.float32(0.1), Decimal("2.50")], ["a"]) == "{1, 0.1, 2.50}"


def test_long_values_are_shortened() -> None:
    found = row_text(["é" * 60, np.zeros(9), b"abc", {"k": 1}, [1, 2]])
    assert found == "{'" + "é" * 50 + "…', [0.0, 0.0, 0.0, 0.0, 0.0, … 9 in all], 3 bytes, a map of 1, [1, 2]}"


def test_columns_after_the_fiftieth_are_left_out() -> None:
    assert row_text([1] * 51) == "{" + "1, " * 50 + "…}"


def test_an_element_is_a_row_a_dict_a_tuple_or_a_scalar() -> None:
    assert element_text(Row(a=1, b="x")) == element_text({"a": 1, "b": "x"}) == "{a: 1, b: 'x'}"
    assert element_text((1, 2)) == element_text(Row(1, 2)) == "{1, 2}"
    assert element_text(1.5) == "{1.5}"
