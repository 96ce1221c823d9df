"""Files of records, read and written batch by batch: leap frames, CSV, JSON lines, Parquet, Arrow."""

from __future__ import annotations

import base64
import datetime
import decimal
import itertools
import json
import math
import os
import sys
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, TypeAlias, cast

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from leapstream.bundle.frame import FrameFormat, LeapFrame
from leapstream.bundle.tensor import Tensor
from leapstream.bundle.types import (
    BasicType,
    DataType,
    Field,
    ListType,
    MapType,
    ScalarType,
    Schema,
    TensorType,
    with_nullable,
)
from leapstream.errors import BundleError, LeapstreamError, SchemaError
from leapstream.executors.columns import ARROW_TYPES, column_of, to_python
from leapstream.frames.tables import ArrowTable, to_arrow

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
STDOUT = "-"
_LINES_AT_ONCE = 4096


def format_of(path: str, given: str | None, option: str) -> str:
    """The format of a file: the given one, else by its suffix.

    Raises:
        BundleError: neither tells.
    """
    if given is not None:
        if given not in FORMATS:
            raise BundleError(f"{given!r} is no format of records; known: {', '.join(FORMATS)}")
        return given
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise BundleError(f"{path}: its suffix tells no format; give {option}: one of {', '.join(FORMATS)}")
    return SUFFIXES[suffix]


@contextmanager
def _explained(path: str) -> Iterator[None]:
    """What pyarrow and the file system complain of, as an error that names the file."""
    try:
        yield
    except LeapstreamError:
        raise
    except OSError as error:
        raise BundleError(f"{path}: {error.strerror or error}") from error
    except (pa.ArrowException, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise BundleError(f"{path}: {error}") from error


# ---- reading ----------------------------------------------------------------------------------------------------------


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

    def __init__(self, path: str, inputs: Schema, batch_size: int) -> None:
        self.path = path
        self.inputs = inputs
        self.batch_size = batch_size
        self.total = 0

    def chunks(self) -> Iterator[Chunk]:
        """The file's records in parts: at least one, which may be empty.

        Raises:
            BundleError: the file cannot be read; the message names it and the reason.
        """
        with _explained(self.path):
            yield from self._chunks()

    @abstractmethod
    def _chunks(self) -> Iterator[Chunk]: ...


class _LeapReader(Reader):
    """A leap frame: one batch, for its formats cannot be read in parts."""

    def _chunks(self) -> Iterator[Chunk]:
        frame = LeapFrame.read(self.path)
        self.total = len(frame)
        yield Chunk(frame, len(frame))


class _CsvReader(Reader):
    """CSV with a header. Columns that the model does not read stay text; an empty field is missing, unless quoted."""

    def _chunks(self) -> Iterator[Chunk]:
        self.total = os.path.getsize(self.path)
        parsing = pa.csv.ParseOptions(newlines_in_values=True)
        with pa.csv.open_csv(self.path, parse_options=parsing) as header:
            names = header.schema.names
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise SchemaError(f"{self.path}: column {repeated[0]!r} is there twice")
        types = {name: _csv_type(self.inputs, name) for name in names}
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
        arrays = {}
        for name in names:
            values = [record.get(name) for record in records]
            wanted = _arrow_type(self.inputs[name].type) if name in self.inputs else None
            try:
                if wanted == pa.binary():
                    values = [None if v is None else base64.b64decode(v) for v in values]
                arrays[name] = pa.array(values, wanted)
            except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
                kind = f"as {self.inputs[name].type}" if wanted is not None else "as one type"
                raise SchemaError(f"{self.path}: column {name!r} cannot be read {kind}: {error}") from error
        return pa.table(arrays)


class _ParquetReader(Reader):
    def _chunks(self) -> Iterator[Chunk]:
        with pa.parquet.ParquetFile(self.path) as file:
            self.total = file.metadata.num_rows
            done = 0
            for batch in file.iter_batches(batch_size=self.batch_size):
                done += batch.num_rows
                yield Chunk(pa.Table.from_batches([batch]), done)
            if not done:
                yield Chunk(file.schema_arrow.empty_table(), 0)


class _ArrowReader(Reader):
    """Arrow IPC, of the file or of the stream kind; which one it is is seen in the file."""

    def _chunks(self) -> Iterator[Chunk]:
        self.total = os.path.getsize(self.path)
        with ExitStack() as stack:
            source = stack.enter_context(pa.OSFile(self.path, "rb"))
            is_file = source.read(6) == b"ARROW1"
            source.seek(0)
            batches: Iterator[Any]
            if is_file:
                file = stack.enter_context(pa.ipc.open_file(source))
                batches = (file.get_batch(i) for i in range(file.num_record_batches))
                schema = file.schema
            else:
                stream = stack.enter_context(pa.ipc.open_stream(source))
                batches, schema = iter(stream), stream.schema
            any_rows = False
            for batch in batches:
                for part in _parts(pa.Table.from_batches([batch]), self.batch_size):
                    any_rows = True
                    yield Chunk(part, source.tell())
            if not any_rows:
                yield Chunk(schema.empty_table(), self.total)


_READERS: dict[str, type[Reader]] = {
    **dict.fromkeys(LEAP_FORMATS, _LeapReader),
    "csv": _CsvReader,
    "jsonl": _JsonLinesReader,
    "parquet": _ParquetReader,
    "arrow": _ArrowReader,
    "arrow-stream": _ArrowReader,
}


def open_reader(path: str, format: str, inputs: Schema, batch_size: int) -> Reader:
    """A reader of a file.

    Args:
        path: the file.
        format: one of :data:`FORMATS`.
        inputs: the columns that a model reads, with their types: what text is read as.
        batch_size: rows per batch, at most.
    """
    return _READERS[format](path, inputs, batch_size)


def _parts(table: pa.Table, rows: int) -> Iterator[pa.Table]:
    for start in range(0, table.num_rows, rows):
        yield table.slice(start, rows)


def _empty(inputs: Schema) -> pa.Table:
    return pa.table({f.name: pa.array([], _arrow_type(f.type)) for f in inputs})


def _arrow_type(data_type: DataType) -> pa.DataType:
    base = ARROW_TYPES[data_type.base]
    if isinstance(data_type, MapType):
        return pa.map_(ARROW_TYPES[data_type.key], base)
    return base if isinstance(data_type, ScalarType) else pa.list_(base)


def _csv_type(inputs: Schema, name: str) -> pa.DataType:
    if name not in inputs or not isinstance(inputs[name].type, ScalarType):
        return pa.string()
    return ARROW_TYPES[inputs[name].type.base]


def _from_text(table: pa.Table, inputs: Schema, path: str) -> pa.Table:
    """Parse the columns whose fields are JSON: those of tensors, lists and maps."""
    for at, name in enumerate(table.column_names):
        if name in inputs and not isinstance(inputs[name].type, ScalarType):
            data_type = inputs[name].type
            try:
                values = [None if text is None else json.loads(text) for text in table[name].to_pylist()]
                if isinstance(data_type, MapType):
                    values = [None if v is None else list(v.items()) for v in values]
                array = pa.array(values, _arrow_type(data_type))
            except (pa.ArrowException, ValueError, TypeError, AttributeError) as error:
                raise SchemaError(f"{path}: column {name!r} cannot be read as {data_type}: {error}") from error
            table = table.set_column(at, name, array)
    return table


# ---- leap frames and Arrow tables ---------------------------------------------------------------------------------------


def arrow_of(frame: LeapFrame) -> pa.Table:
    """A leap frame as an Arrow table; a tensor is a list of its elements in row-major order."""
    arrays = {}
    for f in frame.schema:
        values = frame.column(f.name)
        arrays[f.name] = to_arrow(values if isinstance(f.type, TensorType) else column_of(values, f.type), f.type)
    return pa.table(arrays)


def leap_of(table: pa.Table, inputs: Schema) -> LeapFrame:
    """An Arrow table as a leap frame; a list is a tensor of one dimension where the model reads a tensor.

    Raises:
        SchemaError: a column has no leap type.
    """
    everything = Schema(tuple(Field(name, ScalarType(BasicType.STRING)) for name in table.column_names))
    seen = ArrowTable(table, everything)
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
        raise SchemaError(f"column {name!r}: {len(values)} elements are no tensor of the dimensions {list(shape)}")
    return Tensor.dense(tensor.to_dense().reshape(shape), base)


# ---- writing ----------------------------------------------------------------------------------------------------------


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
        "parquet": pa.parquet.ParquetWriter,
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
        with _explained("standard output"):
            writer.finish()
            sys.stdout.buffer.flush()
        return
    target = Path(path)
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}.partial")
    try:
        with _explained(path), open(partial, "xb") as stream:
            writer = _make_writer(stream, format)
            yield writer
            writer.finish()
        with _explained(path):
            os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
