"""Reads Parquet files, whose sizes are checked before anything is decompressed or decoded.

A few bytes of a Parquet file can stand for gigabytes: compressed pages, runs of one value, and texts that repeat an entry of a
dictionary. The headers of the pages say how much each of them becomes, and Arrow decodes no more than that, in a process of its
own.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from leapstream.bundle.limits import Limits
from leapstream.bundle.malformed import MalformedError
from leapstream.frames.decoder import borrowed

_PAGE = 256
"""Bytes that every page counts at least, so that the number of pages is limited too."""

_BLOCK = 1 << 12


def read_table(where: str, data: bytes, limits: Limits) -> pa.Table:
    """Read a Parquet file; ``where`` is its name in messages. Columns of texts are encoded as dictionaries.

    Raises:
        BundleError: the file exceeds a limit.
        MalformedError: it is not a Parquet file, is damaged, or crashes Arrow's decoder.
        pyarrow.ArrowException: its values are damaged.
    """
    with borrowed() as decoder:
        size = _declared(where, decoder.open(data)["chunks"], data, limits)
        schema, batches = decoder.read()
        table = pa.Table.from_batches(list(batches), schema)
    table.validate(full=True)
    for column in table.columns:
        for chunk in column.chunks:
            for text in _dictionaries(chunk):
                size += _text_bytes(text)
                limits.check_ratio(where, size, len(data))
                limits.check_file(where, size)
    # Spark's versions describe equal types by different texts in the schema's metadata, and tables with differing metadata
    # cannot be concatenated.
    return table.replace_schema_metadata(None)


@dataclass(frozen=True)
class ParquetRows:
    """The rows of a Parquet file.

    Attributes:
        total: their number.
        tables: the rows in tables, of which the first may be empty; texts are plain.
    """

    total: int
    tables: Iterator[pa.Table]


@contextmanager
def open_parquet(path: str, limits: Limits, rows: int) -> Iterator[ParquetRows]:
    """Open a Parquet file, to read it in tables of at most ``rows``.

    Raises:
        BundleError: the file exceeds a limit, also while the tables are read.
        MalformedError: it is not a Parquet file, is damaged, or crashes Arrow's decoder.
        pyarrow.ArrowException: its values are damaged.
        OSError: it cannot be read.
    """
    with open(path, "rb") as stream, borrowed() as decoder:
        data = _File(stream)
        found = decoder.open(path, rows)
        size = _declared(path, found["chunks"], data, limits, whole=False)
        schema, batches = decoder.read()

        def tables() -> Iterator[pa.Table]:
            any_rows = False
            for batch in batches:
                any_rows = True
                yield plain_texts(path, pa.Table.from_batches([batch]), size, len(data), limits)
            if not any_rows:
                yield plain_texts(path, schema.empty_table(), size, len(data), limits)

        yield ParquetRows(found["rows"], tables())


def plain_texts(where: str, table: pa.Table, size: int, stored: int, limits: Limits) -> pa.Table:
    """A table with values in place of dictionaries, whose texts are measured before.

    Args:
        where: the file's name in messages.
        table: the table.
        size: bytes that the file has become before.
        stored: size of the file.
        limits: limits on the size.

    Raises:
        BundleError: the texts exceed a limit.
    """
    # Arrow uses the offsets of a damaged file as they are, before and after its end.
    table.validate(full=True)
    for number, column in enumerate(table.columns):
        if pa.types.is_dictionary(column.type):
            for chunk in column.chunks:
                size += _text_bytes(chunk)
            limits.check_ratio(where, size, stored)
            table = table.set_column(number, table.field(number).name, column.cast(column.type.value_type))
        elif any(True for chunk in column.chunks for _ in _dictionaries(chunk)):
            raise MalformedError(f"column {table.field(number).name!r} has dictionaries inside of {column.type}")
    return table


def _text_bytes(array: Any) -> int:
    """The bytes that the entries of a dictionary take, each as often as the array refers to it."""
    kind = array.type.value_type
    if not any(check(kind) for check in _OF_TEXT):
        width = kind.bit_width // 8 if pa.types.is_primitive(kind) else 0
        return len(array) * width
    lengths = pc.binary_length(array.dictionary).cast(pa.int64()).take(array.indices)
    return pc.sum(lengths).as_py() or 0


_OF_TEXT = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)


def _dictionaries(array: Any) -> Iterator[Any]:
    """The dictionary-encoded arrays inside of an array."""
    if pa.types.is_dictionary(array.type):
        yield array
    elif pa.types.is_struct(array.type):
        for field in array.flatten():
            yield from _dictionaries(field)
    elif pa.types.is_map(array.type):
        yield from _dictionaries(array.keys)
        yield from _dictionaries(array.items)
    elif pa.types.is_list(array.type):
        yield from _dictionaries(array.flatten())


def _declared(where: str, chunks: list[list[int]], data: _Bytes, limits: Limits, *, whole: bool = True) -> int:
    """The number of bytes that the pages of a file become, as their headers tell; ``whole`` if all are read at once.

    The chunks of the columns are those of :mod:`leapstream.frames.parquetprocess`.
    """
    size = values = 0
    for start, left, width in chunks:
        while left > 0:
            count, payload, start, is_data = _page(data, start)
            left -= count if is_data else 0
            values += count
            size += _PAGE + payload + count * width
            limits.check_values(where, values, len(data))
            limits.check_ratio(where, size, len(data))
            if whole:
                limits.check_file(where, size)
    return size


class _Bytes(Protocol):
    """The bytes of a file, in memory or on disk."""

    def __len__(self) -> int: ...

    def __getitem__(self, position: int, /) -> int: ...


class _File:
    """The bytes of an open file, of which a block is in memory."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._size = stream.seek(0, io.SEEK_END)
        self._start, self._block = 0, b""

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, position: int, /) -> int:
        if not self._start <= position < self._start + len(self._block):
            self._stream.seek(position)
            self._start, self._block = position, self._stream.read(_BLOCK)
        return self._block[position - self._start]


# ---- the headers of pages ---------------------------------------------------------------------------------------------

_DATA, _DICTIONARY, _DATA_V2 = 0, 2, 3
_HEADER_OF = {_DATA: 5, _DICTIONARY: 7, _DATA_V2: 8}
"""By type of page, the field of a page's header that has the header of this type."""

_ENCODING_IN = {_DATA: 2, _DICTIONARY: 2, _DATA_V2: 4}
_DELTA_BYTE_ARRAY = 7


def _page(data: _Bytes, start: int) -> tuple[int, int, int, bool]:
    """The number of values of the page at ``start``, its uncompressed size, its end, and true if it is not a dictionary."""
    header, begin = _Compact(data, start).struct()
    kind, payload, stored = (header.get(number) for number in (1, 2, 3))
    inner = header.get(_HEADER_OF[kind]) if kind in _HEADER_OF else None
    if (
        not isinstance(kind, int)
        or not isinstance(inner, dict)
        or not isinstance(payload, int)
        or not isinstance(stored, int)
    ):
        raise MalformedError("a page of a Parquet file has no header")
    values, encoding = inner.get(1), inner.get(_ENCODING_IN[kind])
    if not isinstance(values, int) or min(values, payload, stored) < 0 or begin + stored > len(data):
        raise MalformedError("a page of a Parquet file is damaged")
    if encoding == _DELTA_BYTE_ARRAY:
        raise MalformedError("a page of a Parquet file has the encoding DELTA_BYTE_ARRAY, which does not tell its size")
    return values, payload, begin + stored, kind != _DICTIONARY


class _Compact:
    """Reads structs of Thrift's compact protocol, in which Parquet encodes the headers of pages."""

    def __init__(self, data: _Bytes, position: int) -> None:
        self._data = data
        self._position = position

    def struct(self, depth: int = 0) -> tuple[dict[int, Any], int]:
        """The fields by number, and the position after the struct; fields that are not numbers or structs are ``None``."""
        if depth > 4:
            raise MalformedError("the header of a page is nested too deeply")
        fields: dict[int, Any] = {}
        number = 0
        while kind := self._byte():
            number = number + (kind >> 4) if kind >> 4 else self._number()
            fields[number] = self._value(kind & 0xF, depth)
        return fields, self._position

    def _value(self, kind: int, depth: int) -> Any:
        if kind in (1, 2):  # true and false have no bytes
            return None
        if kind in (4, 5, 6):
            return self._number()
        if kind == 12:
            return self.struct(depth + 1)[0]
        if kind in (3, 7):
            self._position += 1 if kind == 3 else 8
        elif kind == 8:
            length = self._unsigned()
            self._position += length
        else:
            raise MalformedError("the header of a page has a field of an unexpected type")
        return None

    def _byte(self) -> int:
        if not 0 <= self._position < len(self._data):
            raise MalformedError("a page of a Parquet file lies outside of it")
        self._position += 1
        return self._data[self._position - 1]

    def _unsigned(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            part = self._byte()
            value |= (part & 0x7F) << shift
            if part < 0x80:
                return value
        raise MalformedError("the header of a page has a number of too many bytes")

    def _number(self) -> int:
        value = self._unsigned()
        return (value >> 1) ^ -(value & 1)
