"""Leap frames in MLeap's Avro container files; needs the ``avro`` extra.

The metadata of a written file holds two entries beside the Avro schema: the frame's schema in MLeap's JSON, because Avro has
no types byte and short and MLeap never declares a tensor nullable; and the number of rows, because an Avro file that was cut
between two blocks looks complete. MLeap ignores both. A file without them, as MLeap writes it, is read by its Avro schema.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from leapstream.bundle.elements import checked_tensor, plain, plain_items, plain_tensor
from leapstream.bundle.frame_json import Convert, convert_rows, nullable, schema_from_json, schema_to_json
from leapstream.bundle.limits import Limits, bounded, inflated
from leapstream.bundle.malformed import MalformedError, describe, fields_of, items_of, parse_json, text_of
from leapstream.bundle.tensor import NUMPY_DTYPES, Tensor
from leapstream.bundle.types import BasicType, DataType, Field, ListType, MapType, ScalarType, Schema, TensorType
from leapstream.errors import BundleError

MAGIC = b"Obj\x01"

_NAMESPACE = "ml.combust.mleap.avro"
_SCHEMA_KEY = "leapstream.schema"
_ROWS_KEY = "leapstream.rows"
_PRIMITIVES = {
    BasicType.BOOLEAN: "boolean",
    BasicType.BYTE: "int",
    BasicType.SHORT: "int",
    BasicType.INT: "int",
    BasicType.LONG: "long",
    BasicType.FLOAT: "float",
    BasicType.DOUBLE: "double",
    BasicType.STRING: "string",
    BasicType.BYTE_STRING: "bytes",
}
_BASES = {name: base for base, name in _PRIMITIVES.items() if base not in (BasicType.BYTE, BasicType.SHORT)}
_TENSORS = {"".join(part.capitalize() for part in str(base).split("_")) + "Tensor": base for base in BasicType}
_TENSOR_NAMES = {base: name for name, base in _TENSORS.items()}
_CODECS = ("null", "deflate")
_MARKER = 16
_MAX_EMPTY_ROWS = 1_000_000


def decode(data: bytes, limits: Limits | None = None) -> tuple[Schema, list[Sequence[Any]]]:
    """Decode the schema and the rows of a frame.

    Args:
        data: the frame.
        limits: limits on the size of its blocks and the number of its values.

    Raises:
        ValueError: the data is not such a frame, or is truncated. The message names row and column where it can.
        BundleError: the frame exceeds a limit, or the ``avro`` extra is not installed.
    """
    fastavro = _fastavro()
    try:
        reader = fastavro.reader(io.BytesIO(data))
        metadata = dict(reader.metadata)
        by_avro = _schema_from_avro(json.loads(metadata["avro.schema"]))
        schema = by_avro
        if _SCHEMA_KEY in metadata:
            schema = schema_from_json(parse_json(metadata[_SCHEMA_KEY].encode()))
            if schema.names != by_avro.names:
                raise MalformedError("the leap schema in the metadata has other fields than the Avro schema")
        names = schema.names
        plain = _decompressed(
            data, metadata["avro.schema"], metadata.get("avro.codec", "null"), len(schema), limits or Limits()
        )
        records = [[record[name] for name in names] for record in fastavro.reader(io.BytesIO(plain))]
        if metadata.get(_ROWS_KEY, str(len(records))) != str(len(records)):
            raise MalformedError(f"truncated: {metadata[_ROWS_KEY]} rows are due, {len(records)} are there")
    except (BundleError, MalformedError, RecursionError, MemoryError):
        raise
    except Exception as error:
        # fastavro lets any exception of its decoding through, even a plain Exception.
        raise MalformedError(f"corrupt Avro file: {type(error).__name__}: {error}") from error
    return schema, convert_rows(schema, records, [_decoder(field.type) for field in schema])


def _decompressed(data: bytes, schema: str, codec: str, fields: int, limits: Limits) -> bytes:
    """A container file with the same rows and no compression; its blocks are checked before any row is decoded."""
    if codec not in _CODECS:
        raise MalformedError(f"is compressed by {codec}; known: {', '.join(_CODECS)}")
    stream = _Bytes(data, len(MAGIC))
    while (entries := stream.long()) != 0:
        if entries < 0:
            stream.long()
        for _ in range(2 * abs(entries)):
            stream.take(stream.long())
    marker = stream.take(_MARKER)
    parts = [_header(schema, marker)]
    rows = size = 0
    while stream.left:
        count, packed = stream.long(), stream.take(stream.long())
        if stream.take(_MARKER) != marker:
            raise MalformedError("a block does not end with the file's marker")
        rows += count
        if count < 0 or (fields == 0 and rows > _MAX_EMPTY_ROWS):
            raise MalformedError(f"a block of {count} rows")
        limits.check_values("frame", rows * (fields + 1), len(data))
        if codec == "deflate":
            block = bounded("frame", inflated(packed), limits, len(data), before=size)
            size += len(block)
            parts += [_long(count), _long(len(block)), block, marker]
    return b"".join(parts) if codec == "deflate" else data


def _header(schema: str, marker: bytes) -> bytes:
    """The header of a container file without compression."""
    name, text = b"avro.schema", schema.encode()
    return b"".join([MAGIC, _long(1), _long(len(name)), name, _long(len(text)), text, _long(0), marker])


def _long(number: int) -> bytes:
    """The inverse of :meth:`_Bytes.long`, of a number that is not negative."""
    number <<= 1
    parts = bytearray()
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


class _Bytes:
    """The bytes of a container file."""

    def __init__(self, data: bytes, position: int) -> None:
        self.data = data
        self.position = position

    @property
    def left(self) -> int:
        return len(self.data) - self.position

    def take(self, size: int) -> bytes:
        if not 0 <= size <= self.left:
            raise MalformedError(f"truncated: {size} more bytes are due, {self.left} are left")
        self.position += size
        return self.data[self.position - size : self.position]

    def long(self) -> int:
        """A number of Avro's type long: seven bits in each byte, the sign in the lowest bit."""
        number = shift = 0
        while shift < 70:
            (byte,) = self.take(1)
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return (number >> 1) ^ -(number & 1)
        raise MalformedError("a number takes more than ten bytes")


def encode(schema: Schema, rows: Iterable[Sequence[Any]]) -> bytes:
    """Encode a frame as an Avro container file; equal frames give equal bytes.

    Raises:
        ValueError: a value does not fit its column, or a field's name is not a name in Avro.
        BundleError: the ``avro`` extra is not installed.
    """
    fastavro = _fastavro()
    leap_schema = json.dumps(schema_to_json(schema), ensure_ascii=False)
    converted = convert_rows(schema, rows, [_encoder(field.type) for field in schema])
    gaps = {name for position, name in enumerate(schema.names) if any(row[position] is None for row in converted)}
    avro_schema = _schema_to_avro(schema, gaps)
    records = (dict(zip(schema.names, row, strict=True)) for row in converted)
    out = io.BytesIO()
    fastavro.writer(
        out,
        fastavro.parse_schema(avro_schema),
        records,
        metadata={_SCHEMA_KEY: leap_schema, _ROWS_KEY: str(len(converted))},
        sync_marker=hashlib.sha256(leap_schema.encode()).digest()[:16],
    )
    return out.getvalue()


def _fastavro() -> ModuleType:
    try:
        import fastavro
    except ImportError:
        raise BundleError("Avro frames need the avro extra: pip install 'leapstream[avro]'") from None
    return fastavro


def _schema_to_avro(schema: Schema, gaps: set[str]) -> dict[str, Any]:
    """The Avro schema. Only tensors of the fields in ``gaps`` are declared nullable: MLeap reads those, but never writes them."""
    defined: set[str] = set()
    fields = []
    for field in schema:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", field.name):
            raise MalformedError(f"{field.name!r} cannot be the name of an Avro field")
        fields.append({"name": field.name, "type": _type_to_avro(field.type, defined, gap=field.name in gaps)})
    return {"type": "record", "name": "LeapFrame", "namespace": _NAMESPACE, "fields": fields}


def _type_to_avro(data_type: DataType, defined: set[str], *, gap: bool) -> Any:
    if isinstance(data_type, TensorType):
        tensor = _tensor_to_avro(data_type.base, defined)
        return [tensor, "null"] if gap else tensor
    avro: Any = _PRIMITIVES[data_type.base]
    if isinstance(data_type, ListType):
        avro = {"type": "array", "items": avro}
    elif isinstance(data_type, MapType):
        if data_type.key is not BasicType.STRING:
            raise MalformedError(f"a map with keys of type {data_type.key} cannot be Avro")
        avro = {"type": "map", "values": avro}
    return [avro, "null"] if data_type.nullable else avro


def _tensor_to_avro(base: BasicType, defined: set[str]) -> Any:
    name = _TENSOR_NAMES[base]
    if name in defined:
        return f"{_NAMESPACE}.{name}"
    defined.add(name)
    ints = {"type": "array", "items": "int"}
    values = "bytes" if base is BasicType.BYTE else {"type": "array", "items": _PRIMITIVES[base]}
    fields = [
        {"name": "dimensions", "type": ints},
        {"name": "values", "type": values},
        {"name": "indices", "type": [{"type": "array", "items": ints}, "null"]},
    ]
    return {"type": "record", "name": name, "namespace": _NAMESPACE, "fields": fields}


def _schema_from_avro(raw: Any) -> Schema:
    record = fields_of(raw, "the Avro schema")
    if record.get("type") != "record":
        raise MalformedError("the Avro schema is not a record")
    fields = []
    for item in items_of(record.get("fields"), "fields"):
        field = fields_of(item, "a field")
        name = text_of(field.get("name"), "a field's name")
        fields.append(Field(name, _type_from_avro(field.get("type"), name)))
    return Schema(tuple(fields))


def _type_from_avro(raw: Any, name: str) -> DataType:
    if isinstance(raw, list):
        others = [branch for branch in raw if branch != "null"]
        if len(raw) != 2 or len(others) != 1:
            raise MalformedError(f"field {name!r}: a union of other than a type and null")
        return _plain_from_avro(others[0], name, nullable=True)
    return _plain_from_avro(raw, name, nullable=False)


def _plain_from_avro(raw: Any, name: str, *, nullable: bool) -> DataType:
    if isinstance(raw, str):
        if raw in _BASES:
            return ScalarType(_BASES[raw], nullable)
        if raw.rpartition(".")[2] in _TENSORS:
            return TensorType(_TENSORS[raw.rpartition(".")[2]])
        raise MalformedError(f"field {name!r}: {describe(raw)} is not a type of leap frames")
    fields = fields_of(raw, f"the type of field {name!r}")
    kind = fields.get("type")
    if kind == "array":
        return ListType(_base(fields.get("items"), name), nullable)
    if kind == "map":
        return MapType(BasicType.STRING, _base(fields.get("values"), name), nullable)
    if kind == "record":
        tensor = text_of(fields.get("name"), "a record's name").rpartition(".")[2]
        if tensor not in _TENSORS:
            raise MalformedError(f"field {name!r}: {describe(tensor)} is not a tensor")
        _check_tensor(fields, _TENSORS[tensor], name)
        return TensorType(_TENSORS[tensor])
    if isinstance(kind, str) and kind in _BASES:
        return ScalarType(_BASES[kind], nullable)
    raise MalformedError(f"field {name!r}: {describe(kind)} is not a type of leap frames")


def _check_tensor(record: dict[str, Any], base: BasicType, name: str) -> None:
    """Check the parts of a tensor. Items of a type that takes no bytes could be as many as a frame says."""
    given = {str(fields_of(part, "a field").get("name")): part["type"] for part in items_of(record.get("fields"), name)}
    expected = {part["name"]: part["type"] for part in _tensor_to_avro(base, set())["fields"]}
    for part, data_type in expected.items():
        if part not in given or _bare(given[part]) != _bare(data_type):
            raise MalformedError(
                f"field {name!r}: the {part} of a tensor are of another type than {describe(data_type)}"
            )


def _bare(raw: Any) -> Any:
    """An Avro type without names and properties; the branches of a union in the order of their text."""
    if isinstance(raw, list):
        return sorted((_bare(branch) for branch in raw), key=str)
    if not isinstance(raw, dict):
        return raw
    return {"array": _bare(raw.get("items"))} if raw.get("type") == "array" else raw.get("type")


def _base(raw: Any, name: str) -> BasicType:
    kind = raw.get("type") if isinstance(raw, dict) else raw
    if not isinstance(kind, str) or kind not in _BASES:
        raise MalformedError(f"field {name!r}: {describe(kind)} is not a basic type")
    return _BASES[kind]


def _decoder(data_type: DataType) -> Convert:
    base = data_type.base
    if isinstance(data_type, ScalarType):
        return nullable(lambda value: plain(base, value), data_type)
    if isinstance(data_type, ListType):
        return nullable(lambda value: plain_items(base, value), data_type)
    if isinstance(data_type, TensorType):
        return nullable(lambda value: _decode_tensor(base, value), data_type)
    return nullable(lambda value: {str(k): plain(base, v) for k, v in value.items()}, data_type)


def _decode_tensor(base: BasicType, record: Any) -> Tensor:
    if base is BasicType.BYTE:
        values = np.frombuffer(record["values"], dtype=np.int8).copy()
    else:
        values = np.empty(len(record["values"]), dtype=NUMPY_DTYPES[base])
        values[:] = plain_items(base, record["values"])
    dimensions = tuple(plain_items(BasicType.INT, record["dimensions"]))
    if record["indices"] is None:
        return checked_tensor(base, values, dimensions)
    rows = record["indices"]
    if any(len(row) != len(dimensions) for row in rows):
        raise MalformedError(f"a sparse tensor of {len(dimensions)} dimensions has an index of another length")
    return checked_tensor(base, values, dimensions, np.array(rows, np.int32).reshape(len(rows), len(dimensions)))


def _encoder(data_type: DataType) -> Convert:
    base = data_type.base
    if isinstance(data_type, ScalarType):
        return nullable(lambda value: plain(base, value), data_type)
    if isinstance(data_type, ListType):
        return nullable(lambda value: plain_items(base, value), data_type)
    if isinstance(data_type, TensorType):
        return nullable(lambda value: _encode_tensor(plain_tensor(base, value)), data_type)
    return nullable(lambda value: {plain(data_type.key, k): plain(base, v) for k, v in value.items()}, data_type)


def _encode_tensor(tensor: Tensor) -> dict[str, Any]:
    is_bytes = tensor.base is BasicType.BYTE
    return {
        "dimensions": list(tensor.dimensions),
        "values": tensor.values.tobytes() if is_bytes else plain_items(tensor.base, tensor.values),
        "indices": None if tensor.indices is None else tensor.indices.tolist(),
    }
