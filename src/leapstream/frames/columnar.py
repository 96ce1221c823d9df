"""Frames whose columns are, or become, NumPy or Arrow arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from leapstream.bundle.tensor import MOST_ELEMENTS, NUMPY_DTYPES, Tensor
from leapstream.bundle.types import BasicType, DataType, Field, ScalarType, Schema, TensorType
from leapstream.errors import LeapstreamError, SchemaError
from leapstream.executors.columns import ARROW_TYPES, CodedColumn, Column
from leapstream.executors.sparse import is_csr
from leapstream.executors.texts import is_utf8
from leapstream.frames.contract import Rows, Table, Wanted
from leapstream.frames.leaptypes import ARROW_BASES, NUMPY_BASES, leap_type_of
from leapstream.plan.sizes import MOST_ELEMENTS as MOST_ELEMENTS_OF_ROW


class ColumnarTable(Table):
    """A frame whose columns are, or become, NumPy or Arrow arrays."""

    def _hold(self, names: Collection[str], rows: int, wanted: Wanted, array: Callable[[str], Any]) -> None:
        """Set the table's columns.

        Args:
            names: all columns of the frame.
            rows: number of rows.
            wanted: the columns that a model may read.
            array: gives the values of a column: a NumPy array, a ``csr_array`` or an Arrow array.
        """
        self.names = names
        self.rows = rows
        times = Counter(names)
        given = [f.name for f in wanted.schema if times[f.name]]
        for name in given:
            if times[name] > 1:
                raise SchemaError(f"column {name!r} is there {times[name]} times")
        self._arrays = {name: _read(name, array) for name in given}
        self.schema = Schema(tuple(Field(name, leap_type_of(name, values)) for name, values in self._arrays.items()))

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
        if isinstance(array, CodedColumn):
            return array if rows is None else array.take(rows)
        if isinstance(array, np.ndarray) or is_csr(array):
            return Column(array if rows is None else array[rows])
        if rows is not None:
            array = array.take(pa.array(rows))
        data_type = self.schema[name].type
        if not isinstance(data_type, ScalarType) or data_type.base in (BasicType.STRING, BasicType.BYTE_STRING):
            return Column(array)
        valid = np.asarray(array.is_valid()) if array.null_count else None
        filled = array.fill_null(False if data_type.base is BasicType.BOOLEAN else 0) if array.null_count else array
        return Column(np.asarray(filled), valid)


def _read(name: str, array: Callable[[str], Any]) -> Any:
    try:
        values = array(name)
        if isinstance(values, CodedColumn):
            return values
        if isinstance(values, (pa.ChunkedArray, pa.ExtensionArray)):
            values = _stored(values)
        if isinstance(values, pa.DictionaryArray) and pa.types.is_string(values.type.value_type):
            return _coded(values)
        return native(name, values) if isinstance(values, np.ndarray) else plain_arrow(values)
    except (LeapstreamError, MemoryError):
        raise
    except Exception as error:  # of the frame's library
        raise SchemaError(f"column {name!r} has values that no leap type holds: {error}") from error


def _coded(array: pa.DictionaryArray) -> CodedColumn:
    """A dictionary array of strings; its missing rows have a text of their own, which is missing."""
    codes, distinct = array.indices, array.dictionary
    if codes.null_count:
        codes = codes.fill_null(len(distinct))
        distinct = pa.concat_arrays([distinct, pa.nulls(1, pa.string())])
    return CodedColumn(np.asarray(codes).astype(np.int32, copy=False), distinct)


def _stored(array: Any) -> Any:
    """An Arrow array in one piece, without an extension type: tensors as an array (rows, …), other values as they are stored."""
    if isinstance(array, pa.ChunkedArray):
        # Combining copies a single one too.
        array = array.chunk(0) if array.num_chunks == 1 else array.combine_chunks()
        if isinstance(array, pa.ChunkedArray):
            array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    if isinstance(array, pa.FixedShapeTensorArray):
        if array.null_count:
            raise SchemaError("tensors of several dimensions are missing, which only a LeapFrame may lack")
        return array.to_numpy_ndarray()
    return array.storage if isinstance(array, pa.ExtensionArray) else array


def native(name: str, array: npt.NDArray[Any]) -> Any:
    """A NumPy array of a dtype that leap types have; masked elements of a column are missing values.

    Raises:
        SchemaError: elements of vectors are masked, or the values have no leap type.
    """
    mask = np.broadcast_to(array.mask, array.shape) if isinstance(array, np.ma.MaskedArray) else None
    array = np.asarray(array)
    base = NUMPY_BASES.get(array.dtype.newbyteorder("="))
    if base is None:
        raise SchemaError(f"column {name!r}: dtype {array.dtype} has no leap type")
    dtype = NUMPY_DTYPES[base]
    if array.dtype.kind == "u" and array.size and array.max() > np.iinfo(dtype).max:
        raise SchemaError(f"column {name!r}: {array.max()} is beyond the largest {base}")
    array = array.astype(dtype, copy=False)
    if mask is None or not mask.any():
        return array
    if array.ndim > 1:
        raise SchemaError(f"column {name!r} has masked elements in its vectors: a vector has no missing elements")
    return pa.array(array, ARROW_TYPES[base], mask=mask)


def plain_arrow(array: Any) -> Any:
    """An Arrow array of a type that leap types have; sparse vectors as they are."""
    import pyarrow.compute as pc

    if is_csr(array):
        return array
    kind = array.type
    if kind in ARROW_BASES:
        return array.cast(ARROW_TYPES[ARROW_BASES[kind]])
    if pa.types.is_dictionary(kind):
        return plain_arrow(array.dictionary_decode())
    if pa.types.is_run_end_encoded(kind):
        return plain_arrow(pc.run_end_decode(array))
    if str(kind) == "string_view":
        # Arrow casts them to nothing.
        return pa.array(array.to_pylist(), pa.string())
    if pa.types.is_large_string(kind) or pa.types.is_null(kind):
        return array.cast(pa.string())
    if pa.types.is_large_binary(kind):
        return array.cast(pa.binary())
    if pa.types.is_decimal(kind):
        # Arrow's own cast is often not to the nearest double, as that of a text is.
        return array.cast(pa.string()).cast(pa.float64())
    if pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind):
        item = plain_arrow(array.flatten()[:0]).type
        if pa.types.is_decimal(kind.value_type):
            array = array.cast(pa.list_(pa.string()))
        array = array.cast(pa.list_(item))
        return array if array.offset == 0 else pa.concat_arrays([array])
    return array


def require_dense(rows: int, size: int) -> None:
    """Check that sparse vectors fit into memory when they are dense.

    Raises:
        SchemaError: a vector would take more than 128 MiB, or all together more than 2 GiB.
    """
    if size > MOST_ELEMENTS_OF_ROW or rows * size > MOST_ELEMENTS:
        raise SchemaError(
            f"{rows} sparse vectors of {size} elements do not fit into lists: ask for other outputs, or give a LeapFrame or a "
            "dict of arrays, which keep them sparse"
        )


def require_dense_tensors(tensors: Sequence[Tensor | None]) -> None:
    """Like :func:`require_dense`, for the sparse ones of some tensors."""
    sizes = [v.size for v in tensors if v is not None and v.is_sparse]
    if sizes:
        require_dense(len(sizes), max(sizes))


def dense_rows(column: Column) -> npt.NDArray[Any]:
    """The elements of tensors, sparse ones with all their zeros.

    Raises:
        SchemaError: a sparse vector would take more than 128 MiB so, or all together more than 2 GiB.
    """
    if is_csr(column.values):
        require_dense(*column.values.shape)
    dense: npt.NDArray[Any] = column.to_dense().values
    return dense


def to_arrow(values: Column | list[Any], data_type: DataType) -> pa.Array:
    """A computed column as an Arrow array; a tensor as a list of its elements in row-major order.

    Raises:
        SchemaError: a string has half of a surrogate pair.
    """
    try:
        array = _arrow(values, data_type)
    except UnicodeEncodeError:
        array = None
    if array is None or (data_type.base is BasicType.STRING and not is_utf8(array)):
        raise SchemaError(
            "a result has half of a surrogate pair, which Arrow's strings cannot hold: give a LeapFrame, a dict of arrays or "
            "records"
        )
    return array


def _arrow(values: Column | list[Any], data_type: DataType) -> pa.Array:
    if isinstance(values, list):
        if isinstance(data_type, TensorType):
            require_dense_tensors(values)
            flat = [None if v is None else v.to_dense().reshape(-1) for v in values]
            return pa.array(flat, pa.list_(ARROW_TYPES[data_type.base]))
        return pa.array(values)
    if isinstance(values.values, pa.Array):
        return values.values
    valid = values.present()
    if isinstance(data_type, TensorType):
        array = dense_rows(values)
        width = int(np.prod(array.shape[1:]))
        offsets = pa.array(np.arange(len(array) + 1, dtype=np.int32) * width)
        mask = None if valid is None else pa.array(~valid)
        flat = pa.array(array.reshape(-1), ARROW_TYPES[data_type.base])
        return pa.ListArray.from_arrays(offsets, flat, mask=mask)
    return pa.array(values.values, ARROW_TYPES[data_type.base], mask=None if valid is None else ~valid)


def arrow_columns(outputs: list[tuple[Field, Column | list[Any]]]) -> Mapping[str, pa.Array]:
    """Computed columns as Arrow arrays, by name."""
    return {f.name: to_arrow(values, f.type) for f, values in outputs}
