"""Decodes and encodes ``node.pb`` and ``model.pb``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from google.protobuf.message import DecodeError, EncodeError

from leapstream.bundle.definition import ModelDef, Socket, Value
from leapstream.bundle.elements import array_to_bytes, checked_tensor, dense_values, view_of_bytes
from leapstream.bundle.malformed import MalformedError
from leapstream.bundle.proto import bundle_pb2 as pb
from leapstream.bundle.tensor import NUMPY_DTYPES, Tensor
from leapstream.bundle.types import BasicType, DataShape
from leapstream.bundle.values import list_of, scalar
from leapstream.bundle.values import tensor as tensor_value
from leapstream.errors import BundleError

_MEMBERS = {
    "b": "boolean",
    "s": "string",
    "i": "int",
    "l": "long",
    "f": "float",
    "d": "double",
    "bs": "byte_string",
    "t": "tensor",
    "bt": "basic_type",
    "ds": "data_shape",
    "m": "model",
}
_FIELDS = {member: field for field, member in _MEMBERS.items()}
_BASIC_TYPES: dict[int, BasicType] = {
    pb.BOOLEAN: BasicType.BOOLEAN,
    pb.BYTE: BasicType.BYTE,
    pb.SHORT: BasicType.SHORT,
    pb.INT: BasicType.INT,
    pb.LONG: BasicType.LONG,
    pb.FLOAT: BasicType.FLOAT,
    pb.DOUBLE: BasicType.DOUBLE,
    pb.STRING: BasicType.STRING,
    pb.BYTE_STRING: BasicType.BYTE_STRING,
}
_BASIC_NUMBERS = {base: number for number, base in _BASIC_TYPES.items()}
_SHAPES: dict[int, str] = {pb.SCALAR: "scalar", pb.LIST: "list", pb.TENSOR: "tensor"}
_SHAPE_NUMBERS = {name: number for number, name in _SHAPES.items()}


# -- reading ----------------------------------------------------------------------------------------------------------


def decode_node(data: bytes) -> tuple[str, tuple[Socket, ...], tuple[Socket, ...]]:
    """Decode ``node.pb``: the node's name, inputs and outputs."""
    node = pb.Node()
    _parse(node, data)
    if not node.HasField("shape"):
        raise MalformedError("a node without a shape: truncated?")
    inputs = tuple(Socket(socket.port, socket.name) for socket in node.shape.inputs)
    outputs = tuple(Socket(socket.port, socket.name) for socket in node.shape.outputs)
    return node.name, inputs, outputs


def decode_model(data: bytes) -> ModelDef:
    """Decode ``model.pb``."""
    model = pb.Model()
    _parse(model, data)
    # The caller may have no other use for a large file.
    del data
    decoded = _decode_model(model)
    # The numbers of large tensors are in memory twice now; without the message, once.
    del model
    _convert_tensors(decoded)
    return decoded


def _convert_tensors(model: ModelDef) -> None:
    """Give all tensors the byte order of this machine."""
    for name, value in model.attributes.items():
        if value.base == "tensor":
            listed = value.shape == "list"
            tensors = [
                replace(tensor, values=tensor.values.astype(NUMPY_DTYPES[tensor.base]))
                for tensor in (value.data if listed else (value.data,))
            ]
            model.attributes[name] = replace(value, data=tensors if listed else tensors[0])
        elif value.base == "model":
            for inner in value.data if value.shape == "list" else (value.data,):
                _convert_tensors(inner)


def _parse(message: Any, data: bytes) -> None:
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        raise MalformedError(f"not a protobuf message of this kind: {error}") from None


def _decode_model(model: pb.Model) -> ModelDef:
    # Every writer sets the attributes, if only to an empty message; a file without them is truncated.
    if not model.op or not model.HasField("attributes"):
        raise MalformedError("a model without op or attributes: truncated?")
    attributes: dict[str, Value] = {}
    for entry in model.attributes.list:
        if entry.key in attributes:
            raise MalformedError(f"attribute {entry.key!r} is there twice")
        try:
            attributes[entry.key] = _decode_value(entry.value)
        except (MalformedError, BundleError) as error:
            raise MalformedError(f"attribute {entry.key!r}: {error}") from None
    return ModelDef(model.op, attributes)


def _decode_value(value: pb.Value) -> Value:
    which = value.WhichOneof("v")
    if which == "t":
        return tensor_value(_decode_tensor(value.t))
    if which == "l":
        lists = value.l.ListFields()
        if len(lists) > 1:
            raise MalformedError(f"a list sets {' and '.join(_MEMBERS[field.name] for field, _ in lists)} at once")
        if not lists:
            return Value("list", None, [])
        member = _MEMBERS[lists[0][0].name]
        return list_of(member, [_decode_element(member, item) for item in lists[0][1]])
    if which == "s":
        scalars = value.s.ListFields()
        if len(scalars) > 1:
            raise MalformedError(f"a scalar sets {' and '.join(_MEMBERS[field.name] for field, _ in scalars)} at once")
        if not scalars:
            return Value("scalar", None, None)
        member = _MEMBERS[scalars[0][0].name]
        return scalar(member, _decode_element(member, scalars[0][1]))
    raise MalformedError("a value is neither scalar nor list nor tensor")


def _decode_element(member: str, data: Any) -> Any:
    if member == "tensor":
        return _decode_tensor(data)
    if member == "basic_type":
        return None if data == pb.UNDEFINED else _basic_type(data)
    if member == "data_shape":
        return decode_data_shape(data)
    if member == "model":
        return _decode_model(data)
    return data


def _decode_tensor(tensor: pb.Tensor) -> Tensor:
    if not tensor.HasField("shape"):
        raise MalformedError("a tensor without a shape")
    base = _basic_type(tensor.base)
    values = view_of_bytes(base, tensor.value)
    return checked_tensor(base, values, tuple(dimension.size for dimension in tensor.shape.dimensions))


def decode_data_shape(shape: pb.DataShape) -> DataShape:
    """Decode a data shape.

    Raises:
        MalformedError: its kind is unknown.
    """
    if shape.base not in _SHAPES:
        raise MalformedError(f"{shape.base} is not a data shape")
    base = _SHAPES[shape.base]
    if not shape.HasField("tensor_shape"):
        return DataShape(base, shape.is_nullable)
    dimensions = shape.tensor_shape.dimensions
    names = tuple(dimension.name for dimension in dimensions)
    sizes = tuple(dimension.size for dimension in dimensions)
    return DataShape(base, shape.is_nullable, sizes, names if any(names) else None)


def _basic_type(number: int) -> BasicType:
    if number not in _BASIC_TYPES:
        raise MalformedError(f"{number} is not a basic type")
    return _BASIC_TYPES[number]


# -- writing ----------------------------------------------------------------------------------------------------------


def encode_node(name: str, inputs: tuple[Socket, ...], outputs: tuple[Socket, ...]) -> bytes:
    """Encode ``node.pb``."""
    node = pb.Node(name=name)
    node.shape.SetInParent()
    node.shape.inputs.extend(pb.Socket(port=socket.port, name=socket.name) for socket in inputs)
    node.shape.outputs.extend(pb.Socket(port=socket.port, name=socket.name) for socket in outputs)
    return _serialize(node)


def encode_model(model: ModelDef) -> bytes:
    """Encode ``model.pb``.

    Raises:
        MalformedError: protobuf cannot hold an attribute. The message names it.
    """
    return _serialize(_encode_model(model))


def _serialize(message: Any) -> bytes:
    try:
        return bytes(message.SerializeToString(deterministic=True))
    except EncodeError as error:
        raise MalformedError(f"protobuf cannot hold it: {error}") from None


def _encode_model(model: ModelDef) -> pb.Model:
    message = pb.Model(op=model.op)
    encode_attributes(model.attributes, message.attributes)
    return message


def encode_attributes(attributes: Mapping[str, Value], message: pb.Attributes) -> None:
    """Encode attributes into a message.

    Raises:
        MalformedError: protobuf cannot hold one. The message names it.
    """
    message.SetInParent()
    for name, value in attributes.items():
        entry = message.list.add(key=name)
        try:
            _encode_value(value, entry.value)
        except (MalformedError, ValueError, TypeError) as error:
            raise MalformedError(f"attribute {name!r}: {error}") from None


def _encode_value(value: Value, message: pb.Value) -> None:
    if value.shape == "tensor":
        message.t.CopyFrom(_encode_tensor(value.data))
        return
    if value.base == "list":
        raise MalformedError("protobuf cannot hold a list of lists; write JSON")
    if value.base is not None and value.base not in _FIELDS:
        raise MalformedError(f"attributes have no type {value.base!r}")
    if value.shape == "list":
        message.l.SetInParent()
        if value.base is not None:
            items = [_encode_element(value.base, item) for item in value.data]
            getattr(message.l, _FIELDS[value.base]).extend(items)
        return
    message.s.SetInParent()
    if value.base is None:
        return
    element = _encode_element(value.base, value.data)
    if value.base in ("tensor", "data_shape", "model"):
        getattr(message.s, _FIELDS[value.base]).CopyFrom(element)
    else:
        setattr(message.s, _FIELDS[value.base], element)


def _encode_element(member: str, data: Any) -> Any:
    if member == "tensor":
        return _encode_tensor(data)
    if member == "basic_type":
        return pb.UNDEFINED if data is None else _BASIC_NUMBERS[data]
    if member == "data_shape":
        return encode_data_shape(data)
    if member == "model":
        return _encode_model(data)
    return data


def _encode_tensor(tensor: Tensor) -> pb.Tensor:
    message = pb.Tensor(value=array_to_bytes(tensor.base, dense_values(tensor)))
    message.base = _basic_number(tensor.base)
    message.shape.SetInParent()
    message.shape.dimensions.extend(pb.TensorDimension(size=size) for size in tensor.dimensions)
    return message


def encode_data_shape(shape: DataShape) -> pb.DataShape:
    """The inverse of :func:`decode_data_shape`."""
    message = pb.DataShape(is_nullable=shape.nullable)
    message.base = _shape_number(shape.base)
    if shape.dimensions is not None:
        message.tensor_shape.SetInParent()
        names = shape.dimension_names if shape.dimension_names is not None else ("",) * len(shape.dimensions)
        message.tensor_shape.dimensions.extend(
            pb.TensorDimension(size=size, name=name) for size, name in zip(shape.dimensions, names, strict=True)
        )
    return message


def _basic_number(base: BasicType) -> Any:
    return _BASIC_NUMBERS[base]


def _shape_number(base: str) -> Any:
    return _SHAPE_NUMBERS[base]
