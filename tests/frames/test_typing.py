"""The types that mypy sees: a frame of a kind comes back as that kind. ``make typecheck`` checks this file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from typing_extensions import assert_type

import leapstream
from leapstream import LeapFrame

BENCH = Path(__file__).parents[1] / "bench"
ROW = {"feature1": 1.0, "feature2": 2.0, "feature3": 3.0}


def test_a_frame_of_a_kind_comes_back_as_that_kind() -> None:
    model = leapstream.load(BENCH / "linear3.zip")
    leap = LeapFrame.read(BENCH / "linear3.input.json")
    assert_type(model.transform(leap), LeapFrame)
    assert_type(model.predict(leap), LeapFrame)
    assert_type(model.transform(pd.DataFrame([ROW])), pd.DataFrame)
    assert_type(model.predict(pd.DataFrame([ROW]), outputs=["prediction"]), pd.DataFrame)
    assert_type(model.transform(pl.DataFrame([ROW]), on_error="null"), pl.DataFrame)
    assert_type(model.predict(pl.DataFrame([ROW]), backend="vectorized"), pl.DataFrame)
    assert_type(model.transform(pa.Table.from_pylist([ROW])), pa.Table)
    assert_type(model.predict(pa.RecordBatch.from_pylist([ROW])), pa.RecordBatch)


def test_records_come_back_as_records() -> None:
    model = leapstream.load(BENCH / "linear3.zip")
    rows: list[Mapping[str, Any]] = [ROW]
    assert_type(model.transform(rows), list[dict[str, Any]])
    assert_type(model.predict([ROW]), list[dict[str, Any]])
    assert_type(model.predict(ROW), dict[str, Any] | None)
    assert_type(model.predict_record(ROW), dict[str, Any] | None)


def test_a_dict_of_arrays_comes_back_as_a_dict() -> None:
    model = leapstream.load(BENCH / "linear3.zip")
    arrays = {name: np.array([value]) for name, value in ROW.items()}
    assert_type(model.transform(arrays), dict[str, Any])
