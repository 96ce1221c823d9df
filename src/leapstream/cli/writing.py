"""Writes files of records batch by batch: leap frames, CSV, JSON lines, Parquet, Arrow."""

from __future__ import annotations

import base64
import datetime
import decimal
import json
import math
import os
import sys
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial as bind
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from leapstream.bundle.frame import FrameFormat, LeapFrame
from leapstream.bundle.types import Field, Schema, TensorType, with_nullable
from leapstream.errors import SchemaError
from leapstream.frames.files import LEAP_FORMATS, Batch, explained

STDOUT = "-"

_LARGEST_DICTIONARY = 1 << 16
"""Bytes of the different values of a column, of as many as a batch has, from which on Parquet has all values one after the other.

Batches are smaller than the row groups that Arrow's limit is for: numbers that are all different would all go to dictionaries.
"""


class Writer(ABC):
    """Writes batches to a stream that :func:`open_writer` puts in its place at the end."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream

    @abstractmethod
    def write(self, batch: Batch) -> None:
        """Write a batch: a leap frame for the leap formats, else an Arrow table."""

    @abstractmethod
    def finish(self) -> None:
        """Write what ends the file."""


class _LeapWriter(Writer):
    """Leap frames have their schema before the rows, so all rows are kept until the end."""

    def __init__(self, stream: IO[bytes], format: FrameFormat) -> None:
        super().__init__(stream)
        self._format = format
        self._schema: Schema | None = None
        self._rows: list[Sequence[Any]] = []

    def write(self, batch: Batch) -> None:
        assert isinstance(batch, LeapFrame)
        self._schema = batch.schema if self._schema is None else _union(self._schema, batch.schema)
        self._rows.extend(batch.rows)

    def finish(self) -> None:
        self.stream.write(LeapFrame(self._schema or Schema(), self._rows).to_bytes(self._format))


def _union(one: Schema, other: Schema) -> Schema:
    """The types of two batches: nullable where either is."""
    if one.names != other.names:
        raise SchemaError(f"the columns differ between batches: {one} and {other}")
    fields = []
    for a, b in zip(one, other, strict=True):
        nullable = a.type.nullable or b.type.nullable
        if isinstance(a.type, TensorType) and isinstance(b.type, TensorType) and a.type.dimensions != b.type.dimensions:
            a = Field(a.name, replace(a.type, dimensions=None))
            b = Field(b.name, replace(b.type, dimensions=None))
        if with_nullable(a.type, nullable) != with_nullable(b.type, nullable):
            raise SchemaError(f"column {a.name!r} is {a.type} in one batch and {b.type} in another")
        fields.append(Field(a.name, with_nullable(a.type, nullable)))
    return Schema(tuple(fields))


class _ArrowWriter(Writer):
    """CSV, Parquet and Arrow: the first batch makes the schema."""

    def __init__(self, stream: IO[bytes], make: Callable[[IO[bytes], pa.Schema], Any], *, as_text: bool) -> None:
        super().__init__(stream)
        self._make = make
        self._as_text = as_text
        self._schema: pa.Schema | None = None
        self._writer: Any = None

    def write(self, batch: Batch) -> None:
        assert not isinstance(batch, LeapFrame)
        table = _to_text(batch) if self._as_text else batch
        if self._schema is None:
            self._schema = table.schema
            self._writer = self._make(self.stream, self._schema)
        elif table.schema != self._schema:
            if sorted(table.column_names) != sorted(self._schema.names):
                raise SchemaError(f"the columns differ between batches: {self._schema.names}, {table.column_names}")
            try:
                table = table.select(self._schema.names).cast(self._schema)
            except (pa.ArrowException, ValueError) as error:
                raise SchemaError(f"the types of columns differ between batches: {error}") from error
        self._writer.write_table(table)

    def finish(self) -> None:
        if self._writer is not None:
            self._writer.close()


class _JsonLinesWriter(Writer):
    def write(self, batch: Batch) -> None:
        assert not isinstance(batch, LeapFrame)
        lines = [json.dumps(json_value(record), ensure_ascii=False) + "\n" for record in batch.to_pylist()]
        self.stream.write("".join(lines).encode())

    def finish(self) -> None:
        pass


def json_value(value: Any) -> Any:
    """A value as JSON can hold it: NaN and the infinities are null, times are ISO texts, bytes are base64."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, dict):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_value(item) for item in value]
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if isinstance(value, decimal.Decimal):
        return float(value)
    return str(value)


def _to_text(table: pa.Table) -> pa.Table:
    """Columns that CSV has no notation for, lists and maps and bytes, as JSON texts."""
    for at, f in enumerate(table.schema):
        if pa.types.is_nested(f.type) or pa.types.is_binary(f.type):
            is_map = pa.types.is_map(f.type)
            values = [dict(v) if is_map and v is not None else v for v in table[f.name].to_pylist()]
            bare = pa.types.is_binary(f.type)
            texts = [None if v is None else json_value(v) if bare else json.dumps(json_value(v)) for v in values]
            table = table.set_column(at, f.name, pa.array(texts, pa.string()))
    return table


def _make_writer(stream: IO[bytes], format: str) -> Writer:
    if format in LEAP_FORMATS:
        return _LeapWriter(stream, cast("FrameFormat", format))
    if format == "jsonl":
        return _JsonLinesWriter(stream)
    makers: dict[str, Callable[[IO[bytes], pa.Schema], Any]] = {
        "csv": pa.csv.CSVWriter,
        "parquet": bind(pa.parquet.ParquetWriter, dictionary_pagesize_limit=_LARGEST_DICTIONARY),
        "arrow": pa.ipc.new_file,
        "arrow-stream": pa.ipc.new_stream,
    }
    return _ArrowWriter(stream, makers[format], as_text=format == "csv")


@contextmanager
def open_writer(path: str, format: str) -> Iterator[Writer]:
    """A writer of a file that is there, whole, when the block ends without an error, and not at all otherwise.

    Args:
        path: the file, or ``-`` for standard output, which is written as batches come.
        format: one of :data:`FORMATS`.

    Raises:
        BundleError: the file cannot be written.
    """
    if path == STDOUT:
        writer = _make_writer(sys.stdout.buffer, format)
        yield writer
        with explained("standard output"):
            writer.finish()
            sys.stdout.buffer.flush()
        return
    target = Path(path)
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}.partial")
    try:
        with explained(path), open(partial, "xb") as stream:
            writer = _make_writer(stream, format)
            yield writer
            writer.finish()
        with explained(path):
            os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
