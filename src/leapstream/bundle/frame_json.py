"""Leap frames in MLeap's JSON: ``{"schema": {"fields": […]}, "rows": [[…], …]}``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from leapstream.bundle.elements import (
    array_from_json,
    array_to_json,
    from_json,
    plain,
    plain_items,
    plain_tensor,
    to_json,
)
from leapstream.bundle.json_codec import decode_leap_tensor, encode_leap_tensor
from leapstream.bundle.malformed import MalformedError, describe, fields_of, items_of, parse_json, text_of
from leapstream.bundle.types import BasicType, DataType, Field, ListType, MapType, ScalarType, Schema, TensorType

Convert: TypeAlias = Callable[[Any], Any]

# MLeap writes an int as "integer" in scalar types and as "int" in all others; both names are accepted everywhere.
_SCALAR_NAMES = {**{str(base): base for base in BasicType}, "integer": BasicType.INT}


def decode(data: bytes) -> tuple[Schema, list[Sequence[Any]]]:
    """Decode the schema and the rows of a frame.

    Raises:
        ValueError: the data is not such a frame. The message names row and column where it can.
    """
    fields = fields_of(parse_json(data), "the frame")
    schema = schema_from_json(fields.get("schema"))
    rows = items_of(fields.get("rows"), "rows")
    return schema, convert_rows(schema, rows, [decoder_of(field.type) for field in schema])


def encode(schema: Schema, rows: Iterable[Sequence[Any]]) -> bytes:
    """Encode a frame as JSON, one row per line; NaN and infinities become null, as in MLeap.

    Raises:
        ValueError: a value does not fit its column; the message names row and column.
    """
    converted = convert_rows(schema, rows, [encoder_of(field.type) for field in schema])
    lines = ",\n".join(json.dumps(row, ensure_ascii=False, allow_nan=False) for row in converted)
    head = json.dumps(schema_to_json(schema), ensure_ascii=False)
    return f'{{"schema": {head},\n"rows": [\n{lines}\n]}}\n'.encode()


def convert_rows(schema: Schema, rows: Iterable[Any], converts: Sequence[Convert]) -> list[Sequence[Any]]:
    """Apply a conversion per column to each row.

    Raises:
        MalformedError: a row has more or fewer values than the schema has fields, or a conversion fails.
    """
    converted: list[Sequence[Any]] = []
    for position, row in enumerate(rows):
        if not isinstance(row, list | tuple):
            raise MalformedError(f"row {position} is not a list of values")
        if len(row) != len(converts):
            raise MalformedError(f"row {position} has {len(row)} values, the schema {len(converts)} fields")
        try:
            converted.append([convert(value) for convert, value in zip(converts, row, strict=True)])
        except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError):
            _blame(schema, position, row, converts)
            raise
    return converted


def _blame(schema: Schema, position: int, row: Sequence[Any], converts: Sequence[Convert]) -> None:
    for field, convert, value in zip(schema, converts, row, strict=True):
        try:
            convert(value)
        except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError) as error:
            raise MalformedError(f"row {position}, column {field.name!r} ({field.type}): {error}") from None


def schema_to_json(schema: Schema) -> dict[str, Any]:
    """Encode a schema as MLeap does."""
    return {"fields": [{"name": field.name, "type": _type_to_json(field.type)} for field in schema]}


def schema_from_json(raw: Any) -> Schema:
    """The inverse of :func:`schema_to_json`; ``isNullable`` is true when absent.

    Raises:
        ValueError: ``raw`` is not such a schema, or a name occurs twice.
    """
    fields = []
    for item in items_of(fields_of(raw, "the schema").get("fields"), "fields"):
        members = fields_of(item, "a field")
        name = text_of(members.get("name"), "a field's name")
        try:
            fields.append(Field(name, _type_from_json(members.get("type"))))
        except MalformedError as error:
            raise MalformedError(f"field {name!r}: {error}") from None
    return Schema(tuple(fields))


def _type_to_json(data_type: DataType) -> Any:
    nullable = {} if data_type.nullable else {"isNullable": False}
    if isinstance(data_type, ScalarType):
        name = "integer" if data_type.base is BasicType.INT else str(data_type.base)
        return name if data_type.nullable else {"type": "basic", "base": name, **nullable}
    if isinstance(data_type, ListType):
        return {"type": "list", "base": str(data_type.base), **nullable}
    if isinstance(data_type, MapType):
        return {"type": "map", "key": str(data_type.key), "base": str(data_type.base), **nullable}
    dimensions = {} if data_type.dimensions is None else {"dimensions": list(data_type.dimensions)}
    return {"type": "tensor", "base": str(data_type.base), **dimensions, **nullable}


def _type_from_json(raw: Any) -> DataType:
    if isinstance(raw, str):
        return ScalarType(_basic(raw))
    fields = fields_of(raw, "a type")
    kind = fields.get("type")
    base = _basic(fields.get("base"))
    nullable = bool(from_json(BasicType.BOOLEAN, fields.get("isNullable", True)))
    if kind == "basic":
        return ScalarType(base, nullable)
    if kind == "list":
        return ListType(base, nullable)
    if kind == "map":
        return MapType(_basic(fields.get("key")), base, nullable)
    if kind == "tensor":
        if fields.get("dimensions") is None:
            return TensorType(base, None, nullable)
        return TensorType(base, tuple(array_from_json(BasicType.INT, fields["dimensions"]).tolist()), nullable)
    raise MalformedError(f"{describe(kind)} is not a kind of type")


def _basic(raw: Any) -> BasicType:
    name = text_of(raw, "a basic type")
    if name not in _SCALAR_NAMES:
        raise MalformedError(f"{describe(name)} is not a basic type")
    return _SCALAR_NAMES[name]


def nullable(convert: Convert, data_type: DataType) -> Convert:
    """A conversion that keeps ``None`` if the type is nullable, and otherwise is ``convert``."""
    if data_type.nullable:
        return lambda value: None if value is None else convert(value)
    return convert


def decoder_of(data_type: DataType) -> Convert:
    """The conversion of a column's values from JSON."""
    base = data_type.base
    if isinstance(data_type, ScalarType):
        return nullable(lambda raw: from_json(base, raw), data_type)
    if isinstance(data_type, ListType):
        return nullable(lambda raw: array_from_json(base, raw).tolist(), data_type)
    if isinstance(data_type, TensorType):
        return nullable(lambda raw: decode_leap_tensor(base, raw), data_type)
    key = data_type.key
    _check_key(key)
    return nullable(
        lambda raw: {from_json(key, k): from_json(base, v) for k, v in fields_of(raw, "a map").items()}, data_type
    )


def encoder_of(data_type: DataType) -> Convert:
    """The conversion of a column's values to JSON."""
    base = data_type.base
    if isinstance(data_type, ScalarType):
        return nullable(lambda value: to_json(base, plain(base, value), infinity_as_null=True), data_type)
    if isinstance(data_type, ListType):
        return nullable(lambda value: array_to_json(base, plain_items(base, value), infinity_as_null=True), data_type)
    if isinstance(data_type, TensorType):
        return nullable(lambda value: encode_leap_tensor(plain_tensor(base, value)), data_type)
    key = data_type.key
    _check_key(key)
    return nullable(
        lambda value: {
            to_json(key, plain(key, k), infinity_as_null=True): to_json(base, plain(base, v), infinity_as_null=True)
            for k, v in fields_of(value, "a map").items()
        },
        data_type,
    )


def _check_key(key: BasicType) -> None:
    if key not in (BasicType.STRING, BasicType.BYTE_STRING):
        raise MalformedError(f"a map with keys of type {key} cannot be JSON")
