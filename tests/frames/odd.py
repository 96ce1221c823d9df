"""Odd inputs: values, columns and frames of many kinds that a user may hand over."""

from __future__ import annotations

import datetime
import decimal
import fractions
import math
import uuid
import warnings
from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import strategies as st
from polars.exceptions import PanicException
from scipy import sparse

MASKED: Any = np.ma.MaskedArray
NAMED: Any = namedtuple("NAMED", ["x", "y"])


class Price(pa.ExtensionType):  # type: ignore[misc]
    """An extension type that is stored as doubles."""

    def __init__(self) -> None:
        super().__init__(pa.float64(), "tests.price")

    def __arrow_ext_serialize__(self) -> bytes:
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage_type: pa.DataType, serialized: bytes) -> Price:
        return cls()


@dataclass
class Row:
    """A record as a dataclass."""

    x: Any
    y: Any = 1.0


VALUES: list[Any] = [
    *(
        None,
        True,
        1,
        -1.5,
        2**70,
        math.nan,
        math.inf,
        "a",
        "1.5",
        "\ud83d",
        b"\xff",
        bytearray(b"a"),
        1 + 2j,
        ...,
        object(),
    ),
    *(pd.NA, pd.NaT, np.ma.masked, np.float32(1.5), np.float16(1.5), np.longdouble(1), np.datetime64("2020-01-01")),
    *(np.timedelta64(1, "D"), np.array(1.5), np.array("a"), np.void(b"ab"), np.str_("a"), np.bytes_(b"a")),
    *(decimal.Decimal("1.5"), decimal.Decimal("sNaN"), fractions.Fraction(1, 3), datetime.date(2020, 1, 1)),
    *(
        datetime.timedelta(1),
        uuid.UUID(int=1),
        range(2),
        {1.0, 2.0},
        {"a": 1},
        {1: "a"},
        (1.0, 2.0),
        [],
        [None],
        [1.0, "a"],
    ),
    *([[1.0, 2.0], [3.0]], [[1.0, 2.0], [3.0, 4.0]], [[[1.0]]], np.eye(2), np.zeros(0), np.array([None, 1.0])),
    *(
        MASKED([1.0, 2.0], mask=[0, 1]),
        np.array(["a", 1.0], dtype=object),
        pd.Series([1.0, 2.0]),
        pl.Series([1.0, 2.0]),
    ),
    *(
        pa.scalar(1.5),
        pa.array([1.0, 2.0]),
        sparse.csr_array([[1.0, 2.0]]),
        pd.Interval(0, 1),
        pd.Timestamp("2020"),
        int,
        len,
    ),
    *(SimpleNamespace(x=1.0), NAMED(1.0, 2.0), Row(1.0), memoryview(b"ab"), iter([1.0])),
]

ARROW: list[Callable[[], Any]] = [
    lambda: pa.array(["1", None], pa.string_view()),
    lambda: pa.array(["1", None], pa.large_string()),
    lambda: pa.array([b"1", None], pa.large_binary()),
    lambda: pa.array([b"12", None], pa.binary(2)),
    lambda: pa.array(["1", None]).dictionary_encode(),
    lambda: pa.array([1.5, None]).dictionary_encode(),
    lambda: pc.run_end_encode(pa.array([1.5, None])),
    lambda: pa.array([decimal.Decimal("1.5"), None], pa.decimal128(5, 2)),
    lambda: pa.array([decimal.Decimal("1.5"), None], pa.decimal256(50, 2)),
    lambda: pa.array([1, None], pa.timestamp("us", tz="UTC")),
    lambda: pa.array([1, None], pa.date32()),
    lambda: pa.array([1, None], pa.duration("s")),
    lambda: pa.array([1, None], pa.time64("us")),
    lambda: pa.array([2**64 - 1, 1], pa.uint64()),
    lambda: pa.array([np.float16(1.5), None], pa.float16()),
    lambda: pa.array([[1.0, 2.0], None], pa.large_list(pa.float64())),
    lambda: pa.array([[1.0, 2.0], None], pa.list_(pa.float64(), 2)),
    lambda: pa.array([[1.0, 2.0], [None, 1.0]], pa.list_(pa.float32())),
    lambda: pa.array([[["a"]], None]),
    lambda: pa.array([["1"], None], pa.list_(pa.dictionary(pa.int8(), pa.string()))),
    lambda: pa.array([{"a": 1}, None]),
    lambda: pa.array([[("a", 1.0)], None], pa.map_(pa.large_string(), pa.float64())),
    lambda: pa.FixedShapeTensorArray.from_numpy_ndarray(np.arange(8.0).reshape(2, 2, 2)),
    lambda: pa.ExtensionArray.from_storage(Price(), pa.array([1.5, None])),
    lambda: pa.nulls(2),
    lambda: pa.chunked_array([pa.array([1.0]), pa.array([2.0])]),
    lambda: pa.chunked_array([], pa.float64()),
    lambda: pa.array([1.0, 2.0, 3.0])[1:],
    lambda: pa.array([[1.0], [2.0, 3.0], [4.0]])[1:],
]

PANDAS: list[Callable[[], Any]] = [
    lambda: pd.Series(["1", None], dtype="category"),
    lambda: pd.Series([1.5, None], dtype="category"),
    lambda: pd.Series([1, None], dtype="Int64"),
    lambda: pd.Series([1.5, None], dtype="Float32"),
    lambda: pd.Series([True, None], dtype="boolean"),
    lambda: pd.Series(["1", None], dtype="string"),
    lambda: pd.Series([1.5, None], dtype=pd.ArrowDtype(pa.float32())),
    lambda: pd.Series([decimal.Decimal("1.5"), None], dtype=pd.ArrowDtype(pa.decimal128(5, 2))),
    lambda: pd.Series([[1.0, 2.0], None], dtype=pd.ArrowDtype(pa.list_(pa.float64()))),
    lambda: pd.Series([1.0, 0.0], dtype="Sparse[float64]"),
    lambda: pd.Series(pd.period_range("2020", periods=2, freq="D")),
    lambda: pd.Series(pd.interval_range(0, 2)),
    lambda: pd.Series(pd.date_range("2020", periods=2, tz="UTC")),
    lambda: pd.Series([1 + 2j, 3]),
    lambda: pd.Series([np.eye(2), np.eye(2)]),
    lambda: pd.Series([np.eye(2), None]),
    lambda: pd.Series([pd.NA, 1.5]),
    lambda: pd.Index([1.0, 2.0]),
]

POLARS: list[Callable[[], Any]] = [
    lambda: pl.Series([1, None], dtype=pl.Int128),
    lambda: pl.Series([decimal.Decimal("1.5"), None], dtype=pl.Decimal(10, 2)),
    lambda: pl.Series(["1", None], dtype=pl.Categorical),
    lambda: pl.Series(["1", None], dtype=pl.Enum(["1", "2"])),
    lambda: pl.Series([{"a": 1.0}, None]),
    lambda: pl.Series([[1.0, 2.0], [3.0, 4.0]], dtype=pl.Array(pl.Float64, 2)),
    lambda: pl.Series([[[1.0, 2.0]], [[3.0, 4.0]]], dtype=pl.Array(pl.Float64, (1, 2))),
    lambda: pl.Series([[1.0], None]),
    lambda: pl.Series([datetime.date(2020, 1, 1), None]),
    lambda: pl.Series([datetime.timedelta(1), None]),
    lambda: pl.Series([None, None]),
    lambda: pl.Series([object(), None], dtype=pl.Object),
    lambda: pl.Series([b"1", None]),
]

NUMPY: list[Callable[[], Any]] = [
    lambda: np.array([1.5, 2.5]).astype(">f8"),
    lambda: np.array(["1", "2"]),
    lambda: np.array([b"1", b"2"]),
    lambda: np.array(["2020-01-01", "NaT"], dtype="datetime64[D]"),
    lambda: np.array([1 + 2j, 2]),
    lambda: np.array([1, 2], dtype=np.longdouble),
    lambda: np.array([2**64 - 1, 1], dtype=np.uint64),
    lambda: np.array([[1.0, 2.0], [3.0, 4.0]]),
    lambda: np.zeros((2, 2, 2)),
    lambda: np.zeros((2, 0)),
    lambda: np.array([[1.0, "a"], [None, 2.0]], dtype=object),
    lambda: np.array([(1.0, "a"), (2.0, "b")], dtype=[("x", "f8"), ("y", "U1")]),
    lambda: np.rec.array([(1.0, 2.0)], names="x,y"),
    lambda: MASKED([1.0, 2.0], mask=[0, 1]),
    lambda: MASKED([[1.0, 2.0], [3.0, 4.0]], mask=[[0, 1], [0, 0]]),
    lambda: np.matrix([[1.0, 2.0], [3.0, 4.0]]),
    lambda: np.array(1.5),
    lambda: np.zeros((0, 2)),
    lambda: sparse.csr_array([[1.0, 2.0], [0.0, 4.0]]),
    lambda: sparse.coo_matrix([[1.0, 2.0], [0.0, 4.0]]),
    lambda: sparse.csr_array([[1 + 2j, 2.0]]),
]

COLUMNS = [*ARROW, *PANDAS, *POLARS, *NUMPY]
NAMES: list[Any] = ["x", "y", "o", 0, None, ("x", "y"), ""]


def frames(column: Any) -> list[Callable[[], Any]]:
    """Frames with a column, of every library that may hold it."""
    return [
        lambda: {"x": column},
        lambda: {"x": column, "y": [1.0, 2.0]},
        lambda: pd.DataFrame({"x": column}),
        lambda: pd.DataFrame({"x": column}, index=["a", "a"]),
        lambda: pl.DataFrame({"x": column}),
        lambda: pl.LazyFrame({"x": column}),
        lambda: pa.table({"x": column}),
        lambda: pa.RecordBatch.from_pydict({"x": column}),
        lambda: list(column),
        lambda: column,
    ]


def _records(value: Any, other: Any, name: Any) -> list[Callable[[], Any]]:
    return [
        lambda: {"x": value},
        lambda: {"x": value, name: other},
        lambda: [{"x": value}, {"x": other}],
        lambda: [{"x": value}, {name: other}],
        lambda: [value, {"x": other}],
        lambda: {"x": [value, other]},
        lambda: {"x": (value, other)},
        lambda: pd.Series({"x": value, name: other}),
        lambda: pd.Series([value, other], index=["x", "x"]),
        lambda: pd.DataFrame({"x": [value, other]}),
        lambda: pd.DataFrame([[value, other]], columns=["x", "x"]),
        lambda: pd.DataFrame([[value]], columns=pd.MultiIndex.from_tuples([("x", name)])),
        lambda: pl.DataFrame({"x": [value, other]}, strict=False),
        lambda: np.array([[value, other]], dtype=object),
        lambda: Row(value, other),
        lambda: NAMED(value, other),
        lambda: [NAMED(value, other), Row(value)],
        lambda: ({"x": v} for v in (value, other)),
        lambda: {"x": value}.items(),
        lambda: SimpleNamespace(x=value),
        lambda: value,
    ]


@st.composite
def odd_inputs(draw: st.DrawFn) -> Any:
    """An input of some kind; ``None`` where a library cannot make it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if draw(st.booleans()):
            made = draw(st.sampled_from(frames(draw(st.sampled_from(COLUMNS))())))
        else:
            value, other = draw(st.sampled_from(VALUES)), draw(st.sampled_from(VALUES))
            made = draw(st.sampled_from(_records(value, other, draw(st.sampled_from(NAMES)))))
        try:
            return made()
        except (Exception, PanicException):
            return None
