from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from leapstream.bundle.types import BasicType, DataType, ScalarType
from leapstream.executors.columns import CodedColumn, column_of
from leapstream.frames.pandas import series_array

TEXT, DOUBLE = ScalarType(BasicType.STRING), ScalarType(BasicType.DOUBLE)


def _column(values: list[Any], declared: DataType | None = TEXT) -> Any:
    return series_array("x", pd.Series(values, dtype=object), declared)


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA])
def test_texts_whose_objects_repeat_are_held_as_distinct_ones(missing: Any) -> None:
    given = ["red", "blue", missing, "".join(["r", "ed"])] * 100
    column = _column(given)
    assert isinstance(column, CodedColumn)
    assert column.values.to_pylist() == ["red", "blue", None, "red"] * 100
    assert column.has_missing()
    assert column.take(np.array([1, 2])).values.to_pylist() == ["blue", None]


@pytest.mark.parametrize(
    "values",
    [
        ["red", "blue"],
        [str(i) for i in range(1000)],
        [1, True] * 200,
        [0.5, None] * 200,
        ["red"] * 200 + [str(i) for i in range(300)],
    ],
    ids=["few rows", "distinct", "numbers", "floats", "distinct later"],
)
def test_other_objects_are_not_held_so(values: list[Any]) -> None:
    declared = TEXT if any(isinstance(value, str) for value in values) else DOUBLE
    assert not isinstance(_column(values, declared), CodedColumn)


def test_columns_of_rows_of_a_frame_are_read_where_they_lie() -> None:
    # pandas 3 makes texts a type of its own.
    frame = pd.DataFrame({"x": ["red", "blue"] * 600, "y": ["a", "b"] * 600}, dtype=object)
    column = series_array("y", frame["y"][::3], TEXT)
    assert isinstance(column, CodedColumn)
    assert column.values.equals(column_of(list(frame["y"][::3]), TEXT).values)
