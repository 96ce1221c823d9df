"""The datatypes of the protocol's tensors, and the bytes of their elements: little-endian, texts after their lengths."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from leapstream.bundle.types import BasicType
from leapstream.serving.failures import RequestError

BYTES = "BYTES"
_LENGTH = struct.Struct("<I")


@dataclass(frozen=True)
class Datatype:
    """A datatype of numbers or booleans.

    Attributes:
        name: its name in the protocol.
        dtype: the NumPy type of its elements.
        elements: the classes that its elements have in JSON.
        one: reads and writes a single element.
    """

    name: str
    dtype: np.dtype[Any]
    elements: frozenset[type]
    one: struct.Struct | None = None

    @property
    def is_float(self) -> bool:
        """True for numbers with a fraction."""
        return self.name.startswith(("FP", "BF"))


_BOOLEANS: frozenset[type] = frozenset({bool, type(None)})
_INTEGERS: frozenset[type] = frozenset({int, type(None)})
_FLOATS = _INTEGERS | {float}

DATATYPES: Mapping[str, Datatype] = {
    kind.name: kind
    for kind in (
        Datatype("BOOL", np.dtype(np.bool_), _BOOLEANS, struct.Struct("<?")),
        Datatype("INT8", np.dtype("<i1"), _INTEGERS, struct.Struct("<b")),
        Datatype("INT16", np.dtype("<i2"), _INTEGERS, struct.Struct("<h")),
        Datatype("INT32", np.dtype("<i4"), _INTEGERS, struct.Struct("<i")),
        Datatype("INT64", np.dtype("<i8"), _INTEGERS, struct.Struct("<q")),
        Datatype("UINT8", np.dtype("<u1"), _INTEGERS, struct.Struct("<B")),
        Datatype("UINT16", np.dtype("<u2"), _INTEGERS, struct.Struct("<H")),
        Datatype("UINT32", np.dtype("<u4"), _INTEGERS, struct.Struct("<I")),
        Datatype("UINT64", np.dtype("<u8"), _INTEGERS, struct.Struct("<Q")),
        Datatype("FP16", np.dtype("<f2"), _FLOATS),
        Datatype("BF16", np.dtype("<u2"), _FLOATS),
        Datatype("FP32", np.dtype("<f4"), _FLOATS, struct.Struct("<f")),
        Datatype("FP64", np.dtype("<f8"), _FLOATS, struct.Struct("<d")),
    )
}
"""The datatypes of numbers and booleans, by name; there is also :data:`BYTES`."""

OF_BASE: Mapping[BasicType, str] = {
    BasicType.BOOLEAN: "BOOL",
    BasicType.BYTE: "INT8",
    BasicType.SHORT: "INT16",
    BasicType.INT: "INT32",
    BasicType.LONG: "INT64",
    BasicType.FLOAT: "FP32",
    BasicType.DOUBLE: "FP64",
    BasicType.STRING: BYTES,
    BasicType.BYTE_STRING: BYTES,
}
"""The datatype of each of MLeap's basic types."""


def read_elements(name: str, datatype: str, data: bytes, count: int) -> Sequence[Any] | npt.NDArray[Any]:
    """The elements of a tensor, from their bytes; the sequences of :data:`BYTES` are ``bytes``.

    Args:
        name: the tensor's, for messages.
        datatype: its datatype.
        data: the bytes.
        count: the number of elements that its shape asks for.

    Raises:
        RequestError: there is no such datatype, or the bytes are not those of so many elements.
    """
    kind = DATATYPES.get(datatype)
    if kind is None:
        if datatype != BYTES:
            raise unknown(name, datatype)
        return _read_texts(name, data, count)
    if len(data) != count * kind.dtype.itemsize:
        raise RequestError(
            f"tensor {name!r} has {len(data)} bytes, and {count} elements of {datatype} have {count * kind.dtype.itemsize}"
        )
    if count == 1 and kind.one is not None:
        return list(kind.one.unpack(data))
    array: npt.NDArray[Any] = np.frombuffer(data, kind.dtype)
    if datatype == "BF16":
        # The upper half of a float32.
        return (array.astype("<u4") << 16).view("<f4")
    return array.view(np.uint8) != 0 if datatype == "BOOL" else array


def _read_texts(name: str, data: bytes, count: int) -> list[bytes]:
    texts = []
    place, size = 0, len(data)
    while place + 4 <= size:
        (length,) = _LENGTH.unpack_from(data, place)
        place += 4 + length
        if place > size:
            break
        texts.append(bytes(data[place - length : place]))
    if place != size or len(texts) != count:
        raise RequestError(
            f"tensor {name!r} has {size} bytes that are not those of {count} elements of BYTES: each has its length before it, "
            "in 4 bytes, little-endian"
        )
    return texts


def write_elements(datatype: str, values: Iterable[Any]) -> bytes:
    """The bytes of a tensor's elements."""
    if datatype != BYTES:
        return np.asarray(values, DATATYPES[datatype].dtype).tobytes()
    parts: list[bytes] = []
    for value in values:
        text = value.encode() if isinstance(value, str) else value
        parts += (_LENGTH.pack(len(text)), text)
    return b"".join(parts)


def unknown(name: str, datatype: str) -> RequestError:
    """The error of a tensor whose datatype the protocol lacks."""
    return RequestError(f"tensor {name!r} has the datatype {datatype!r}; there are {', '.join(DATATYPES)}, BYTES")
