"""Reads the Parquet files of saved stages, whose sizes are checked before anything is decompressed or decoded.

A few bytes of a Parquet file can stand for gigabytes: compressed pages, runs of one value, and texts that repeat an entry of a
dictionary. The headers of the pages say how much each of them becomes, and Arrow decodes no more than that.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from leapstream.bundle.limits import Limits
from leapstream.bundle.malformed import MalformedError

_PAGE = 256
"""Bytes that every page counts at least, so that the number of pages is limited too."""

_VALUE = {"FLOAT": 4, "BOOLEAN": 4, "INT32": 4, "DOUBLE": 8, "INT64": 8, "INT96": 12, "BYTE_ARRAY": 8}
"""Bytes of a decoded value, without the letters of texts."""


def read_table(where: str, data: bytes, limits: Limits) -> pa.Table:
    """Read a Parquet file; ``where`` is its name in messages. Columns of texts are encoded as dictionaries.

    Raises:
        BundleError: the file exceeds a limit.
        MalformedError: its pages are damaged.
        pyarrow.ArrowException, OSError: it is not a Parquet file.
    """
    file = parquet.ParquetFile(io.BytesIO(data), thrift_string_size_limit=1 << 24, thrift_container_size_limit=1 << 20)
    size = _declared(where, file.metadata, data, limits)
    columns = map(file.schema.column, range(len(file.schema)))
    texts = [column.path for column in columns if column.physical_type == "BYTE_ARRAY"]
    # Without dictionaries, Arrow would copy an entry for each value that refers to it.
    file = parquet.ParquetFile(io.BytesIO(data), metadata=file.metadata, read_dictionary=texts)
    table = file.read(use_threads=False)
    for column in table.columns:
        for chunk in column.chunks:
            for text in _dictionaries(chunk):
                lengths = pc.binary_length(text.dictionary).cast(pa.int64()).take(text.indices)
                size += pc.sum(lengths).as_py() or 0
                limits.check_ratio(where, size, len(data))
                limits.check_file(where, size)
    # Spark's versions describe equal types by different texts in the schema's metadata, and tables with differing metadata
    # cannot be concatenated.
    return table.replace_schema_metadata(None)


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


def _declared(where: str, metadata: Any, data: bytes, limits: Limits) -> int:
    """The number of bytes that the pages of a file become, as their headers tell."""
    size = values = 0
    for group in range(metadata.num_row_groups):
        for number in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(number)
            width = _VALUE.get(chunk.physical_type, 0) or metadata.schema.column(number).length
            start = chunk.data_page_offset
            if chunk.dictionary_page_offset is not None and 0 < chunk.dictionary_page_offset < start:
                start = chunk.dictionary_page_offset
            left = chunk.num_values
            while left > 0:
                count, payload, start, is_data = _page(data, start)
                left -= count if is_data else 0
                values += count
                size += _PAGE + payload + count * width
                limits.check_values(where, values, len(data))
                limits.check_ratio(where, size, len(data))
                limits.check_file(where, size)
    return size


# ---- the headers of pages ---------------------------------------------------------------------------------------------

_DATA, _DICTIONARY, _DATA_V2 = 0, 2, 3
_HEADER_OF = {_DATA: 5, _DICTIONARY: 7, _DATA_V2: 8}
"""By type of page, the field of a page's header that has the header of this type."""

_ENCODING_IN = {_DATA: 2, _DICTIONARY: 2, _DATA_V2: 4}
_DELTA_BYTE_ARRAY = 7


def _page(data: bytes, start: int) -> tuple[int, int, int, bool]:
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
        raise MalformedError("a page of a Parquet file has the encoding DELTA_BYTE_ARRAY, which Spark does not write")
    return values, payload, begin + stored, kind != _DICTIONARY


class _Compact:
    """Reads structs of Thrift's compact protocol, in which Parquet encodes the headers of pages."""

    def __init__(self, data: bytes, position: int) -> None:
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
