"""Leap frames in MLeap's binary format.

A file holds the length of the schema, the schema as JSON, the number of rows, and then the values, row by row. All numbers
are big-endian. A byte before a nullable value is 1 if the value is present. Strings, byte strings, lists and tensors begin
with their lengths. MLeap has no binary form of maps; leapstream writes the length, then keys and values in turn.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from leapstream.bundle.elements import TEXTS, checked_tensor, plain, plain_items, plain_tensor
from leapstream.bundle.frame_json import convert_rows, schema_from_json, schema_to_json
from leapstream.bundle.malformed import MalformedError, fields_of, parse_json
from leapstream.bundle.tensor import NUMPY_DTYPES, Tensor
from leapstream.bundle.types import BasicType, DataType, ListType, ScalarType, Schema, TensorType
from leapstream.bundle.values import single_precision

_CODES = {
    BasicType.BOOLEAN: "?",
    BasicType.BYTE: "b",
    BasicType.SHORT: "h",
    BasicType.INT: "i",
    BasicType.LONG: "q",
    BasicType.FLOAT: "f",
    BasicType.DOUBLE: "d",
}
_FORMS = {code: struct.Struct(">" + code) for code in "?bhHiqfd"}
_DENSE, _SPARSE = 0, 1
# Rows without fields take no bytes, so only this limit keeps a wrong count from filling the memory.
_MAX_EMPTY_ROWS = 1_000_000

_Read: TypeAlias = Callable[["_Input"], Any]
_Write: TypeAlias = Callable[[Any], bytes]


class RowCodec:
    """Reads and writes the rows of a schema, which is looked at once.

    Args:
        schema: names and types of the columns.
        own: whether rows are in leapstream's own form; see :func:`encode`.
    """

    def __init__(self, schema: Schema, *, own: bool = False) -> None:
        self._schema = schema
        self._readers = [_reader(field.type, own) for field in schema]
        self._writers = [_writer(field.type, own) for field in schema]

    def decode_rows(self, data: bytes, start: int = 0) -> list[Sequence[Any]]:
        """Decode rows after their number.

        Raises:
            ValueError: the data is not such rows, or is truncated. The message names row and column where it can.
        """
        stream = _Input(data, start)
        count = stream.unpack("i")
        if count < 0 or count > (stream.left if self._readers else _MAX_EMPTY_ROWS):
            raise MalformedError(f"says that it has {count} rows, with {stream.left} bytes left")
        rows: list[Sequence[Any]] = []
        for position in range(count):
            rows.append(self._row(stream, f"row {position}, "))
        if stream.left:
            raise MalformedError(f"goes on for {stream.left} bytes after the last row")
        return rows

    def encode_rows(self, rows: Iterable[Sequence[Any]]) -> bytes:
        """The inverse of :meth:`decode_rows`.

        Raises:
            ValueError: a value does not fit its column; the message names row and column.
        """
        converted = convert_rows(self._schema, rows, self._writers)
        return _count(len(converted)) + b"".join(part for row in converted for part in row)

    def decode_row(self, data: bytes) -> list[Any]:
        """Decode a single row.

        Raises:
            ValueError: the data is not such a row. The message names the column where it can.
        """
        stream = _Input(data)
        row = self._row(stream, "")
        if stream.left:
            raise MalformedError(f"goes on for {stream.left} bytes after the last value")
        return row

    def encode_row(self, row: Sequence[Any]) -> bytes:
        """The inverse of :meth:`decode_row`.

        Raises:
            ValueError: a value does not fit its column; the message names it.
        """
        return b"".join(convert_rows(self._schema, [row], self._writers)[0])

    def _row(self, stream: _Input, where: str) -> list[Any]:
        row: list[Any] = []
        try:
            for read in self._readers:
                row.append(read(stream))
        except ValueError as error:
            field = self._schema.fields[len(row)]
            raise MalformedError(f"{where}column {field.name!r} ({field.type}): {error}") from None
        return row


def decode(data: bytes, *, own: bool = False) -> tuple[Schema, list[Sequence[Any]]]:
    """Decode the schema and the rows of a frame.

    Args:
        data: the frame.
        own: whether the data is in leapstream's own form; see :func:`encode`.

    Raises:
        ValueError: the data is not such a frame, or is truncated. The message names row and column where it can.
    """
    stream = _Input(data)
    schema = schema_from_json(parse_json(stream.take(stream.length())))
    return schema, RowCodec(schema, own=own).decode_rows(data, stream.position)


def encode(schema: Schema, rows: Iterable[Sequence[Any]], *, own: bool = False) -> bytes:
    """Encode a frame.

    Args:
        schema: names and types of the columns.
        rows: their values.
        own: whether to write leapstream's own form, which holds what MLeap's cannot: a byte before each element of a list, each
            value of a map and each string of a tensor is 1 if it is present, and strings are UTF-16 code units after their
            number, so that half of a surrogate pair is a string, too.

    Raises:
        ValueError: a value does not fit its column; the message names row and column.
    """
    return encode_schema(schema) + RowCodec(schema, own=own).encode_rows(rows)


def encode_schema(schema: Schema) -> bytes:
    """Encode a schema, after its length."""
    head = json.dumps(schema_to_json(schema), ensure_ascii=False).encode("utf-8")
    return _count(len(head)) + head


# -- reading ----------------------------------------------------------------------------------------------------------


class _Input:
    def __init__(self, data: bytes, position: int = 0) -> None:
        self.data = data
        self.position = position

    @property
    def left(self) -> int:
        return len(self.data) - self.position

    def take(self, size: int) -> bytes:
        if size > self.left:
            raise MalformedError(f"truncated: {size} more bytes are due, {self.left} are left")
        start = self.position
        self.position += size
        return self.data[start : self.position]

    def unpack(self, code: str) -> Any:
        form = _FORMS[code]
        size = form.size
        if size > self.left:
            raise MalformedError(f"truncated: {size} more bytes are due, {self.left} are left")
        value = form.unpack_from(self.data, self.position)[0]
        self.position += size
        return value

    def length(self) -> int:
        length = int(self.unpack("i"))
        if not 0 <= length <= self.left:
            raise MalformedError(f"a length of {length}, with {self.left} bytes left")
        return length

    def array(self, base: BasicType, count: int, own: bool = False) -> npt.NDArray[Any]:
        if base in TEXTS:
            array = np.empty(count, dtype=object)
            array[:] = [_read_optional(base, self, own) for _ in range(count)]
            return array
        dtype = NUMPY_DTYPES[base]
        data = self.take(count * dtype.itemsize)
        if base is BasicType.BOOLEAN:
            return np.asarray(np.frombuffer(data, dtype=np.uint8) != 0)
        return np.frombuffer(data, dtype=dtype.newbyteorder(">")).astype(dtype)


def _reader(data_type: DataType, own: bool) -> _Read:
    base = data_type.base
    if isinstance(data_type, ScalarType):
        return _maybe(data_type, lambda stream: _read_element(base, stream, own))
    if isinstance(data_type, ListType):
        if own:
            return _maybe(
                data_type, lambda stream: [_read_optional(base, stream, True) for _ in range(stream.length())]
            )
        return _maybe(data_type, lambda stream: stream.array(base, stream.length()).tolist())
    if isinstance(data_type, TensorType):
        return _maybe(data_type, lambda stream: _read_tensor(base, stream, own))
    key = data_type.key
    return _maybe(
        data_type,
        lambda stream: {
            _read_element(key, stream, own): _read_optional(base, stream, own) for _ in range(stream.length())
        },
    )


def _maybe(data_type: DataType, read: _Read) -> _Read:
    if data_type.nullable:
        return lambda stream: read(stream) if stream.unpack("?") else None
    return read


def _read_optional(base: BasicType, stream: _Input, own: bool) -> Any:
    return None if own and not stream.unpack("?") else _read_element(base, stream, own)


def _read_element(base: BasicType, stream: _Input, own: bool) -> Any:
    if base is BasicType.STRING and own:
        return stream.take(2 * stream.length()).decode("utf-16-be", "surrogatepass")
    if base is BasicType.STRING:
        return stream.take(stream.length()).decode("utf-8")
    if base is BasicType.BYTE_STRING:
        return stream.take(stream.length())
    return stream.unpack(_CODES[base])


def _read_tensor(base: BasicType, stream: _Input, own: bool) -> Tensor:
    kind = stream.unpack("H")
    if kind not in (_DENSE, _SPARSE):
        raise MalformedError(f"{kind} is not a kind of tensor")
    dimensions = tuple(stream.array(BasicType.INT, stream.unpack("H")).tolist())
    values = stream.array(base, stream.length(), own)
    if kind == _DENSE:
        return checked_tensor(base, values, dimensions)
    indices = np.empty((stream.length(), len(dimensions)), dtype=np.int32)
    for position in range(len(indices)):
        if stream.unpack("H") != len(dimensions):
            raise MalformedError(f"a sparse tensor of {len(dimensions)} dimensions has an index of another length")
        indices[position] = stream.array(BasicType.INT, len(dimensions))
    return checked_tensor(base, values, dimensions, indices)


# -- writing ----------------------------------------------------------------------------------------------------------


def _writer(data_type: DataType, own: bool) -> _Write:
    base = data_type.base
    if isinstance(data_type, ScalarType):
        return _optional(data_type, lambda value: _element(base, plain(base, value), own))
    if isinstance(data_type, ListType):
        return _optional(data_type, lambda value: _items(base, plain_items(base, value, own), own))
    if isinstance(data_type, TensorType):
        return _optional(data_type, lambda value: _tensor(plain_tensor(base, value), own and base in TEXTS))
    key = data_type.key
    return _optional(data_type, lambda value: _map(key, base, fields_of(value, "a map"), own))


def _optional(data_type: DataType, write: _Write) -> _Write:
    if data_type.nullable:
        return lambda value: b"\0" if value is None else b"\1" + write(value)
    return write


def _count(number: int) -> bytes:
    return _FORMS["i"].pack(number)


def _optional_element(base: BasicType, value: Any, own: bool) -> bytes:
    if not own:
        return _element(base, value, own)
    return b"\0" if value is None else b"\1" + _element(base, value, own)


def _element(base: BasicType, value: Any, own: bool) -> bytes:
    if base is BasicType.STRING and own:
        units: bytes = value.encode("utf-16-be", "surrogatepass")
        return _count(len(units) // 2) + units
    if base in TEXTS:
        data: bytes = value.encode("utf-8") if base is BasicType.STRING else value
        return _count(len(data)) + data
    if base is BasicType.FLOAT:
        value = single_precision(value)  # struct raises an OverflowError where a cast gives an infinity
    return _FORMS[_CODES[base]].pack(value)


def _items(base: BasicType, items: list[Any], own: bool) -> bytes:
    return _count(len(items)) + b"".join(_optional_element(base, item, own) for item in items)


def _map(key: BasicType, base: BasicType, value: dict[Any, Any], own: bool) -> bytes:
    items = plain_items(base, list(value.values()), own)
    pairs = (
        _element(key, plain(key, k), own) + _optional_element(base, v, own) for k, v in zip(value, items, strict=True)
    )
    return _count(len(value)) + b"".join(pairs)


def _tensor(tensor: Tensor, own: bool) -> bytes:
    kind = _DENSE if tensor.indices is None else _SPARSE
    rank = len(tensor.dimensions)
    head = struct.pack(f">HH{rank}i", kind, rank, *tensor.dimensions)
    dtype = tensor.values.dtype
    if tensor.base not in TEXTS and dtype == NUMPY_DTYPES[tensor.base]:
        body = _count(len(tensor.values)) + tensor.values.astype(dtype.newbyteorder(">")).tobytes()
    else:
        body = _items(tensor.base, plain_items(tensor.base, tensor.values, own), own)
    if tensor.indices is None:
        return head + body
    positions = (struct.pack(f">H{rank}i", rank, *row) for row in tensor.indices.tolist())
    return head + body + _count(len(tensor.indices)) + b"".join(positions)
