"""Lists of dicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from leapstream.bundle.tensor import MOST_ELEMENTS, NUMPY_DTYPES, Tensor
from leapstream.bundle.types import BasicType, DataType, ScalarType, TensorType
from leapstream.errors import SchemaError
from leapstream.executors.columns import Column, leap_values
from leapstream.frames.columnar import ColumnarTable, require_dense_tensors
from leapstream.frames.contract import Output, Rows, Wanted
from leapstream.frames.given import record_of
from leapstream.frames.leaptypes import arrow_type_of
from leapstream.frames.values import array_of


class RecordsTable(ColumnarTable):
    """A list of dicts. The frame has the columns of all records; a key that one of them lacks is a missing value there.

    Named tuples and instances of dataclasses are records too.
    """

    title = "list of dicts"

    @classmethod
    def accepts(cls, frame: Any) -> bool:
        return isinstance(frame, Sequence) and not isinstance(frame, (str, bytes, bytearray))

    def __init__(self, frame: Sequence[Mapping[str, Any]], wanted: Wanted) -> None:
        if any(not isinstance(record, Mapping) for record in frame):
            frame = [_record(i, record) for i, record in enumerate(frame)]
        self._frame = frame
        if not frame:
            self._hold(wanted.schema.names, 0, wanted, lambda name: _empty(wanted.schema[name].type))
            return
        names = {name for record in frame for name in record}
        self._hold(
            names,
            len(frame),
            wanted,
            lambda name: _column(name, [record.get(name) for record in frame], wanted.declared(name)),
        )

    def result(self, outputs: list[Output], rows: Rows | None, *, keep_inputs: bool) -> list[dict[str, Any]]:
        kept = self._frame if rows is None else [self._frame[i] for i in rows]
        columns = {f.name: _python(values, f.type) for f, values in outputs}
        return [
            {**(record if keep_inputs else {}), **{name: values[i] for name, values in columns.items()}}
            for i, record in enumerate(kept)
        ]


def _column(name: str, values: list[Any], declared: DataType | None) -> Any:
    # Arrow looks for pandas' objects in lists, and imports pandas for that.
    doubles = isinstance(declared, ScalarType) and declared.base is BasicType.DOUBLE
    if doubles and set(map(type, values)) == {float}:
        return np.array(values)
    return array_of(name, values, declared)


def _record(row: int, given: Any) -> Mapping[str, Any]:
    record = record_of(given)
    if record is None:
        raise SchemaError(f"row {row} is a {type(given).__name__}, and a dict is expected")
    return record


def _empty(data_type: DataType) -> Any:
    """No rows of a declared type."""
    if isinstance(data_type, TensorType):
        # Declared sizes may be so large that not even an empty array can have them.
        size = data_type.size or 0
        dimensions = data_type.dimensions or ()
        shape = dimensions if 0 <= size <= MOST_ELEMENTS and min(dimensions, default=0) >= 0 else (0,) * len(dimensions)
        return np.zeros((0, *shape), dtype=NUMPY_DTYPES[data_type.base])
    return pa.array([], arrow_type_of(data_type))


def _python(values: Column | list[Any], data_type: DataType) -> list[Any]:
    listed = leap_values(values, data_type)
    if not isinstance(data_type, TensorType):
        return listed
    require_dense_tensors(listed)
    return [None if v is None else _elements(v) for v in listed]


def _elements(tensor: Tensor) -> Any:
    """The elements of a tensor as lists; the zeros of a sparse vector are one object, which takes a quarter of the memory."""
    if tensor.indices is None or tensor.values.dtype == object or len(tensor.dimensions) != 1:
        return tensor.to_dense().tolist()
    items = [tensor.values.dtype.type().item()] * tensor.size
    for place, value in zip(tensor.indices[:, 0].tolist(), tensor.values.tolist(), strict=True):
        items[place] = value
    return items
