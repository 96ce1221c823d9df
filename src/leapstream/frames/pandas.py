"""Data frames of pandas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from leapstream.bundle.types import BasicType, DataType, ScalarType
from leapstream.errors import SchemaError
from leapstream.executors.columns import Column, leap_values
from leapstream.frames.columnar import ColumnarTable, to_arrow
from leapstream.frames.contract import Output, Rows, Wanted
from leapstream.frames.given import is_class
from leapstream.frames.values import array_of


class PandasTable(ColumnarTable):
    """A pandas DataFrame. NaN in a column of floats is a number; in a column of objects it is a missing value."""

    title = "pandas DataFrame"

    @classmethod
    def accepts(cls, frame: Any) -> bool:
        return is_class(frame, "pandas", "DataFrame")

    def __init__(self, frame: Any, wanted: Wanted) -> None:
        self._frame = frame
        if frame.columns.nlevels > 1:
            raise SchemaError(f"the columns have {frame.columns.nlevels} levels, and names of one level are expected")
        self._hold(
            list(frame.columns), len(frame), wanted, lambda name: series_array(name, frame[name], wanted.declared(name))
        )

    def result(self, outputs: list[Output], rows: Rows | None, *, keep_inputs: bool) -> Any:
        import pandas as pd

        frame = self._frame if rows is None else self._frame.iloc[rows]
        added = {f.name: pd.Series(_series_values(values, f.type), index=frame.index) for f, values in outputs}
        return frame.assign(**added) if keep_inputs else pd.DataFrame(added, index=frame.index)


def series_array(name: str, series: Any, declared: DataType | None) -> Any:
    """The values of a pandas Series as a NumPy or Arrow array."""
    if is_class(series.dtype, "pandas", "SparseDtype"):
        series = series.sparse.to_dense()
    if not isinstance(series.dtype, np.dtype):
        return pa.array(series, from_pandas=True)
    if series.dtype.kind != "O":
        return series.to_numpy()
    return array_of(name, series.to_numpy(), declared, nan_is_missing=True)


def _series_values(values: Column | list[Any], data_type: DataType) -> Any:
    if isinstance(values, Column) and isinstance(values.values, np.ndarray) and values.values.ndim == 1:
        # Missing values make another series of numbers: of floats, or of objects.
        return values.values if values.valid is None else to_arrow(values, data_type).to_pandas().to_numpy()
    if data_type == ScalarType(BasicType.STRING, data_type.nullable):
        return leap_values(values, data_type)
    return list(to_arrow(values, data_type).to_pandas())
