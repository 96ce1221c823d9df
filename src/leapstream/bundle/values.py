"""Functions that make attribute values and read them, with the rules of protobuf (and so of MLeap's JVM runtime).

In protobuf a scalar or a list is a message with one member per type. A member that is not set reads as its type's default,
and a scalar that equals its type's default is not written. These functions follow both rules, so that a definition does not
depend on the format it was read from: a default always has ``base`` ``None``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from leapstream.bundle.definition import ModelDef, Value
from leapstream.bundle.tensor import Tensor
from leapstream.bundle.types import BasicType, DataShape
from leapstream.errors import BundleError

INT_RANGES: dict[str, tuple[int, int]] = {"int": (-(2**31), 2**31 - 1), "long": (-(2**63), 2**63 - 1)}

_DEFAULTS: dict[str, Any] = {
    "boolean": False,
    "int": 0,
    "long": 0,
    "float": 0.0,
    "double": 0.0,
    "string": "",
    "byte_string": b"",
    "tensor": None,
    "basic_type": None,
    "data_shape": None,
    "model": None,
}

_CLASSES: dict[str, tuple[type, ...]] = {
    "boolean": (bool, np.bool_),
    "int": (int, np.integer),
    "long": (int, np.integer),
    "float": (float, int, np.floating, np.integer),
    "double": (float, int, np.floating, np.integer),
    "string": (str,),
    "byte_string": (bytes, bytearray, memoryview),
    "tensor": (Tensor,),
    "basic_type": (BasicType,),
    "data_shape": (DataShape,),
    "model": (ModelDef,),
}


def single_precision(number: float) -> float:
    """The nearest float32, as a Python float; a number out of range gives an infinity, as a cast in Java does."""
    with np.errstate(over="ignore", under="ignore"):
        return float(np.float32(number))


def element(base: str, data: Any) -> Any:
    """``data`` as the plain Python object that a :class:`Value` of ``base`` holds.

    Raises:
        BundleError: ``base`` is not a member of an attribute, or ``data`` is not of its type or range.
    """
    if base not in _CLASSES:
        raise BundleError(f"attributes have no type {base!r}; known: {', '.join(_CLASSES)}")
    if base == "basic_type" and data is None:
        return None
    if not isinstance(data, _CLASSES[base]) or (base != "boolean" and isinstance(data, bool | np.bool_)):
        raise BundleError(f"an attribute of type {base} cannot hold {data!r}")
    plain: Any = data
    if base in INT_RANGES:
        low, high = INT_RANGES[base]
        if not low <= plain <= high:
            raise BundleError(f"{plain} does not fit into an attribute of type {base}")
        return int(plain)
    if base == "double":
        return float(plain)
    if base == "float":
        return single_precision(float(plain))
    if base == "boolean":
        return bool(plain)
    if base == "byte_string":
        return bytes(plain)
    return plain


def scalar(base: str, data: Any) -> Value:
    """A scalar of ``base`` (``"double"``, ``"string"``, ``"data_shape"``, …); the type's default gets ``base=None``.

    Raises:
        BundleError: ``data`` is not of the type or range of ``base``.
    """
    plain = element(base, data)
    if base not in ("tensor", "data_shape", "model") and plain == _DEFAULTS[base]:
        return Value("scalar", None, None)
    return Value("scalar", base, plain)


def list_of(base: str, data: Iterable[Any]) -> Value:
    """A list of ``base``; an empty one gets ``base=None``.

    Raises:
        BundleError: an element is not of the type or range of ``base``.
    """
    plain = [element(base, item) for item in data]
    return Value("list", base, plain) if plain else Value("list", None, [])


def tensor(value: Tensor) -> Value:
    """A tensor attribute."""
    return Value("tensor", "tensor", value)


def get_scalar(value: Value, base: str) -> Any:
    """The member ``base`` of a scalar, or the type's default if that member is not set.

    The default is ``False``, 0, 0.0, ``""``, ``b""``, and ``None`` for tensor, basic type, data shape and model.
    """
    return value.data if value.shape == "scalar" and value.base == base else _DEFAULTS[base]


def get_list(value: Value, base: str) -> list[Any]:
    """The member ``base`` of a list, as a new list; it is empty if that member is not set."""
    return list(value.data) if value.shape == "list" and value.base == base else []


def get_tensor(value: Value) -> Tensor | None:
    """The tensor of a tensor attribute; ``None`` for any other shape."""
    return value.data if value.shape == "tensor" else None
