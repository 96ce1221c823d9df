"""The kinds of table that a model takes and gives back: leap frame, pandas, polars, Arrow, list of dicts, dict of arrays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy import sparse
from scipy.sparse import csr_array

from leapstream.bundle.frame import LeapFrame
from leapstream.bundle.tensor import NUMPY_DTYPES, Tensor
from leapstream.bundle.types import BasicType, DataType, Field, ListType, MapType, ScalarType, Schema, TensorType
from leapstream.errors import SchemaError
from leapstream.executors.columns import ARROW_TYPES, Column, column_of, to_python

Rows: TypeAlias = npt.NDArray[np.intp]
Output: TypeAlias = tuple[Field, "Column | list[Any]"]
"""A computed column: as arrays, or as Python values when rows have tensors of different sizes."""


class Table(ABC):
    """A frame of some kind, seen as columns of leap types.

    Attributes:
        rows: number of rows.
        names: all columns of the frame.
        schema: those that were wanted, with their leap types.
    """

    rows: int
    names: Collection[str]
    schema: Schema

    @abstractmethod
    def sizes(self, name: str) -> list[Any] | None:
        """Per row, what has to be equal for rows to share a batch (a tensor's dimensions); ``None`` for a missing value.

        ``None`` instead of a list says that all rows are alike.
        """

    @abstractmethod
    def column(self, name: str, rows: Rows | None) -> Column:
        """A column, or some rows of it."""

    def values(self, name: str) -> list[Any]:
        """A column's values as a leap frame holds them."""
        sizes = self.sizes(name)
        data_type = self.schema[name].type
        if sizes is None:
            return to_python(self.column(name, None), data_type)
        values: list[Any] = [None] * self.rows
        for rows in grouped(sizes):
            for row, value in zip(rows, to_python(self.column(name, rows), data_type), strict=True):
                values[row] = value
        return values

    @abstractmethod
    def result(self, outputs: list[Output], rows: Rows | None, *, keep_inputs: bool) -> Any:
        """A frame of the same kind: the given columns, if they are to be kept, and the outputs.

        Args:
            outputs: columns to add, with a value for each row that is kept.
            rows: the given rows that are kept; ``None`` for all.
            keep_inputs: whether the given columns are part of the result.
        """


def grouped(keys: Sequence[Any]) -> list[Rows]:
    """Positions of equal keys, by first appearance."""
    groups: dict[Any, list[int]] = {}
    for row, key in enumerate(keys):
        groups.setdefault(key, []).append(row)
    return [np.array(rows, dtype=np.intp) for rows in groups.values()]


def table_of(frame: Any, wanted: Schema) -> Table:
    """A table from a frame of any supported kind; only the ``wanted`` columns have to be of leap types.

    Raises:
        SchemaError: the frame is of no supported kind, or a wanted column has no leap type.
    """
    module = type(frame).__module__.split(".")[0]
    if isinstance(frame, LeapFrame):
        return LeapTable(frame)
    if isinstance(frame, pa.Table):
        return ArrowTable(frame, wanted)
    if isinstance(frame, pa.RecordBatch):
        return RecordBatchTable(frame, wanted)
    if module == "pandas":
        return PandasTable(frame, wanted)
    if module == "polars":
        return PolarsTable(frame, wanted)
    if isinstance(frame, Mapping):
        return DictTable(frame, wanted)
    if isinstance(frame, Sequence) and not isinstance(frame, (str, bytes)):
        return RecordsTable(frame, wanted)
    raise SchemaError(
        f"a frame of type {type(frame).__name__} is not supported: give a LeapFrame, pandas or polars DataFrame, "
        "pyarrow Table or RecordBatch, a list of dicts or a dict of arrays"
    )


class LeapTable(Table):
    """A :class:`~leapstream.bundle.frame.LeapFrame`."""

    def __init__(self, frame: LeapFrame) -> None:
        self.frame = frame
        self.rows = len(frame.rows)
        self.names = frame.schema.names
        self.schema = frame.schema
        self._position = {name: i for i, name in enumerate(frame.schema.names)}

    def sizes(self, name: str) -> list[Any] | None:
        if not isinstance(self.schema[name].type, TensorType):
            return None
        position = self._position[name]
        return [None if row[position] is None else row[position].dimensions for row in self.frame.rows]

    def column(self, name: str, rows: Rows | None) -> Column:
        position = self._position[name]
        picked = self.frame.rows if rows is None else [self.frame.rows[i] for i in rows]
        return column_of([row[position] for row in picked], self.schema[name].type)

    def values(self, name: str) -> list[Any]:
        return self.frame.column(name)

    def result(self, outputs: list[Output], rows: Rows | None, *, keep_inputs: bool) -> LeapFrame:
        kept = self.frame.rows if rows is None else [self.frame.rows[i] for i in rows]
        fields = [f for f, _ in outputs]
        columns = [values if isinstance(values, list) else to_python(values, f.type) for f, values in outputs]
        added = list(zip(*columns, strict=True)) if columns else [()] * len(kept)
        if not keep_inputs:
            return LeapFrame(Schema(tuple(fields)), list(added))
        joined = [(*row, *new) for row, new in zip(kept, added, strict=True)]
        return LeapFrame(Schema((*self.schema.fields, *fields)), list(joined))


class _ArrowColumns(Table):
    """Tables whose columns are, or become, Arrow arrays."""

    def __init__(self, names: Collection[str], arrays: Mapping[str, Any], rows: int) -> None:
        self.names = names
        self.rows = rows
        self._arrays = {name: _plain(array) for name, array in arrays.items()}
        self.schema = Schema(tuple(Field(name, _leap_type(name, array)) for name, array in self._arrays.items()))

    def sizes(self, name: str) -> list[Any] | None:
        array = self._arrays[name]
        if not isinstance(array, pa.ListArray):
            return None
        lengths = np.diff(np.asarray(array.offsets))
        if array.null_count == 0 and (lengths == lengths[:1]).all():
            return None
        valid = np.asarray(array.is_valid())
        return [int(n) if ok else None for n, ok in zip(lengths, valid, strict=True)]

    def column(self, name: str, rows: Rows | None) -> Column:
        array = self._arrays[name]
        if isinstance(array, (np.ndarray, csr_array)):
            return Column(array if rows is None else array[rows])
        if rows is not None:
            array = array.take(pa.array(rows))
        data_type = self.schema[name].type
        if not isinstance(data_type, ScalarType) or data_type.base in (BasicType.STRING, BasicType.BYTE_STRING):
            return Column(array)
        valid = np.asarray(array.is_valid()) if array.null_count else None
        filled = array.fill_null(False if data_type.base is BasicType.BOOLEAN else 0) if array.null_count else array
        return Column(np.asarray(filled).astype(NUMPY_DTYPES[data_type.base], copy=False), valid)


def _plain(array: Any) -> Any:
    """An Arrow array in one piece, of a type that leap types have; a NumPy array as it is."""
    if isinstance(array, (np.ndarray, csr_array)):
        return array
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
        if isinstance(array, pa.ChunkedArray):
            array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _plain(array.dictionary_decode())
    if pa.types.is_large_string(kind) or str(kind) == "string_view" or pa.types.is_null(kind):
        return array.cast(pa.string())
    if pa.types.is_large_binary(kind):
        return array.cast(pa.binary())
    if pa.types.is_decimal(kind):
        return array.cast(pa.float64())
    if pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind):
        item = _plain(array.flatten()[:0]).type
        array = array.cast(pa.list_(item))
        return array if array.offset == 0 else pa.concat_arrays([array])
    return array


_WIDER = {
    pa.uint8(): BasicType.SHORT,
    pa.uint16(): BasicType.INT,
    pa.uint32(): BasicType.LONG,
    pa.uint64(): BasicType.LONG,
}
_BASES = {arrow: base for base, arrow in ARROW_TYPES.items()} | _WIDER
_NUMPY_BASES = {dtype: base for base, dtype in NUMPY_DTYPES.items() if dtype.kind != "O"}


def _leap_type(name: str, array: Any) -> DataType:
    if isinstance(array, csr_array):
        return TensorType(BasicType.DOUBLE, array.shape[1:], False)
    if isinstance(array, np.ndarray):
        base = _NUMPY_BASES.get(array.dtype)
        if base is None:
            raise SchemaError(f"column {name!r}: dtype {array.dtype} has no leap type")
        return ScalarType(base, False) if array.ndim == 1 else TensorType(base, array.shape[1:], False)
    kind = array.type
    if kind in _BASES:
        return ScalarType(_BASES[kind], array.null_count > 0)
    if pa.types.is_list(kind) and kind.value_type in _BASES:
        return ListType(_BASES[kind.value_type], array.null_count > 0)
    if pa.types.is_map(kind) and kind.key_type in _BASES and kind.item_type in _BASES:
        return MapType(_BASES[kind.key_type], _BASES[kind.item_type], array.null_count > 0)
    raise SchemaError(f"column {name!r}: Arrow type {kind} has no leap type")


_LISTABLE = 1 << 28


def _listable(column: Column) -> npt.NDArray[Any]:
    """The elements of tensors, sparse ones with all their zeros.

    Raises:
        SchemaError: the sparse vectors would take more than 2 GiB so.
    """
    rows = column.values
    if isinstance(rows, csr_array) and rows.shape[0] * rows.shape[1] > _LISTABLE:
        raise SchemaError(
            f"{rows.shape[0]} sparse vectors of {rows.shape[1]} elements do not fit into lists: ask for other outputs, "
            "or give a LeapFrame or a dict of arrays, which keep them sparse"
        )
    dense: npt.NDArray[Any] = column.to_dense().values
    return dense


def to_arrow(values: Column | list[Any], data_type: DataType) -> pa.Array:
    """A computed column as an Arrow array; a tensor as a list of its elements in row-major order."""
    if isinstance(values, list):
        if isinstance(data_type, TensorType):
            flat = [None if v is None else v.to_dense().reshape(-1) for v in values]
            return pa.array(flat, pa.list_(ARROW_TYPES[data_type.base]))
        return pa.array(values)
    if isinstance(values.values, pa.Array):
        return values.values
    valid = values.present()
    if isinstance(data_type, TensorType):
        array = _listable(values)
        width = int(np.prod(array.shape[1:]))
        offsets = pa.array(np.arange(len(array) + 1, dtype=np.int32) * width)
        mask = None if valid is None else pa.array(~valid)
        flat = pa.array(array.reshape(-1), ARROW_TYPES[data_type.base])
        return pa.ListArray.from_arrays(offsets, flat, mask=mask)
    return pa.array(values.values, ARROW_TYPES[data_type.base], mask=None if valid is None else ~valid)


class ArrowTable(_ArrowColumns):
    """A pyarrow Table."""

    def __init__(self, frame: pa.Table, wanted: Schema) -> None:
        self.frame = frame
        names = frame.column_names
        super().__init__(names, {f.name: frame[f.name] for f in wanted if f.name in names}, frame.num_rows)

    def result(self, outputs: list[Output], rows: Rows | None, *, keep_inputs: bool) -> Any:
        arrays = {f.name: to_arrow(values, f.type) for f, values in outputs}
        if not keep_inputs:
            return pa.table(arrays)
        frame = self.frame if rows is None else self.frame.take(pa.array(rows))
        for name, array in arrays.items():
            frame = frame.append_column(name, array)
        return frame


class RecordBatchTable(ArrowTable):
    """A pyarrow RecordBatch."""

    def __init__(self, frame: pa.RecordBatch, wanted: Schema) -> None:
        super().__init__(pa.Table.from_batches([frame]), wanted)

    def result(self, outputs: list[Output], rows: Rows | None, *, keep_inputs: bool) -> Any:
        table = super().result(outputs, rows, keep_inputs=keep_inputs).combine_chunks()
        batches = table.to_batches()
        return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)


class PolarsTable(ArrowTable):
    """A polars DataFrame."""

    def __init__(self, frame: Any, wanted: Schema) -> None:
        self._polars = frame
        names = [f.name for f in wanted if f.name in frame.columns]
        super().__init__(frame.select(names).to_arrow(), wanted)
        self.names = frame.columns
        self.rows = frame.height

    def result(self, outputs: list[Output], rows: Rows | None, *, keep_inputs: bool) -> Any:
        import polars as pl

        added = pl.DataFrame({f.name: pl.Series(f.name, to_arrow(values, f.type)) for f, values in outputs})
        if not keep_inputs:
            return added
        frame = self._polars if rows is None else self._polars[rows]
        return frame.hstack(added) if outputs else frame


class PandasTable(_ArrowColumns):
    """A pandas DataFrame. NaN in a column of floats is a number; in a column of objects it is a missing value."""

    def __init__(self, frame: Any, wanted: Schema) -> None:
        self._frame = frame
        arrays: dict[str, Any] = {}
        for f in wanted:
            if f.name in frame.columns:
                series = frame[f.name]
                if isinstance(series.dtype, np.dtype) and series.dtype in _NUMPY_BASES:
                    arrays[f.name] = series.to_numpy()
                else:
                    arrays[f.name] = _arrow(f, series, from_pandas=True)
        super().__init__(list(frame.columns), arrays, len(frame))

    def result(self, outputs: list[Output], rows: Rows | None, *, keep_inputs: bool) -> Any:
        import pandas as pd

        frame = self._frame if rows is None else self._frame.iloc[rows]
        added = {}
        for f, values in outputs:
            plain = isinstance(values, Column) and isinstance(values.values, np.ndarray) and values.values.ndim == 1
            series = values.values if plain and values.valid is None else to_arrow(values, f.type).to_pandas()  # type: ignore[union-attr]
            added[f.name] = (
                pd.Series(series, index=frame.index) if plain else pd.Series(list(series), index=frame.index)
            )
        return frame.assign(**added) if keep_inputs else pd.DataFrame(added, index=frame.index)


class DictTable(_ArrowColumns):
    """A dict of arrays, lists or Arrow arrays, all of one length; an array (rows, …) is a tensor, sparse or dense.

    Sparse vectors that the model makes come back as a ``scipy.sparse.csr_array``.
    """

    def __init__(self, frame: Mapping[str, Any], wanted: Schema) -> None:
        self._frame = frame
        lengths = {name: v.shape[0] if sparse.issparse(v) else len(v) for name, v in frame.items()}
        if len(set(lengths.values())) > 1:
            raise SchemaError(f"the columns differ in length: {lengths}")
        arrays = {}
        for f in wanted:
            if f.name in frame:
                values = frame[f.name]
                if sparse.issparse(values):
                    arrays[f.name] = _canonical(values)
                elif isinstance(values, np.ndarray) and values.dtype in _NUMPY_BASES:
                    arrays[f.name] = values
                else:
                    arrays[f.name] = _arrow(f, values)
        super().__init__(list(frame), arrays, next(iter(lengths.values()), 0))

    def result(self, outputs: list[Output], rows: Rows | None, *, keep_inputs: bool) -> dict[str, Any]:
        added = {f.name: _numpy(values, f.type) for f, values in outputs}
        if not keep_inputs:
            return added
        given = self._frame if rows is None else {k: _take(values, rows) for k, values in self._frame.items()}
        return {**given, **added}


def _canonical(rows: Any) -> csr_array:
    """Sparse vectors of any kind, as columns hold them."""
    if rows.ndim != 2:
        raise SchemaError(f"a sparse array of {rows.ndim} dimensions is no column of vectors")
    array = csr_array(rows, dtype=np.float64, copy=True)
    array.sum_duplicates()
    return array


def _take(values: Any, rows: Rows) -> Any:
    if isinstance(values, np.ndarray) or sparse.issparse(values):
        return values[rows]
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values.take(pa.array(rows))
    return [values[i] for i in rows]


def _numpy(values: Column | list[Any], data_type: DataType) -> npt.NDArray[Any] | csr_array:
    if isinstance(values, Column) and isinstance(values.values, (np.ndarray, csr_array)) and values.present() is None:
        return values.values
    listed = values if isinstance(values, list) else to_python(values, data_type)
    result = np.empty(len(listed), dtype=object)
    for i, value in enumerate(listed):
        result[i] = value.to_dense() if isinstance(value, Tensor) else value
    return result


class RecordsTable(_ArrowColumns):
    """A list of dicts; a key that a record lacks is a missing value."""

    def __init__(self, frame: Sequence[Mapping[str, Any]], wanted: Schema) -> None:
        self._frame = frame
        for i, record in enumerate(frame):
            if not isinstance(record, Mapping):
                raise SchemaError(f"row {i} is a {type(record).__name__}, and a dict is expected")
        names = {name for record in frame for name in record}
        given = [f for f in wanted if f.name in names]
        arrays = {f.name: _arrow(f, [record.get(f.name) for record in frame]) for f in given}
        super().__init__(names, arrays, len(frame))
        if not frame:
            self.schema = wanted
            self._arrays = {f.name: _empty(f.type) for f in wanted}

    def result(self, outputs: list[Output], rows: Rows | None, *, keep_inputs: bool) -> list[dict[str, Any]]:
        kept = self._frame if rows is None else [self._frame[i] for i in rows]
        columns = {f.name: _python(values, f.type) for f, values in outputs}
        return [
            {**(record if keep_inputs else {}), **{name: values[i] for name, values in columns.items()}}
            for i, record in enumerate(kept)
        ]


def _empty(data_type: DataType) -> Any:
    if isinstance(data_type, TensorType):
        return np.zeros((0, *(data_type.dimensions or ())), dtype=NUMPY_DTYPES[data_type.base])
    return pa.array([], ARROW_TYPES[data_type.base])


def _python(values: Column | list[Any], data_type: DataType) -> list[Any]:
    if isinstance(values, Column) and isinstance(values.values, csr_array):
        values = values.with_values(_listable(values))
    listed = values if isinstance(values, list) else to_python(values, data_type)
    return [v.to_dense().tolist() if isinstance(v, Tensor) else v for v in listed]


def _arrow(wanted: Field, values: Any, *, from_pandas: bool = False) -> Any:
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values
    kind = None
    if isinstance(wanted.type, MapType) and any(isinstance(value, Mapping) for value in values):
        # Arrow would take dicts for structs.
        kind = pa.map_(ARROW_TYPES[wanted.type.key], ARROW_TYPES[wanted.type.base])
        values = [list(value.items()) if isinstance(value, Mapping) else value for value in values]
    try:
        return pa.array(values, kind, from_pandas=from_pandas)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise SchemaError(f"column {wanted.name!r} has values of types that do not fit each other: {error}") from error
