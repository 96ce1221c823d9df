"""Data frames of pandas."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from leapstream.bundle.types import BasicType, DataType, ScalarType
from leapstream.errors import SchemaError
from leapstream.executors.columns import FEWEST_CODED, MOST_DISTINCT, SAMPLE, CodedColumn, Column, leap_values
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
    values = series.to_numpy()
    return _coded(name, values, declared) or array_of(name, values, declared, nan_is_missing=True)


def _coded(name: str, values: npt.NDArray[np.object_], declared: DataType | None) -> CodedColumn | None:
    """Strings of which many rows have the same object, as readers of files make them; ``None`` if the column is not such."""
    if len(values) < FEWEST_CODED:
        return None
    import pandas as pd

    values = np.ascontiguousarray(values)
    addresses = np.ctypeslib.as_array((ctypes.c_ssize_t * len(values)).from_address(values.ctypes.data))
    if len(set(addresses[:SAMPLE].tolist())) > SAMPLE // 2:
        return None
    codes, distinct = pd.factorize(addresses)
    if len(distinct) > MOST_DISTINCT * len(values):
        return None
    first = np.empty(len(distinct), dtype=np.intp)
    first[codes[::-1]] = np.arange(len(values) - 1, -1, -1)
    texts = array_of(name, list(values[first]), declared, nan_is_missing=True)
    if not isinstance(texts, pa.StringArray):
        return None
    return CodedColumn(codes.astype(np.int32), texts)


def _series_values(values: Column | list[Any], data_type: DataType) -> Any:
    if isinstance(values, Column) and isinstance(values.values, np.ndarray) and values.values.ndim == 1:
        # Missing values make another series of numbers: of floats, or of objects.
        return values.values if values.valid is None else to_arrow(values, data_type).to_pandas().to_numpy()
    if data_type == ScalarType(BasicType.STRING, data_type.nullable):
        return leap_values(values, data_type)
    if isinstance(values, Column) and isinstance(values.values, np.ndarray) and values.values.ndim == 2:
        rows = values.values.view()
        if values.valid is None and rows.dtype.kind != "O":
            # As arrays that come from Arrow: another column may share the memory.
            rows.flags.writeable = False
            return list(rows)
    return list(to_arrow(values, data_type).to_pandas())
