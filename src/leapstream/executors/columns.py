"""A column of a batch, which executors take as input and return as output."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from leapstream.bundle.tensor import MOST_ELEMENTS, NUMPY_DTYPES, Tensor
from leapstream.bundle.types import BasicType, DataType, ListType, MapType, TensorType
from leapstream.errors import SchemaError
from leapstream.executors.sparse import csr, is_csr, stacked
from leapstream.executors.texts import text_array, text_lists, text_maps, texts_of

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Bools = npt.NDArray[np.bool_]

ARROW_TYPES: dict[BasicType, pa.DataType] = {
    BasicType.BOOLEAN: pa.bool_(),
    BasicType.BYTE: pa.int8(),
    BasicType.SHORT: pa.int16(),
    BasicType.INT: pa.int32(),
    BasicType.LONG: pa.int64(),
    BasicType.FLOAT: pa.float32(),
    BasicType.DOUBLE: pa.float64(),
    BasicType.STRING: pa.string(),
    BasicType.BYTE_STRING: pa.binary(),
}


WIDE = 1024
"""Vectors of at least this many elements stay sparse if an op makes them, or if they are given as sparse vectors."""

MOST_DECLARED = 1 << 24
"""The elements that sparse tensors of a column may declare whatever they store; above it, :data:`WIDE` for each one stored."""


@dataclass(frozen=True, eq=False)
class Column:
    """The values of a column for all rows of a batch.

    Attributes:
        values: by leap type: a number or boolean: 1-D array of its dtype; string, byte string: Arrow array; tensor: array
            (rows, *dimensions), of objects for strings, or for vectors a ``csr_array`` (rows, size) with sorted indices, whose
            entries are what is stored; list and map: Arrow array.
        valid: bool (rows,), where a value is not missing; ``None`` when none is. Arrow arrays hold their own nulls and
            leave it ``None``.
        stored: bool like ``values``, which elements of a tensor are stored; ``None`` when all are, or nobody asks, or
            ``values`` tells.
        complete: bool (rows,), which tensors are sparse although they store all of their elements; ``None`` when none is, or
            nobody asks.
    """

    values: Any
    valid: Bools | None = None
    stored: Bools | None = None
    complete: Bools | None = None

    def __len__(self) -> int:
        return self.values.shape[0] if is_csr(self.values) else len(self.values)

    def to_dense(self, track_stored: bool = False) -> Column:
        """A copy whose values are dense; with ``track_stored``, ``stored`` marks the elements that the sparse values store."""
        if not is_csr(self.values):
            return self
        # SciPy's toarray adds to 0, which makes -0.0 a 0.0.
        places = np.repeat(np.arange(len(self)), np.diff(self.values.indptr)), self.values.indices
        dense = np.zeros(self.values.shape, dtype=self.values.dtype)
        dense[places] = self.values.data
        stored = None
        if track_stored:
            stored = np.zeros(self.values.shape, dtype=np.bool_)
            stored[places] = True
        return Column(dense, self.valid, stored, self.complete if track_stored else None)

    def as_sparse(self) -> Column:
        """A copy whose vectors are sparse, also those that store all of their elements; for columns that say what is stored."""
        full = np.ones(len(self), dtype=np.bool_) if self.stored is None else self.stored.all(axis=1)
        return replace(self, complete=full) if full.any() else self

    def present(self) -> Bools | None:
        """True where a value is not missing; ``None`` if no value is missing."""
        if isinstance(self.values, pa.Array):
            return None if self.values.null_count == 0 else np.asarray(self.values.is_valid())
        return self.valid

    def take(self, rows: npt.NDArray[np.intp] | range) -> Column:
        """The column of some rows, in their order. The arrays of NumPy that a range gives are views."""
        at = places_of(rows)
        if not isinstance(self.values, pa.Array):
            values = self.values[at]
        elif isinstance(at, slice):
            # A copy: an array of Arrow is to begin where its buffers do.
            values = pa.concat_arrays([self.values[at]])
        else:
            values = self.values.take(pa.array(at))
        return Column(
            values,
            None if self.valid is None else self.valid[at],
            None if self.stored is None else self.stored[at],
            None if self.complete is None else self.complete[at],
        )

    def sparse_rows(self) -> Bools:
        """True for each row whose tensor is sparse, as far as the column has this information."""
        rows = len(self)
        if is_csr(self.values):
            partial = np.diff(self.values.indptr) < self.values.shape[1]
        elif self.stored is None:
            partial = np.zeros(rows, dtype=np.bool_)
        else:
            partial = ~self.stored.reshape(rows, math.prod(self.stored.shape[1:])).all(axis=1)
        return np.asarray(partial if self.complete is None else partial | self.complete)

    def with_values(self, values: Any) -> Column:
        """Other values, present and stored in the same places."""
        return Column(values, self.valid, self.stored, self.complete)


class CodedColumn(Column):
    """A column of strings, most of which repeat: the distinct ones and their numbers. ``values`` are made when they are read."""

    codes: npt.NDArray[np.int32]
    distinct: pa.StringArray

    def __init__(self, codes: npt.NDArray[np.int32], distinct: pa.StringArray) -> None:
        """A column of the strings ``distinct[codes]``, of which some may be missing."""
        # A column is frozen.
        self.__dict__.update(codes=codes, distinct=distinct, valid=None, stored=None, complete=None)

    @cached_property
    def values(self) -> pa.StringArray:
        """The strings of all rows."""
        return self.distinct.take(pa.array(self.codes))

    def __len__(self) -> int:
        return len(self.codes)

    def has_missing(self) -> bool:
        """True if a string is missing."""
        return self.distinct.null_count > 0 and bool(np.asarray(self.distinct.is_null())[self.codes].any())

    def take(self, rows: npt.NDArray[np.intp] | range) -> Column:
        return CodedColumn(self.codes[places_of(rows)], self.distinct)


def places_of(rows: npt.NDArray[np.intp] | range) -> npt.NDArray[np.intp] | slice:
    """Rows as arrays are indexed by them."""
    return slice(rows.start, rows.stop) if isinstance(rows, range) else rows


FEWEST_CODED = 256
"""Number of rows from which distinct strings are looked for."""
SAMPLE = 256
"""Number of rows of which half have to repeat a string for the others to be looked at."""
MOST_DISTINCT = 0.25
"""Share of the rows up to which distinct strings are few."""


def coded(column: Column) -> CodedColumn | None:
    """A column of strings with its distinct ones, if they are few."""
    if isinstance(column, CodedColumn):
        return column if len(column.distinct) <= MOST_DISTINCT * len(column) else None
    values = column.values
    if len(values) < FEWEST_CODED or len(values[:SAMPLE].unique()) > SAMPLE // 2:
        return None
    encoded = values.dictionary_encode(null_encoding="encode")
    if len(encoded.dictionary) > MOST_DISTINCT * len(values):
        return None
    return CodedColumn(np.asarray(encoded.indices), encoded.dictionary)


def joined(parts: Sequence[Column]) -> Column:
    """Columns one after the other."""
    pieces = [part.values for part in parts]
    values: Any
    if isinstance(pieces[0], pa.Array):
        values = pa.concat_arrays(pieces)
    elif any(is_csr(piece) for piece in pieces):
        values = stacked(pieces, axis=0)
    else:
        values = np.concatenate(pieces)
    valid = _joined_flags([(part.valid, (len(part),)) for part in parts])
    stored = _joined_flags([(part.stored, getattr(part.values, "shape", ())) for part in parts])
    if any(part.complete is not None for part in parts):
        complete = np.concatenate([part.sparse_rows() for part in parts])
        return Column(values, valid, stored, complete)
    return Column(values, valid, stored)


def _joined_flags(flags: Sequence[tuple[Bools | None, tuple[int, ...]]]) -> Bools | None:
    """Flags one after the other; ``None`` stands for all of a shape being true."""
    if all(flag is None for flag, _ in flags):
        return None
    return np.concatenate([np.ones(shape, dtype=np.bool_) if flag is None else flag for flag, shape in flags])


def column_of(values: Sequence[Any], data_type: DataType) -> Column:
    """A column from the Python values of a leap frame; tensors have to be of equal dimensions."""
    if isinstance(data_type, TensorType):
        return _tensor_column(values, data_type)
    if isinstance(data_type, ListType):
        if data_type.base is BasicType.STRING:
            return Column(text_lists(values))
        return Column(pa.array(values, pa.list_(ARROW_TYPES[data_type.base])))
    if isinstance(data_type, MapType):
        arrow = pa.map_(ARROW_TYPES[data_type.key], ARROW_TYPES[data_type.base])
        return Column(text_maps(values, arrow))
    if data_type.base is BasicType.STRING:
        return Column(text_array(values))
    if data_type.base is BasicType.BYTE_STRING:
        return Column(pa.array(values, pa.binary()))
    dtype = NUMPY_DTYPES[data_type.base]
    valid = np.array([v is not None for v in values], dtype=bool)
    if valid.all():
        return Column(np.array(values, dtype=dtype))
    return Column(np.array([0 if v is None else v for v in values], dtype=dtype), valid)


def _tensor_column(values: Sequence[Tensor | None], data_type: TensorType) -> Column:
    present = [v for v in values if v is not None]
    # Without any tensor nobody knows the dimensions; most are vectors.
    unknown = (0,) if data_type.dimensions is None else data_type.dimensions
    dimensions = present[0].dimensions if present else unknown
    dtype = NUMPY_DTYPES[data_type.base]
    valid = None if len(present) == len(values) else np.array([v is not None for v in values], dtype=bool)
    wide = len(dimensions) == 1 and dimensions[0] >= WIDE and dtype.kind != "O"
    sparse = np.array([v is not None and v.indices is not None for v in values], dtype=bool)
    if wide and sparse.any():
        column = Column(_sparse_rows(values, dimensions[0], dtype), valid)
        return _with_complete(column, sparse)
    elements = len(values) * math.prod(dimensions)
    if sparse.any() and (elements > MOST_ELEMENTS or elements > max(WIDE * _stored(present), MOST_DECLARED)):
        raise SchemaError(f"{len(values)} sparse tensors of the dimensions {list(dimensions)} do not fit into memory")
    array = np.zeros((len(values), *(max(n, 0) for n in dimensions)), dtype=dtype)
    if dtype.kind == "O":
        array.fill(None)
    stored = np.ones(array.shape, dtype=bool)
    for row, value in enumerate(values):
        if value is not None:
            # An array without dimensions would be stored as an object.
            array[row] = value.to_dense() if dimensions else value.to_dense().item()
            if value.indices is not None:
                stored[row] = False
                stored[row][tuple(value.indices.T)] = True
    return _with_complete(Column(array, valid, None if stored.all() else stored), sparse)


def _stored(tensors: Sequence[Tensor]) -> int:
    """The number of elements that tensors store, of each at least one."""
    return sum(max(len(tensor.values), 1) for tensor in tensors)


def _with_complete(column: Column, sparse: Bools) -> Column:
    complete = sparse & ~column.sparse_rows()
    return replace(column, complete=complete) if complete.any() else column


def _sparse_rows(values: Sequence[Tensor | None], size: int, dtype: np.dtype[Any]) -> csr_array:
    """Vectors, of which some are sparse, as the rows of one array; of an index that repeats the last value counts."""
    everything = np.arange(size, dtype=np.int32)
    indices, data, counts = [np.zeros(0, dtype=np.int32)], [np.zeros(0, dtype=dtype)], [0]
    for value in values:
        if value is None:
            counts.append(0)
            continue
        at = everything if value.indices is None else value.indices[:, 0]
        order = np.argsort(at, kind="stable")
        last = np.append(np.diff(at[order]) != 0, True)[: len(at)]
        indices.append(at[order][last])
        data.append(value.values[order][last])
        counts.append(int(last.sum()))
    return csr((np.concatenate(data), np.concatenate(indices), np.cumsum(counts)), (len(values), size))


def to_python(column: Column, data_type: DataType, *, keep_stored: bool = False) -> list[Any]:
    """The column's values as a leap frame holds them.

    With ``keep_stored`` a tensor is sparse that was given so, or that does not store all of its elements.
    """
    if isinstance(column.values, pa.Array):
        pairs = texts_of(column.values)
        return [None if v is None else dict(v) for v in pairs] if isinstance(data_type, MapType) else pairs
    if is_csr(column.values):
        whole = column.values
        starts = whole.indptr
        values: list[Any] = [
            Tensor(data_type.base, whole.data[a:b], (whole.shape[1],), whole.indices[a:b].reshape(-1, 1))
            for a, b in pairwise(starts)
        ]
        if keep_stored:
            for row in np.flatnonzero(~column.sparse_rows()):
                values[row] = Tensor.dense(values[row].values, data_type.base)
    elif isinstance(data_type, TensorType):
        values = [Tensor.dense(v, data_type.base) for v in column.values]
        if keep_stored:
            for row in np.flatnonzero(column.sparse_rows()):
                every = np.ones(column.values.shape[1:], dtype=bool)
                values[row] = values[row].to_sparse(every if column.stored is None else column.stored[row])
    else:
        values = column.values.tolist()
    valid = column.present()
    return values if valid is None else [v if ok else None for v, ok in zip(values, valid, strict=True)]


def leap_values(values: Column | list[Any], data_type: DataType) -> list[Any]:
    """An output of an executor as the values that a leap frame holds."""
    return values if isinstance(values, list) else to_python(values, data_type)
