"""Leap frames, and Arrow tables as leap frames."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from leapstream.bundle.frame import LeapFrame
from leapstream.bundle.tensor import Tensor
from leapstream.bundle.types import BasicType, Field, ListType, ScalarType, Schema, TensorType
from leapstream.errors import SchemaError
from leapstream.executors.columns import Column, column_of, leap_values, to_python
from leapstream.frames.arrow import ArrowTable
from leapstream.frames.columnar import to_arrow
from leapstream.frames.contract import Output, Rows, Table, Wanted
from leapstream.plan.sizes import MOST_ELEMENTS


class LeapTable(Table):
    """A :class:`~leapstream.bundle.frame.LeapFrame`, which has leap types of its own."""

    title = "LeapFrame"

    @classmethod
    def accepts(cls, frame: Any) -> bool:
        return isinstance(frame, LeapFrame)

    def __init__(self, frame: LeapFrame, wanted: Wanted) -> None:
        self._frame = frame
        self.rows = len(frame.rows)
        self.names = frame.schema.names
        self.schema = Schema(tuple(f for f in frame.schema if f.name in wanted.schema))
        self._position = {name: i for i, name in enumerate(frame.schema.names)}

    def sizes(self, name: str) -> list[Any] | None:
        if not isinstance(self.schema[name].type, TensorType):
            return None
        position = self._position[name]
        return [None if row[position] is None else row[position].dimensions for row in self._frame.rows]

    def column(self, name: str, rows: Rows | None) -> Column:
        position = self._position[name]
        picked = self._frame.rows if rows is None else [self._frame.rows[i] for i in rows]
        return column_of([row[position] for row in picked], self.schema[name].type)

    def result(self, outputs: list[Output], rows: Rows | None, *, keep_inputs: bool) -> LeapFrame:
        kept = self._frame.rows if rows is None else [self._frame.rows[i] for i in rows]
        fields = [f for f, _ in outputs]
        columns = [leap_values(values, f.type) for f, values in outputs]
        added = list(zip(*columns, strict=True)) if columns else [()] * len(kept)
        if not keep_inputs:
            return LeapFrame(Schema(tuple(fields)), list(added))
        joined = [(*row, *new) for row, new in zip(kept, added, strict=True)]
        return LeapFrame(Schema((*self._frame.schema.fields, *fields)), list(joined))


def arrow_tables(frame: LeapFrame) -> Iterator[pa.Table]:
    """A leap frame as Arrow tables, at least one, each of as many rows as :func:`arrow_of` takes."""
    start = elements = 0
    for row, size in enumerate(_declared(frame)):
        if row > start and elements + size > MOST_ELEMENTS:
            yield arrow_of(LeapFrame(frame.schema, frame.rows[start:row]))
            start, elements = row, 0
        elements += size
    yield arrow_of(LeapFrame(frame.schema, frame.rows[start:]))


def arrow_of(frame: LeapFrame) -> pa.Table:
    """A leap frame as an Arrow table; a tensor is a list of its elements in row-major order.

    Raises:
        SchemaError: the sparse tensors of all rows together do not fit into memory so.
    """
    elements = sum(_declared(frame))
    if elements > MOST_ELEMENTS:
        raise SchemaError(
            f"sparse tensors of {elements} elements do not fit into lists, at most {MOST_ELEMENTS} at once: give fewer rows, "
            "or keep them in a leap frame"
        )
    arrays = {}
    for f in frame.schema:
        values = frame.column(f.name)
        arrays[f.name] = to_arrow(values if isinstance(f.type, TensorType) else column_of(values, f.type), f.type)
    return pa.table(arrays)


def _declared(frame: LeapFrame) -> Iterator[int]:
    """For each row the elements of its sparse tensors; nothing if the frame has no tensors."""
    columns = [frame.column(f.name) for f in frame.schema if isinstance(f.type, TensorType)]
    for values in zip(*columns, strict=True):
        yield sum(v.size for v in values if v is not None and v.is_sparse)


def leap_of(table: pa.Table, inputs: Schema) -> LeapFrame:
    """An Arrow table as a leap frame; a list is a tensor of one dimension where the model reads a tensor.

    Raises:
        SchemaError: a column has no leap type.
    """
    everything = Schema(tuple(Field(name, ScalarType(BasicType.STRING)) for name in table.column_names))
    seen = ArrowTable(table, Wanted(everything))
    fields, columns = [], []
    for f in seen.schema:
        values = to_python(seen.column(f.name, None), f.type)
        wanted = inputs[f.name].type if f.name in inputs else None
        if isinstance(f.type, ListType) and isinstance(wanted, TensorType):
            shape = wanted.dimensions
            base = f.type.base
            f = Field(f.name, TensorType(base, shape, f.type.nullable))
            values = [None if v is None else _tensor(f.name, v, base, shape) for v in values]
        fields.append(f)
        columns.append(values)
    return LeapFrame(Schema(tuple(fields)), list(zip(*columns, strict=True)))


def _tensor(name: str, values: list[Any], base: BasicType, shape: tuple[int, ...] | None) -> Tensor:
    tensor = Tensor.dense(values, base)
    if shape is None or len(shape) == 1:
        return tensor
    if math.prod(shape) != len(values):
        raise SchemaError(
            f"column {name!r}: {len(values)} elements do not fill a tensor of the dimensions {list(shape)}"
        )
    return Tensor.dense(tensor.to_dense().reshape(shape), base)
