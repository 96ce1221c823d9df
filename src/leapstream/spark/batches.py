"""Arrow arrays of Spark's columns, as what models read and from what they compute."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import csr_array

from leapstream.bundle.types import DataType, ScalarType
from leapstream.executors.columns import ARROW_TYPES
from leapstream.frames.columnar import require_dense
from leapstream.frames.leaptypes import arrow_type_of

_SPARSE, _DENSE = 0, 1
VECTOR = pa.struct(
    [
        pa.field("type", pa.int8(), False),
        pa.field("size", pa.int32()),
        pa.field("indices", pa.list_(pa.int32())),
        pa.field("values", pa.list_(pa.float64())),
    ]
)
"""Vectors of Spark ML in Arrow: ``type`` is 0 for a sparse one, and 1 for a dense one, which stores neither size nor indices."""


def vectors_read(array: pa.StructArray) -> pa.Array | csr_array:
    """Vectors of Spark ML as a column of a frame: sparse where all have one size and one of them is sparse."""
    kinds, sizes, indices, values = array.flatten()
    sparse = np.asarray(kinds.fill_null(_DENSE)) == _SPARSE
    if not sparse.any():
        return values
    lengths = np.where(sparse, np.asarray(sizes.fill_null(0)), np.asarray(values.value_lengths().fill_null(0)))
    if array.null_count == 0 and (lengths == lengths[0]).all():
        return _stacked(sparse, int(lengths[0]), indices, values)
    listed = zip(
        array.is_valid().to_pylist(), sparse, lengths.tolist(), indices.to_pylist(), values.to_pylist(), strict=True
    )
    return pa.array([_dense(*row[1:]) if row[0] else None for row in listed], pa.list_(pa.float64()))


def _stacked(sparse: npt.NDArray[np.bool_], width: int, indices: pa.ListArray, values: pa.ListArray) -> csr_array:
    stored = np.asarray(values.value_lengths())
    starts = np.concatenate([[0], np.cumsum(stored, dtype=np.int64)])
    places = np.empty(starts[-1], dtype=np.int64)
    of_sparse = np.repeat(sparse, stored)
    places[of_sparse] = np.asarray(indices.flatten())
    places[~of_sparse] = np.tile(np.arange(width), int((~sparse).sum()))
    return csr_array((np.asarray(values.flatten()), places, starts), shape=(len(sparse), width))


def _dense(sparse: bool, size: int, indices: list[int] | None, values: list[float]) -> npt.NDArray[np.float64]:
    if not sparse:
        return np.array(values)
    require_dense(1, size)
    row = np.zeros(size)
    row[indices] = values
    return row


def vectors_written(values: Any) -> pa.StructArray:
    """A computed column of vectors, an array (rows, elements) or an array of arrays and ``None``, as vectors of Spark ML."""
    rows = len(values) if not isinstance(values, csr_array) else values.shape[0]
    no_sizes, no_indices = pa.nulls(rows, pa.int32()), pa.nulls(rows, pa.list_(pa.int32()))
    if isinstance(values, csr_array):
        kinds = np.full(rows, _SPARSE, dtype=np.int8)
        starts = pa.array(values.indptr.astype(np.int32))
        columns = [
            pa.array(np.full(rows, values.shape[1], dtype=np.int32)),
            pa.ListArray.from_arrays(starts, pa.array(values.indices.astype(np.int32))),
            pa.ListArray.from_arrays(starts, pa.array(values.data)),
        ]
        return _struct(kinds, columns, None)
    kinds = np.full(rows, _DENSE, dtype=np.int8)
    dense = lists_written(values, pa.list_(pa.float64()))
    missing = dense.is_null() if dense.null_count else None
    return _struct(kinds, [no_sizes, no_indices, dense], missing)


def _struct(kinds: npt.NDArray[np.int8], columns: list[pa.Array], missing: pa.Array | None) -> pa.StructArray:
    return pa.StructArray.from_arrays([pa.array(kinds), *columns], fields=list(VECTOR), mask=missing)


def lists_written(values: Any, kind: pa.DataType) -> pa.Array:
    """A computed column of tensors or lists as an Arrow array of lists."""
    if isinstance(values, csr_array):
        require_dense(*values.shape)
        values = values.toarray()
    if values.dtype != object and values.ndim > 1:
        flat = values.reshape(len(values), -1)
        offsets = pa.array(np.arange(len(flat) + 1, dtype=np.int32) * flat.shape[1])
        return pa.ListArray.from_arrays(offsets, pa.array(flat.reshape(-1), kind.value_type))
    return pa.array([None if v is None else np.asarray(v).reshape(-1).tolist() for v in values], kind)


def written(values: Any, kind: DataType, *, as_vector: bool) -> pa.Array:
    """A computed column as the Arrow array that Spark expects of it."""
    if as_vector:
        return vectors_written(values)
    arrow = arrow_type_of(kind)
    if pa.types.is_list(arrow):
        return lists_written(values, arrow)
    if isinstance(kind, ScalarType) and isinstance(values, np.ndarray) and values.dtype != object:
        return pa.array(values, ARROW_TYPES[kind.base])
    return pa.array(list(values), arrow)
