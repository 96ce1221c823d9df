"""Files of records, read batch by batch: leap frames, CSV, JSON lines, Parquet, Arrow."""

from __future__ import annotations

import base64
import itertools
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.csv

from leapstream.bundle.frame import LeapFrame
from leapstream.bundle.limits import Limits
from leapstream.bundle.malformed import MalformedError, decoding, first_repeated
from leapstream.bundle.types import DataType, ScalarType, Schema
from leapstream.errors import BundleError, LeapstreamError, SchemaError
from leapstream.executors.columns import ARROW_TYPES
from leapstream.frames.arrowfiles import MAGIC, check_messages, start_of_stream
from leapstream.frames.leaptypes import arrow_type_of
from leapstream.frames.parquet import open_parquet, plain_texts
from leapstream.frames.values import array_of

Batch: TypeAlias = "LeapFrame | pa.Table"

LEAP_FORMATS = ("json", "binary", "avro")
FORMATS = (*LEAP_FORMATS, "csv", "jsonl", "parquet", "arrow", "arrow-stream")
SUFFIXES = {
    ".json": "json",
    ".bin": "binary",
    ".binary": "binary",
    ".leap": "binary",
    ".avro": "avro",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".arrows": "arrow-stream",
}
_LINES_AT_ONCE = 4096


def format_of(path: str, given: str | None, option: str) -> str:
    """The format of a file: the given one, else by its suffix.

    Raises:
        BundleError: neither tells.
    """
    if given is not None:
        if given not in FORMATS:
            raise BundleError(f"{given!r} is not a format of records; known: {', '.join(FORMATS)}")
        return given
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise BundleError(f"{path}: its suffix tells no format; give {option}: one of {', '.join(FORMATS)}")
    return SUFFIXES[suffix]


@contextmanager
def explained(path: str) -> Iterator[None]:
    """Turn the errors of pyarrow and of the file system into one that names the file."""
    try:
        yield
    except LeapstreamError:
        raise
    except OSError as error:
        raise BundleError(f"{path}: {error.strerror or error}") from error
    except (pa.ArrowException, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise BundleError(f"{path}: {error}") from error


@dataclass(frozen=True)
class Chunk:
    """A part of a file.

    Attributes:
        batch: its records.
        done: how far the file is read, in what :attr:`Reader.total` counts.
    """

    batch: Batch
    done: int


class Reader(ABC):
    """A file of records.

    Attributes:
        total: size of the work: bytes or rows.
    """

    def __init__(self, path: str, inputs: Schema, batch_size: int, limits: Limits) -> None:
        self.path = path
        self.limits = limits
        self.inputs = inputs
        self.batch_size = batch_size
        self.total = 0

    def chunks(self) -> Iterator[Chunk]:
        """The file's records in parts: at least one, which may be empty.

        Raises:
            BundleError: the file cannot be read; the message names it and the reason.
        """
        with explained(self.path):
            yield from self._chunks()

    @abstractmethod
    def _chunks(self) -> Iterator[Chunk]: ...


class _LeapReader(Reader):
    """A leap frame: one batch, for its formats cannot be read in parts."""

    def _chunks(self) -> Iterator[Chunk]:
        frame = LeapFrame.read(self.path, limits=self.limits)
        self.total = len(frame)
        yield Chunk(frame, len(frame))


class _CsvReader(Reader):
    """CSV with a header. Columns that the model does not read stay text; an empty field is missing, unless quoted."""

    def _chunks(self) -> Iterator[Chunk]:
        self.total = os.path.getsize(self.path)
        parsing = pa.csv.ParseOptions(newlines_in_values=True)
        with pa.csv.open_csv(self.path, parse_options=parsing) as header:
            found = header.schema
        names = found.names
        repeated = first_repeated(names)
        if repeated is not None:
            raise SchemaError(f"{self.path}: column {repeated!r} is there twice")
        types = {name: _csv_type(self.inputs, name, found.field(name).type) for name in names}
        converting = pa.csv.ConvertOptions(
            column_types=types, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
        )
        block = pa.csv.ReadOptions(block_size=max(1 << 16, min(self.batch_size * 64, 1 << 24)))
        with (
            open(self.path, "rb") as stream,
            pa.csv.open_csv(
                pa.PythonFile(stream, "r"), read_options=block, parse_options=parsing, convert_options=converting
            ) as reader,
        ):
            any_rows = False
            for batch in reader:
                table = pa.Table.from_batches([batch])
                for part in _parts(_from_text(table, self.inputs, self.path), self.batch_size):
                    any_rows = True
                    yield Chunk(part, stream.tell())
            if not any_rows:
                yield Chunk(_from_text(reader.schema.empty_table(), self.inputs, self.path), self.total)


class _JsonLinesReader(Reader):
    """JSON lines: one object per line; a key that is missing or null is a missing value."""

    def _chunks(self) -> Iterator[Chunk]:
        self.total = os.path.getsize(self.path)
        line_number, any_rows = 0, False
        with open(self.path, "rb") as stream:
            while lines := list(itertools.islice(stream, min(self.batch_size, _LINES_AT_ONCE))):
                records = []
                for line in lines:
                    line_number += 1
                    if line.strip():
                        records.append(self._record(line, line_number))
                if records:
                    any_rows = True
                    yield Chunk(self._table(records), stream.tell())
        if not any_rows:
            yield Chunk(_empty(self.inputs), self.total)

    def _record(self, line: bytes, number: int) -> dict[str, Any]:
        try:
            record = json.loads(line)
        except ValueError as error:
            raise BundleError(f"{self.path}: line {number}: {error}") from error
        if not isinstance(record, dict):
            raise BundleError(f"{self.path}: line {number}: not an object")
        return record

    def _table(self, records: list[dict[str, Any]]) -> pa.Table:
        names = list(dict.fromkeys(name for record in records for name in record))
        columns = {name: [record.get(name) for record in records] for name in names}
        return pa.table({name: self._array(name, values) for name, values in columns.items()})

    def _array(self, name: str, values: list[Any]) -> pa.Array:
        try:
            if name not in self.inputs:
                return pa.array(values)
            declared = self.inputs[name].type
            if arrow_type_of(declared) == pa.binary():
                values = [None if v is None else base64.b64decode(v) for v in values]
            return _of_declared_type(self.path, name, values, declared)
        except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
            kind = f"as {self.inputs[name].type}" if name in self.inputs else "as one type"
            raise SchemaError(f"{self.path}: column {name!r} cannot be read {kind}: {error}") from error


class _ParquetReader(Reader):
    """Parquet, which another process decodes."""

    def _chunks(self) -> Iterator[Chunk]:
        with open_parquet(self.path, self.limits, self.batch_size) as rows:
            self.total = rows.total
            done = 0
            for table in rows.tables:
                done += table.num_rows
                yield Chunk(table, done)


class _ArrowReader(Reader):
    """Arrow IPC, of the file or of the stream kind; which one it is is seen in the file."""

    def _chunks(self) -> Iterator[Chunk]:
        self.total = os.path.getsize(self.path)
        with ExitStack() as stack:
            source = stack.enter_context(pa.OSFile(self.path, "rb"))
            start = start_of_stream(source.read(len(MAGIC)))
            source.seek(start)
            check_messages(self.path, source, self.total, self.limits)
            source.seek(start)
            stream = stack.enter_context(pa.ipc.open_stream(source))
            any_rows = False
            for batch in stream:
                for part in _parts(pa.Table.from_batches([batch]), self.batch_size):
                    any_rows = True
                    yield Chunk(plain_texts(self.path, part, 0, self.total, self.limits), source.tell())
            if not any_rows:
                yield Chunk(stream.schema.empty_table(), self.total)


def arrow_table(where: str, data: bytes, limits: Limits) -> pa.Table:
    """The table of an Arrow IPC stream or file in memory.

    Raises:
        BundleError: it is damaged, or exceeds a limit.
    """
    with decoding(where):
        source = pa.BufferReader(data)
        start = start_of_stream(data[: len(MAGIC)])
        source.seek(start)
        check_messages(where, source, len(data), limits)
        source.seek(start)
        try:
            table = pa.ipc.open_stream(source).read_all()
        except (pa.ArrowException, OSError) as error:
            raise MalformedError(str(error)) from None
        return plain_texts(where, table, 0, len(data), limits)


_READERS: dict[str, type[Reader]] = {
    **dict.fromkeys(LEAP_FORMATS, _LeapReader),
    "csv": _CsvReader,
    "jsonl": _JsonLinesReader,
    "parquet": _ParquetReader,
    "arrow": _ArrowReader,
    "arrow-stream": _ArrowReader,
}


def open_reader(path: str, format: str, inputs: Schema, batch_size: int, limits: Limits | None = None) -> Reader:
    """A reader of a file.

    Args:
        path: the file.
        format: one of :data:`FORMATS`.
        inputs: the columns that a model reads, with their types: what text is read as.
        batch_size: rows per batch, at most.
        limits: limits on the size of the file and of its decompressed parts; the defaults when not given.
    """
    return _READERS[format](path, inputs, batch_size, limits or Limits())


def _parts(table: pa.Table, rows: int) -> Iterator[pa.Table]:
    for start in range(0, table.num_rows, rows):
        yield table.slice(start, rows)


def _empty(inputs: Schema) -> pa.Table:
    return pa.table({f.name: pa.array([], arrow_type_of(f.type)) for f in inputs})


def _csv_type(inputs: Schema, name: str, found: pa.DataType) -> pa.DataType:
    """The type as which a column is read, whose first values look like another one."""
    if name not in inputs or not isinstance(inputs[name].type, ScalarType):
        return pa.string()
    declared = ARROW_TYPES[inputs[name].type.base]
    # The model makes numbers of booleans, and Arrow's reader does not.
    return found if pa.types.is_boolean(found) and not pa.types.is_string(declared) else declared


def _from_text(table: pa.Table, inputs: Schema, path: str) -> pa.Table:
    """Parse the columns whose fields are JSON: those of tensors, lists and maps."""
    for at, name in enumerate(table.column_names):
        if name in inputs and not isinstance(inputs[name].type, ScalarType):
            declared = inputs[name].type
            try:
                values = [None if text is None else json.loads(text) for text in table[name].to_pylist()]
            except ValueError as error:
                raise SchemaError(f"{path}: column {name!r} cannot be read as {declared}: {error}") from error
            table = table.set_column(at, name, _of_declared_type(path, name, values, declared))
    return table


def _of_declared_type(path: str, name: str, values: list[Any], declared: DataType) -> pa.Array:
    """Values of JSON as the type that the model declares, in every batch of the file alike."""
    try:
        array = array_of(name, values, declared)
    except SchemaError as error:
        raise SchemaError(f"{path}: {error}") from error
    kind = array.type if isinstance(array, pa.Array) else f"list of {array.ndim} levels"
    if kind != arrow_type_of(declared):
        raise SchemaError(f"{path}: column {name!r} cannot be read as {declared}: it holds values of type {kind}")
    return array
