"""Dicts of arrays."""

from __future__ import annotations

from collections.abc import Mapping, Set, Sized
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from leapstream.bundle.tensor import Tensor
from leapstream.bundle.types import DataType, TensorType
from leapstream.errors import SchemaError
from leapstream.executors.columns import Column, leap_values
from leapstream.executors.sparse import csr, is_csr, is_sparse
from leapstream.frames.columnar import ColumnarTable, require_dense_tensors
from leapstream.frames.contract import Output, Rows, Wanted
from leapstream.frames.given import is_class
from leapstream.frames.pandas import series_array
from leapstream.frames.values import array_of

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class ArraysTable(ColumnarTable):
    """A dict of arrays, lists or Arrow arrays, all of one length; an array (rows, …) is a tensor, sparse or dense.

    Sparse vectors that the model makes come back as a ``scipy.sparse.csr_array``.
    """

    title = "dict of arrays"

    @classmethod
    def accepts(cls, frame: Any) -> bool:
        return isinstance(frame, Mapping)

    def __init__(self, frame: Mapping[str, Any], wanted: Wanted) -> None:
        self._frame = frame
        lengths = {name: _length(name, values) for name, values in frame.items()}
        if len(set(lengths.values())) > 1:
            raise SchemaError(f"the columns differ in length: {lengths}")
        rows = next(iter(lengths.values()), 0)
        self._hold(list(frame), rows, wanted, lambda name: _array(name, frame[name], wanted.declared(name)))

    def result(self, outputs: list[Output], rows: Rows | None, *, keep_inputs: bool) -> dict[str, Any]:
        added = {f.name: _numpy(values, f.type) for f, values in outputs}
        if not keep_inputs:
            return added
        given = self._frame if rows is None else {k: _take(values, rows) for k, values in self._frame.items()}
        return {**given, **added}


def _length(name: str, values: Any) -> int:
    if is_sparse(values):
        return int(values.shape[0])
    unordered = isinstance(values, (str, bytes, Set, Mapping)) or is_class(values, "pandas", "DataFrame")
    if unordered or not isinstance(values, Sized) or getattr(values, "ndim", 1) == 0:
        raise SchemaError(f"column {name!r} is of type {type(values).__name__}, and an array or a list is expected")
    return len(values)


def _array(name: str, values: Any, declared: DataType | None) -> Any:
    if is_sparse(values):
        return _canonical(values)
    if isinstance(values, np.ndarray):
        return values if values.dtype.kind not in "OSU" else array_of(name, values.tolist(), declared)
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values
    if is_class(values, "pandas", "Series"):
        return series_array(name, values, declared)
    if is_class(values, "polars", "Series"):
        return values.to_arrow()
    return array_of(name, values if isinstance(values, list) else list(values), declared)


def _canonical(rows: Any) -> csr_array:
    """Sparse vectors of any kind, as columns hold them."""
    if rows.ndim != 2:
        raise SchemaError(f"a sparse array of {rows.ndim} dimensions is not a column of vectors")
    array = csr(rows, dtype=np.float64, copy=True)
    array.sum_duplicates()
    return array


def _take(values: Any, rows: Rows) -> Any:
    if isinstance(values, np.ndarray) or is_sparse(values):
        return values[rows]
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values.take(pa.array(rows))
    if is_class(values, "pandas", "Series"):
        return values.iloc[rows]
    if is_class(values, "polars", "Series"):
        return values[rows.tolist()]
    listed = list(values)
    return [listed[i] for i in rows.tolist()]


def _numpy(values: Column | list[Any], data_type: DataType) -> npt.NDArray[Any] | csr_array:
    if isinstance(values, Column) and values.present() is None:
        arrays = values.values
        if isinstance(arrays, np.ndarray) or is_csr(arrays):
            return arrays
    listed = leap_values(values, data_type)
    if isinstance(data_type, TensorType):
        require_dense_tensors(listed)
    result = np.empty(len(listed), dtype=object)
    for i, value in enumerate(listed):
        result[i] = value.to_dense() if isinstance(value, Tensor) else value
    return result
