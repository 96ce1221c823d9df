"""MLeap's protobuf messages: made from models and schemas, and written as the JSON that MLeap writes."""

from __future__ import annotations

import base64
from collections.abc import Callable, MutableSequence
from typing import Any, TypeVar

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

from leapstream.bundle.proto import bundle_pb2 as bundle_pb
from leapstream.bundle.proto_codec import decode_data_shape, encode_attributes, encode_data_shape
from leapstream.bundle.types import BasicType, DataShape, DataType, Field, ListType, MapType, ScalarType, Schema
from leapstream.errors import ConfigError
from leapstream.serving.failures import RequestError
from leapstream.serving.loading import ModelSpec
from leapstream.serving.loads import shown_uri
from leapstream.serving.mleap.transforming import mleap_types
from leapstream.serving.operations import JsonSchema, Shared
from leapstream.serving.proto import mleap_pb2 as pb
from leapstream.serving.registry import ServedModel
from leapstream.serving.values import decode

M = TypeVar("M", bound=Message)

# ---- to and from bytes and JSON ---------------------------------------------------------------------------------------------


def from_bytes(kind: type[M], body: bytes) -> M:
    """A message from its bytes.

    Raises:
        RequestError: they are none.
    """
    try:
        return kind.FromString(body)
    except DecodeError:
        raise RequestError(f"the body is not a {kind.DESCRIPTOR.name} message") from None


def from_json(kind: type[M], body: bytes) -> M:
    """A message from its JSON.

    Raises:
        RequestError: it is not JSON of such a message.
    """
    given = decode(body)
    message = kind()
    try:
        if not isinstance(given, dict):
            raise ValueError("it is not an object")
        json_format.ParseDict(given, message)
    except (json_format.ParseError, ValueError, RecursionError) as error:
        raise RequestError(f"the body is not the JSON of a {kind.DESCRIPTOR.name} message: {error}") from None
    return message


def to_json(message: Message) -> dict[str, Any]:
    """The JSON of a message as MLeap writes it: with default values, and 64-bit numbers as numbers."""
    fields: dict[str, Any] = {}
    for f in message.DESCRIPTOR.fields:
        value = getattr(message, f.name)
        kind = None if f.message_type is None else f.message_type.full_name
        if kind is None:
            show = _shown(f)
            fields[f.json_name] = [show(v) for v in value] if isinstance(value, MutableSequence) else show(value)
        elif kind == _ATTRIBUTE:
            fields[f.json_name] = {entry.key: to_json(entry.value) for entry in value}
        elif isinstance(value, MutableSequence):
            fields[f.json_name] = [to_json(item) for item in value]
        elif message.HasField(f.name):
            fields[f.json_name] = value.value if kind in _WRAPPERS else to_json(value)
    return fields


def schema_of_json(kind: type[Message]) -> Shared:
    """The JSON schema of a message; every field may be left out."""
    return _schema_of(kind())


def _schema_of(message: Message) -> Shared:
    properties = {f.json_name: _schema_of_field(f, getattr(message, f.name)) for f in message.DESCRIPTOR.fields}
    return Shared(
        f"mleap.{message.DESCRIPTOR.name}", {"type": "object", "properties": properties, "additionalProperties": False}
    )


def _schema_of_field(f: Any, value: Any) -> JsonSchema:
    is_repeated = isinstance(value, MutableSequence)
    element: JsonSchema
    if f.enum_type is not None:
        element = {"enum": [value.name for value in f.enum_type.values]}
    elif f.message_type is None:
        element = _SCHEMAS[f.type]
    elif f.message_type.full_name == _ATTRIBUTE:
        return {"type": "object"}
    elif f.message_type.full_name in _WRAPPERS:
        element = _SCHEMAS[f.message_type.fields_by_name["value"].type]
    else:
        element = _schema_of(value.add() if is_repeated else value)
    return {"type": "array", "items": element} if is_repeated else element


_SCHEMAS: dict[int, JsonSchema] = {
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_INT32: {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
    FieldDescriptor.TYPE_UINT32: {"type": "integer", "minimum": 0, "maximum": 2**32 - 1},
    FieldDescriptor.TYPE_UINT64: {"type": "integer", "minimum": 0, "maximum": 2**64 - 1},
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
}
_ATTRIBUTE = "leapstream.bundle.Attributes.Entry"
_WRAPPERS = frozenset({"google.protobuf.UInt32Value", "google.protobuf.UInt64Value"})


def _shown(f: Any) -> Callable[[Any], Any]:
    if f.enum_type is not None:
        names = {number: value.name for number, value in f.enum_type.values_by_number.items()}
        return lambda number: names.get(number, number)
    if f.type == FieldDescriptor.TYPE_BYTES:
        return lambda data: base64.b64encode(data).decode()
    return lambda value: value


# ---- models ------------------------------------------------------------------------------------------------------------------


def model_message(spec: ModelSpec) -> pb.Model:
    """The message about a model."""
    message = pb.Model(name=spec.name, uri=shown_uri(spec))
    message.config.SetInParent()
    for name in ("memory_timeout", "disk_timeout"):
        seconds = getattr(spec, name)
        if seconds is not None:
            getattr(message.config, name).value = round(seconds * 1000)
    return message


def spec_of(request: pb.LoadModelRequest) -> ModelSpec:
    """The model that a request asks for.

    Raises:
        RequestError: its name cannot be one.
    """
    config = request.config
    try:
        return ModelSpec(
            request.model_name,
            request.uri,
            memory_timeout=config.memory_timeout.value / 1000 if config.HasField("memory_timeout") else None,
            disk_timeout=config.disk_timeout.value / 1000 if config.HasField("disk_timeout") else None,
        )
    except ConfigError as error:
        raise RequestError(str(error)) from None


def bundle_meta(served: ServedModel) -> pb.BundleMeta:
    """The message about a model's bundle; as in MLeap, all columns that nodes add are outputs."""
    model = served.model
    definition = model.definition
    message = pb.BundleMeta(
        bundle=pb.Bundle(
            uid=definition.uid,
            name=definition.name,
            format=definition.format.upper(),
            version=definition.version,
            timestamp=definition.timestamp or "",
        ),
        input_schema=schema_message(mleap_types(model.schema.inputs)),
        output_schema=schema_message(mleap_types(model.plan().output_schema)),
    )
    if definition.meta:
        encode_attributes(definition.meta, message.bundle.meta)
    return message


# ---- schemas -----------------------------------------------------------------------------------------------------------------


def schema_message(schema: Schema) -> pb.Schema:
    """A schema as a message. MLeap has no message for maps: they are shown as lists."""
    return pb.Schema(
        fields=[
            pb.Field(name=f.name, data_type=pb.DataType(base=_number(f.type.base), shape=_shape(f.type)))
            for f in schema
        ]
    )


def schema_of(message: pb.Schema) -> Schema:
    """The schema that a message holds.

    Raises:
        RequestError: it holds none.
    """
    try:
        return Schema(tuple(Field(f.name, _type_of(f.data_type)) for f in message.fields))
    except ValueError as error:
        raise RequestError(f"a schema of the request cannot be read: {error}") from None


def _number(base: BasicType) -> Any:
    return bundle_pb.BasicType.Value(base.name)


def _shape(data_type: DataType) -> bundle_pb.DataShape:
    if isinstance(data_type, ScalarType):
        return encode_data_shape(DataShape("scalar", data_type.nullable))
    if isinstance(data_type, (ListType, MapType)):
        return encode_data_shape(DataShape("list", data_type.nullable))
    return encode_data_shape(DataShape("tensor", data_type.nullable, data_type.dimensions))


def _type_of(message: pb.DataType) -> DataType:
    name = bundle_pb.BasicType.Name(message.base)
    if name not in BasicType.__members__:
        raise ValueError(f"{name} is no type of values")
    return decode_data_shape(message.shape).of(BasicType[name])


__all__ = [
    "bundle_meta",
    "from_bytes",
    "from_json",
    "model_message",
    "schema_message",
    "schema_of",
    "schema_of_json",
    "spec_of",
    "to_json",
]
