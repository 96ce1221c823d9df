"""Leap frames of requests and answers, read and written by schemas that are looked at once.

A client sends frames of few schemas. A :class:`Layout` keeps what was made of a schema, under the bytes that the client wrote.
In its rows a dense vector of doubles is a plain list; :func:`leap_rows` makes the tensors that a
:class:`~leapstream.bundle.frame.LeapFrame` has.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Annotated, Any, TypeAlias

import msgspec
import numpy as np

from leapstream.bundle import frame_binary, frame_json
from leapstream.bundle.elements import checked_tensor, shortest
from leapstream.bundle.frame import FrameFormat, LeapFrame
from leapstream.bundle.malformed import decoding, parse_json
from leapstream.bundle.tensor import NUMPY_DTYPES, Tensor
from leapstream.bundle.types import BasicType, DataType, ListType, MapType, ScalarType, Schema, TensorType
from leapstream.bundle.values import single_precision
from leapstream.serving.failures import RequestError

Rows: TypeAlias = "Sequence[Sequence[Any]]"
_Convert: TypeAlias = "Callable[[Any], Any]"

FORMATS: dict[str, FrameFormat] = {
    "ml.combust.mleap.json": "json",
    "ml.combust.mleap.binary": "binary",
    "ml.combust.mleap.avro": "avro",
}
"""The names that MLeap has for the formats of leap frames."""

# Schemas that are larger, as text or in fields, are not remembered, and of the others a few: clients may make up any.
_LONGEST_TEXT = 1 << 17
_MOST_FIELDS = 4096
_REMEMBERED = 64


def format_of(name: str) -> FrameFormat:
    """The format that a request names.

    Raises:
        RequestError: it is none.
    """
    try:
        return FORMATS[name]
    except KeyError:
        raise RequestError(f"format is {name!r}, and has to be {' or '.join(FORMATS)}") from None


class _Frame(msgspec.Struct):
    schema: msgspec.Raw
    rows: msgspec.Raw


class _Tensor(msgspec.Struct):
    values: list[float]
    dimensions: list[int]
    indices: list[list[int]] | None = None


_decode_frame = msgspec.json.Decoder(_Frame).decode
_encode = msgspec.json.encode


@dataclass(frozen=True, eq=False)
class Layout:
    """A schema of leap frames, and the functions that read and write its rows.

    Attributes:
        schema: the schema.
    """

    schema: Schema

    @property
    def is_large(self) -> bool:
        """True if nothing that is made of it should be remembered."""
        return len(self.schema) > _MOST_FIELDS

    @cached_property
    def _json_head(self) -> bytes:
        """The beginning of a frame as JSON, up to its rows."""
        schema = json.dumps(frame_json.schema_to_json(self.schema), ensure_ascii=False, separators=(",", ":"))
        return b'{"schema":%b,"rows":' % schema.encode()

    @cached_property
    def tensors(self) -> tuple[tuple[int, BasicType], ...]:
        """The positions of the columns of tensors, with the types of their elements."""
        return tuple((i, f.type.base) for i, f in enumerate(self.schema) if isinstance(f.type, TensorType))

    # ---- JSON ---------------------------------------------------------------------------------------------------------

    def rows_of_json(self, data: msgspec.Raw) -> Rows:
        """Decode the rows of a frame."""
        if self._rows_decoder is not None:
            try:
                return _converted(self._rows_decoder.decode(data), self._from_json)
            except (msgspec.MsgspecError, UnicodeError, ValueError):
                pass  # Unusual rows: the decoder of files reads them, or knows what is wrong with them.
        with decoding("frame"):
            decoders = [frame_json.decoder_of(f.type) for f in self.schema]
            return frame_json.convert_rows(self.schema, parse_json(bytes(data)), decoders)

    def row_of_json(self, data: bytes) -> Sequence[Any]:
        """Decode a single row."""
        return self.rows_of_json(msgspec.Raw(b"[" + data + b"]"))[0]

    def json_of_row(self, row: Sequence[Any]) -> bytes:
        """Encode a single row."""
        return _encode(_converted([row], self._to_json)[0])

    def json_of_rows(self, rows: Rows) -> bytes:
        """Encode a frame."""
        return b"%b%b}" % (self._json_head, _encode(_converted(rows, self._to_json)))

    @cached_property
    def _rows_decoder(self) -> msgspec.json.Decoder[Any] | None:
        if any(isinstance(f.type, MapType) for f in self.schema):
            return None
        return msgspec.json.Decoder(list[tuple[tuple(_json_type(f.type) for f in self.schema)]])  # type: ignore[misc]

    @cached_property
    def _from_json(self) -> tuple[tuple[int, _Convert], ...]:
        return _needed(_from_json(f.type) for f in self.schema)

    @cached_property
    def _to_json(self) -> tuple[tuple[int, _Convert], ...]:
        return _needed(_to_json(f.type) for f in self.schema)

    # ---- bytes --------------------------------------------------------------------------------------------------------

    @cached_property
    def _head(self) -> bytes:
        return frame_binary.encode_schema(self.schema)

    @cached_property
    def _codec(self) -> frame_binary.RowCodec:
        return frame_binary.RowCodec(self.schema)

    def rows_of_bytes(self, data: bytes, start: int) -> Rows:
        """Decode the rows of a frame, which begin somewhere in its bytes."""
        with decoding("frame"):
            return self._codec.decode_rows(data, start)

    def bytes_of_rows(self, rows: Rows) -> bytes:
        """Encode a frame in MLeap's binary format."""
        with decoding("frame"):
            return self._head + self._codec.encode_rows(self.leap_rows(rows))

    def row_of_bytes(self, data: bytes) -> Sequence[Any]:
        """Decode a single row in MLeap's binary format."""
        with decoding("row"):
            return self._codec.decode_row(data)

    def bytes_of_row(self, row: Sequence[Any]) -> bytes:
        """Encode a single row in MLeap's binary format."""
        with decoding("row"):
            return self._codec.encode_row(self.leap_rows([row])[0])

    def leap_rows(self, rows: Rows) -> list[Sequence[Any]]:
        """The rows as a leap frame has them: all tensors are of this class."""
        if not self.tensors:
            return list(rows)
        changed: list[Sequence[Any]] = []
        for row in rows:
            values = list(row)
            for position, base in self.tensors:
                if type(values[position]) is list:
                    values[position] = Tensor.dense(values[position], base)
            changed.append(values)
        return changed


def decode(data: bytes, format: FrameFormat) -> tuple[Layout, Rows]:
    """Decode a frame.

    Raises:
        BundleError: it is not one of this format.
    """
    if format == "json":
        try:
            parts = _decode_frame(data)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return _read(data, format)
        layout = _layout(bytes(parts.schema))
        return layout, layout.rows_of_json(parts.rows)
    if format == "binary" and len(data) > 4:
        (length,) = struct.unpack_from(">i", data)
        if 0 < length <= min(len(data) - 4, _LONGEST_TEXT):
            layout = _layout(data[4 : 4 + length])
            return layout, layout.rows_of_bytes(data, 4 + length)
    return _read(data, format)


def encode(layout: Layout, rows: Rows, format: FrameFormat) -> bytes:
    """Encode a frame.

    Raises:
        BundleError: the format cannot hold it.
    """
    if format == "json":
        return layout.json_of_rows(rows)
    if format == "binary":
        return layout.bytes_of_rows(rows)
    return LeapFrame(layout.schema, layout.leap_rows(rows)).to_bytes(format)


def _read(data: bytes, format: FrameFormat) -> tuple[Layout, Rows]:
    decoders: dict[str, Callable[[bytes], tuple[Schema, list[Sequence[Any]]]]] = {
        "json": frame_json.decode,
        "binary": frame_binary.decode,
    }
    if format == "avro":
        frame = LeapFrame.from_bytes(data)
        return layout_of(frame.schema), frame.rows
    with decoding("frame"):
        schema, rows = decoders[format](data)
    return layout_of(schema), rows


def _layout(text: bytes) -> Layout:
    return (_remembered if len(text) <= _LONGEST_TEXT else _made)(text)


def _made(text: bytes) -> Layout:
    with decoding("frame"):
        return layout_of(frame_json.schema_from_json(parse_json(text)))


_remembered = lru_cache(_REMEMBERED)(_made)
_remembered_layout = lru_cache(_REMEMBERED)(Layout)


def layout_of(schema: Schema) -> Layout:
    """The layout of a schema; the same one for the same schema, unless it is large, or many were asked for in between."""
    layout = Layout(schema)
    return layout if layout.is_large else _remembered_layout(schema)


# ---- values -----------------------------------------------------------------------------------------------------------


def _needed(converts: Any) -> tuple[tuple[int, _Convert], ...]:
    return tuple((i, convert) for i, convert in enumerate(converts) if convert is not None)


def _converted(rows: Rows, converts: tuple[tuple[int, _Convert], ...]) -> Rows:
    if not converts:
        return rows
    changed = []
    for row in rows:
        values = list(row)
        for position, convert in converts:
            if values[position] is not None:
                values[position] = convert(values[position])
        changed.append(values)
    return changed


_JSON_TYPES: dict[BasicType, Any] = {
    BasicType.BOOLEAN: bool,
    BasicType.BYTE: Annotated[int, msgspec.Meta(ge=-(2**7), le=2**7 - 1)],
    BasicType.SHORT: Annotated[int, msgspec.Meta(ge=-(2**15), le=2**15 - 1)],
    BasicType.INT: Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)],
    BasicType.LONG: Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)],
    BasicType.FLOAT: float,
    BasicType.DOUBLE: float,
    BasicType.STRING: str,
    BasicType.BYTE_STRING: bytes,
}


def _json_type(data_type: DataType) -> Any:
    """The type that msgspec checks; JSON of other types may be right, too, and is then read by the decoder of files."""
    kind: Any = _JSON_TYPES[data_type.base]
    if isinstance(data_type, ListType):
        kind = list[kind]
    elif isinstance(data_type, TensorType):
        kind = _Tensor if data_type.base is BasicType.DOUBLE else dict
    return kind | None if data_type.nullable else kind


def _from_json(data_type: DataType) -> _Convert | None:
    base = data_type.base
    if isinstance(data_type, TensorType):
        return _vector_of_json if base is BasicType.DOUBLE else frame_json.decoder_of(data_type)
    if base is BasicType.FLOAT:
        return single_precision if isinstance(data_type, ScalarType) else lambda v: [single_precision(x) for x in v]
    return None


def _vector_of_json(given: _Tensor) -> list[float] | Tensor:
    values, dimensions = given.values, given.dimensions
    if given.indices is None:
        if dimensions == [len(values)]:
            return values
        return checked_tensor(BasicType.DOUBLE, np.array(values, np.float64), tuple(dimensions))
    indices = np.array(given.indices, np.int32).reshape(len(given.indices), len(dimensions))
    return checked_tensor(BasicType.DOUBLE, np.array(values, np.float64), tuple(dimensions), indices)


def _to_json(data_type: DataType) -> _Convert | None:
    base = data_type.base
    if isinstance(data_type, MapType):
        return frame_json.encoder_of(data_type)
    if isinstance(data_type, TensorType):
        encode_tensor = frame_json.encoder_of(data_type)
        dtype = NUMPY_DTYPES[base]

        def encoded(value: Any) -> Any:
            if type(value) is not list:
                return encode_tensor(value)
            if dtype == np.float64:
                return {"values": value, "dimensions": (len(value),)}
            return encode_tensor(Tensor.dense(value, base))

        return encoded
    if base is BasicType.FLOAT:
        return shortest if isinstance(data_type, ScalarType) else lambda v: [shortest(x) for x in v]
    return None
