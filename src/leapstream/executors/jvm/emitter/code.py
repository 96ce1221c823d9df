"""Java's types and literals for leap types and values, and the bytes of the resource from which a class reads its numbers."""

from __future__ import annotations

import json
import math
import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from leapstream.bundle.types import BasicType, DataType, ListType, ScalarType, TensorType
from leapstream.executors.jvm.sources import KERNELS

LETTERS: dict[BasicType, str] = {
    BasicType.BOOLEAN: "z",
    BasicType.BYTE: "b",
    BasicType.SHORT: "s",
    BasicType.INT: "i",
    BasicType.LONG: "l",
    BasicType.FLOAT: "f",
    BasicType.DOUBLE: "d",
    BasicType.STRING: "t",
    BasicType.BYTE_STRING: "x",
}


BOXES = {
    "boolean": "Boolean",
    "byte": "Byte",
    "short": "Short",
    "int": "Integer",
    "long": "Long",
    "float": "Float",
    "double": "Double",
}


_SCALARS = {base: base.value for base in BasicType} | {BasicType.STRING: "String", BasicType.BYTE_STRING: "byte[]"}


TEXTS = (BasicType.STRING, BasicType.BYTE_STRING)


def java_type(data_type: DataType) -> str:
    """The Java type that holds values of a leap type."""
    if isinstance(data_type, ScalarType):
        return _SCALARS[data_type.base]
    if isinstance(data_type, TensorType):
        return f"{KERNELS}.{'ObjectTensor' if holds_objects(data_type) else 'Vec'}"
    return "Object[]" if isinstance(data_type, ListType) else "java.util.Map"


def holds_objects(data_type: DataType) -> bool:
    """True if Java represents tensors of a type as boxed objects, because a double cannot hold their elements."""
    return data_type.base in (*TEXTS, BasicType.LONG)


def is_primitive(data_type: DataType) -> bool:
    """True if Java represents a type as one of its primitive types."""
    return isinstance(data_type, ScalarType) and data_type.base not in TEXTS


def unboxed(value: str, java: str) -> str:
    """The boxed value ``value`` as a Java type."""
    return f"(({BOXES[java]}) {value}).{java}Value()" if java in BOXES else f"({java}) {value}"


def double_literal(value: float) -> str:
    """A literal."""
    if math.isnan(value):
        return "Double.NaN"
    if math.isinf(value):
        return "Double.POSITIVE_INFINITY" if value > 0 else "Double.NEGATIVE_INFINITY"
    return repr(float(value))


def boolean_literal(value: bool) -> str:
    """A literal."""
    return "true" if value else "false"


def text_literal(value: str) -> str:
    """A literal; JSON's escapes are Java's."""
    return json.dumps(value)


# ---- data -------------------------------------------------------------------------------------------------------------


def count_bytes(items: Any) -> bytes:
    """The number of items."""
    return struct.pack(">i", len(items))


def double_bytes(values: npt.NDArray[Any]) -> bytes:
    """An array of doubles after its length."""
    flat = np.ascontiguousarray(values).reshape(-1)
    return count_bytes(flat) + flat.astype(">f8").tobytes()


def int_bytes(values: npt.NDArray[Any]) -> bytes:
    """An array of ints after its length."""
    return count_bytes(values) + values.astype(">i4").tobytes()


def float_bytes(values: npt.NDArray[Any]) -> bytes:
    """An array of floats after its length."""
    flat = np.ascontiguousarray(values).reshape(-1)
    return count_bytes(flat) + flat.astype(">f4").tobytes()


def text_bytes(text: str | None) -> bytes:
    """A string in UTF-16 after its length, or -1."""
    if text is None:
        return struct.pack(">i", -1)
    # Pairs of surrogates that stand alone are Java strings too.
    data = text.encode("utf-16-be", "surrogatepass")
    return struct.pack(">i", len(data) // 2) + data


def label_bytes(labels: tuple[str, ...]) -> bytes:
    """Strings after their number."""
    return count_bytes(labels) + b"".join(map(text_bytes, labels))
