"""Decodes and encodes ``bundle.json``, ``node.json`` and ``model.json``."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from leapstream.bundle.definition import ModelDef, Socket, Value
from leapstream.bundle.elements import (
    array_from_json,
    array_to_json,
    checked_tensor,
    dense_values,
    from_json,
    to_json,
)
from leapstream.bundle.malformed import MalformedError, describe, fields_of, items_of, text_of
from leapstream.bundle.tensor import Tensor
from leapstream.bundle.types import BasicType, DataShape
from leapstream.bundle.values import list_of, scalar
from leapstream.bundle.values import tensor as tensor_value
from leapstream.errors import BundleError

_BASIC_MEMBERS = {str(base): base for base in BasicType if base not in (BasicType.BYTE, BasicType.SHORT)}
_SHAPES = ("scalar", "list", "tensor")


@dataclass(frozen=True)
class BundleInfo:
    """The contents of ``bundle.json``; ``format`` is ``json``, ``protobuf`` or, in old bundles, ``mixed``."""

    name: str
    uid: str
    version: str
    timestamp: str | None
    format: str
    meta: dict[str, Value]


# -- reading ----------------------------------------------------------------------------------------------------------


def decode_bundle(raw: Any) -> BundleInfo:
    """Decode ``bundle.json``; version and timestamp may be missing, as in bundles of old versions."""
    fields = fields_of(raw, "the bundle")
    written = text_of(fields.get("format"), "format")
    if written not in ("json", "protobuf", "mixed"):
        raise MalformedError(f"format is {describe(written)}, which is none of json, protobuf, mixed")
    return BundleInfo(
        name=text_of(fields.get("name"), "name"),
        uid=text_of(fields.get("uid", ""), "uid"),
        version=text_of(fields.get("version", ""), "version"),
        timestamp=text_of(fields.get("timestamp") or "", "timestamp") or None,
        format=written,
        meta=decode_attributes(fields.get("meta")),
    )


def decode_node(raw: Any) -> tuple[str, tuple[Socket, ...], tuple[Socket, ...]]:
    """Decode ``node.json``: the node's name, inputs and outputs."""
    fields = fields_of(raw, "the node")
    shape = fields_of(fields.get("shape") or {}, "shape")
    return text_of(fields.get("name"), "name"), _decode_sockets(shape, "inputs"), _decode_sockets(shape, "outputs")


def _decode_sockets(shape: dict[str, Any], side: str) -> tuple[Socket, ...]:
    sockets = []
    for item in items_of(shape.get(side) or [], side):
        fields = fields_of(item, f"one of the {side}")
        sockets.append(Socket(text_of(fields.get("port"), "port"), text_of(fields.get("name"), "name")))
    return tuple(sockets)


def decode_model(raw: Any) -> ModelDef:
    """Decode ``model.json``, or a model inside an attribute."""
    fields = fields_of(raw, "the model")
    return ModelDef(text_of(fields.get("op"), "op"), decode_attributes(fields.get("attributes")))


def decode_attributes(raw: Any) -> dict[str, Value]:
    """Decode the attributes by name, in the order of the file; null gives an empty dict."""
    attributes = {}
    for name, item in fields_of({} if raw is None else raw, "attributes").items():
        try:
            attributes[name] = _decode_value(fields_of(item, "its value"))
        except (MalformedError, BundleError, OverflowError) as error:
            raise MalformedError(f"attribute {name!r}: {error}") from None
    return attributes


def _decode_value(fields: dict[str, Any]) -> Value:
    if "type" in fields and "value" in fields:
        return _decode_typed(fields["type"], fields["value"])
    shape = fields.get("type")
    if shape is None:
        return _decode_scalar(fields)
    if shape == "list":
        return _decode_list(fields)
    if shape == "tensor":
        return tensor_value(_decode_tensor(fields))
    raise MalformedError(f"type is {describe(shape)}, which is neither list nor tensor")


def _decode_scalar(fields: dict[str, Any]) -> Value:
    found = []
    for member, decode in _DECODERS.items():
        if member not in fields or (member in _MESSAGES and fields[member] is None):
            continue
        value = scalar(member, decode(fields[member]))
        if value.base is not None:
            found.append(value)
    if len(found) > 1:
        raise MalformedError(f"a scalar sets {' and '.join(str(value.base) for value in found)} at once")
    return found[0] if found else Value("scalar", None, None)


def _decode_list(fields: dict[str, Any]) -> Value:
    found = []
    for member, decode in _DECODERS.items():
        items = items_of(fields.get(member, []), member)
        if items:
            base = _BASIC_MEMBERS.get(member)
            data = [decode(item) for item in items] if base is None else _attribute_array(base, items).tolist()
            found.append(list_of(member, data))
    if len(found) > 1:
        raise MalformedError(f"a list sets {' and '.join(str(value.base) for value in found)} at once")
    return found[0] if found else Value("list", None, [])


def _decode_tensor(raw: Any) -> Tensor:
    fields = fields_of(raw, "a tensor")
    bases = [base for base in BasicType if str(base) in fields]
    if len(bases) != 1:
        raise MalformedError(f"a tensor sets {len(bases)} types of values, not one")
    values = _attribute_array(bases[0], fields[str(bases[0])])
    return checked_tensor(bases[0], values, _decode_tensor_shape(fields.get("shape"))[0])


def _attribute_array(base: BasicType, raw: Any) -> npt.NDArray[Any]:
    """The elements of an attribute. MLeap reads numbers of JSON as decimal ones, which have no -0.0."""
    values = array_from_json(base, raw)
    return values + 0 if values.dtype.kind == "f" else values


def _decode_tensor_shape(raw: Any) -> tuple[tuple[int, ...], tuple[str, ...] | None]:
    """Sizes and names of a tensor's dimensions; ``None`` for names that are all empty."""
    sizes, names = [], []
    for item in items_of(fields_of(raw, "a tensor's shape").get("dimensions", []), "dimensions"):
        fields = fields_of(item, "a dimension")
        sizes.append(int(from_json(BasicType.INT, fields.get("size", 0))))
        names.append(text_of(fields.get("name") or "", "a dimension's name"))
    return tuple(sizes), tuple(names) if any(names) else None


def _decode_basic_type(raw: Any) -> BasicType | None:
    name = text_of(raw, "a basic type")
    if name == "unknown":
        return None
    try:
        return BasicType(name)
    except ValueError:
        raise MalformedError(f"{describe(name)} is not a basic type") from None


def _decode_data_shape(raw: Any) -> DataShape:
    fields = fields_of(raw, "a data shape")
    base = text_of(fields.get("base", "scalar"), "a data shape's base")
    if base not in _SHAPES:
        raise MalformedError(f"{describe(base)} is not a data shape")
    nullable = bool(from_json(BasicType.BOOLEAN, fields.get("isNullable", False)))
    if fields.get("tensorShape") is None:
        return DataShape(base, nullable)
    sizes, names = _decode_tensor_shape(fields["tensorShape"])
    return DataShape(base, nullable, sizes, names)


def _basic_decoder(base: BasicType) -> Callable[[Any], Any]:
    return lambda raw: from_json(base, raw)


_MESSAGES = ("tensor", "data_shape", "model")
_DECODERS: dict[str, Callable[[Any], Any]] = {
    **{name: _basic_decoder(base) for name, base in _BASIC_MEMBERS.items()},
    "tensor": _decode_tensor,
    "basic_type": _decode_basic_type,
    "data_shape": _decode_data_shape,
    "model": decode_model,
}


# -- attributes as MLeap up to 0.7 wrote them: {"type": …, "value": …} -------------------------------------------------


def _decode_typed(kind: Any, raw: Any) -> Value:
    if isinstance(kind, str):
        if kind == "data_type":
            return _decode_data_type(raw)
        base = _typed_basic(kind)
        return scalar(_member(base), from_json(base, raw))
    fields = fields_of(kind, "type")
    if fields.get("type") == "tensor":
        return tensor_value(_decode_typed_tensor(fields.get("tensor"), raw))
    if fields.get("type") == "list":
        return _decode_typed_list(fields.get("base"), items_of(raw, "value"))
    raise MalformedError(f"type is {describe(fields.get('type'))}, which is neither list nor tensor")


def _decode_typed_list(kind: Any, items: list[Any]) -> Value:
    if kind == "data_type":
        values = [_decode_data_type(item) for item in items]
        bases = {str(value.base) for value in values}
        if len(bases) > 1:
            raise MalformedError("a list of data types mixes basic types and shapes")
        return list_of(bases.pop(), [value.data for value in values]) if values else Value("list", None, [])
    if isinstance(kind, str):
        base = _typed_basic(kind)
        return list_of(_member(base), array_from_json(base, items).tolist())
    fields = fields_of(kind, "a list's base")
    if fields.get("type") == "tensor":
        return list_of("tensor", [_decode_typed_tensor(fields.get("tensor"), item) for item in items])
    if fields.get("type") == "list":
        inner = [_decode_typed_list(fields.get("base"), items_of(item, "a list in a list")) for item in items]
        return Value("list", "list", inner) if inner else Value("list", None, [])
    raise MalformedError(f"a list's base is {describe(fields.get('type'))}, which is neither list nor tensor")


def _decode_typed_tensor(kind: Any, raw: Any) -> Tensor:
    declared = fields_of(kind, "a tensor's type")
    base = _typed_basic(text_of(declared.get("base"), "a tensor's base"))
    if isinstance(raw, list):
        values = array_from_json(base, raw)
        sizes = [int(from_json(BasicType.INT, n)) for n in items_of(declared.get("dimensions", [-1]), "dimensions")]
        if sizes.count(-1) == 1:
            known = math.prod(n for n in sizes if n != -1)
            sizes = [len(values) // known if n == -1 and known > 0 else n for n in sizes]
        return checked_tensor(base, values, tuple(sizes))
    return decode_leap_tensor(base, raw)


def _decode_data_type(raw: Any) -> Value:
    if isinstance(raw, str):
        return scalar("basic_type", _decode_basic_type(raw))
    fields = fields_of(raw, "a data type")
    if fields.get("type") == "list":
        return scalar("data_shape", DataShape("list", nullable=False))
    if fields.get("type") == "tensor":
        sizes = items_of(fields_of(fields.get("tensor"), "tensor").get("dimensions") or [], "dimensions")
        return scalar("data_shape", DataShape("tensor", False, tuple(int(from_json(BasicType.INT, n)) for n in sizes)))
    raise MalformedError(f"{describe(fields.get('type'))} is not a data type")


def _typed_basic(name: str) -> BasicType:
    try:
        return BasicType(name)
    except ValueError:
        raise MalformedError(f"{describe(name)} is not a basic type") from None


def _member(base: BasicType) -> str:
    """The member that stores a basic type; bytes and shorts are stored as ints."""
    return "int" if base in (BasicType.BYTE, BasicType.SHORT) else str(base)


# -- tensors of leap frames, and of old bundles -----------------------------------------------------------------------


def decode_leap_tensor(base: BasicType, raw: Any) -> Tensor:
    """Decode ``{"values", "dimensions"}``, with ``"indices"`` when sparse."""
    fields = fields_of(raw, "a tensor")
    values = array_from_json(base, fields.get("values"))
    dimensions = tuple(array_from_json(BasicType.INT, fields.get("dimensions")).tolist())
    if fields.get("indices") is None:
        return checked_tensor(base, values, dimensions)
    rows = items_of(fields["indices"], "indices")
    if any(len(items_of(row, "an index")) != len(dimensions) for row in rows):
        raise MalformedError(f"a sparse tensor of {len(dimensions)} dimensions has an index of another length")
    flat = array_from_json(BasicType.INT, [position for row in rows for position in row])
    return checked_tensor(base, values, dimensions, flat.astype(np.int32).reshape(len(rows), len(dimensions)))


def encode_leap_tensor(tensor: Tensor) -> dict[str, Any]:
    """The inverse of :func:`decode_leap_tensor`; NaN and infinities become null."""
    fields: dict[str, Any] = {}
    if tensor.indices is not None:
        fields["indices"] = tensor.indices.tolist()
    fields["values"] = array_to_json(tensor.base, tensor.values, infinity_as_null=True)
    fields["dimensions"] = list(tensor.dimensions)
    return fields


# -- writing ----------------------------------------------------------------------------------------------------------


def encode_bundle(info: BundleInfo) -> dict[str, Any]:
    """Encode ``bundle.json``; a missing timestamp is written as an empty string, because MLeap requires the field."""
    fields: dict[str, Any] = {
        "uid": info.uid,
        "name": info.name,
        "format": info.format,
        "version": info.version,
        "timestamp": info.timestamp or "",
    }
    if info.meta:
        fields["meta"] = encode_attributes(info.meta)
    return fields


def encode_node(name: str, inputs: tuple[Socket, ...], outputs: tuple[Socket, ...]) -> dict[str, Any]:
    """Encode ``node.json``."""
    sides = {"inputs": inputs, "outputs": outputs}
    shape = {side: [{"port": s.port, "name": s.name} for s in sockets] for side, sockets in sides.items()}
    return {"name": name, "shape": shape}


def encode_model(model: ModelDef) -> dict[str, Any]:
    """Encode ``model.json``, or a model inside an attribute.

    Raises:
        MalformedError: JSON cannot hold an attribute. The message names it.
    """
    return {"op": model.op, "attributes": encode_attributes(model.attributes)}


def encode_attributes(attributes: dict[str, Value]) -> dict[str, Any]:
    """Encode attributes by name."""
    encoded = {}
    for name, value in attributes.items():
        try:
            encoded[name] = _encode_value(value)
        except MalformedError as error:
            raise MalformedError(f"attribute {name!r}: {error}") from None
    return encoded


def _encode_value(value: Value) -> dict[str, Any]:
    if value.shape == "tensor":
        return {"type": "tensor", **_encode_tensor(value.data)}
    if value.shape == "scalar":
        return {} if value.base is None else {value.base: _encode_element(value.base, value.data)}
    if value.base is None:
        return {"type": "list"}
    if value.base == "list":
        kind, items = _encode_typed_list(value)
        return {"type": kind, "value": items}
    base = _BASIC_MEMBERS.get(value.base)
    if base is not None:
        return {"type": "list", value.base: array_to_json(base, value.data, infinity_as_null=False)}
    return {"type": "list", value.base: [_encode_element(value.base, item) for item in value.data]}


def _encode_element(member: str, data: Any) -> Any:
    base = _BASIC_MEMBERS.get(member)
    if base is not None:
        return to_json(base, data, infinity_as_null=False)
    if member == "tensor":
        return _encode_tensor(data)
    if member == "basic_type":
        return "unknown" if data is None else str(data)
    if member == "data_shape":
        return _encode_data_shape(data)
    if member == "model":
        return encode_model(data)
    raise MalformedError(f"attributes have no type {member!r}")


def _encode_tensor(tensor: Tensor) -> dict[str, Any]:
    values = array_to_json(tensor.base, dense_values(tensor), infinity_as_null=False)
    return {str(tensor.base): values, "shape": _encode_tensor_shape(tensor.dimensions, None)}


def _encode_tensor_shape(sizes: tuple[int, ...], names: tuple[str, ...] | None) -> dict[str, Any]:
    named = names if names is not None and len(names) == len(sizes) else ("",) * len(sizes)
    return {"dimensions": [{"size": size, "name": name} for size, name in zip(sizes, named, strict=True)]}


def _encode_data_shape(shape: DataShape) -> dict[str, Any]:
    fields: dict[str, Any] = {"base": shape.base, "isNullable": shape.nullable}
    if shape.dimensions is not None:
        fields["tensorShape"] = _encode_tensor_shape(shape.dimensions, shape.dimension_names)
    return fields


def _encode_typed_list(value: Value) -> tuple[dict[str, Any], list[Any]]:
    """Encode a list as MLeap up to 0.7 did, as its type and its items. Only that format can nest lists."""
    if value.base == "list":
        inner = [_encode_typed_list(item) for item in value.data]
        # An empty list has no type; it takes that of another list.
        kinds = [kind for kind, items in inner if items] or [inner[0][0]]
        if any(kind != kinds[0] for kind in kinds):
            raise MalformedError("a list of lists mixes types")
        return {"type": "list", "base": kinds[0]}, [items for _, items in inner]
    if value.base is None:
        return {"type": "list", "base": "double"}, []
    base = _BASIC_MEMBERS.get(value.base)
    if base is None:
        raise MalformedError(f"a list of lists cannot hold {value.base} in any format")
    return {"type": "list", "base": str(base)}, array_to_json(base, value.data, infinity_as_null=False)


def dump(value: Any) -> bytes:
    """Encode JSON in MLeap's layout: objects over several lines, arrays of plain values on one."""
    return _pretty(value, "\n").encode("utf-8")


def _pretty(value: Any, newline: str) -> str:
    deeper = newline + "  "
    if isinstance(value, dict) and value:
        lines = (f"{json.dumps(name, ensure_ascii=False)}: {_pretty(item, deeper)}" for name, item in value.items())
        return "{" + deeper + ("," + deeper).join(lines) + newline + "}"
    if isinstance(value, list) and value and any(isinstance(item, dict | list) for item in value):
        return "[" + ", ".join(_pretty(item, newline) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
