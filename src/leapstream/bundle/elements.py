"""Converts values of MLeap's basic types from and to JSON and big-endian bytes, one by one or as whole arrays."""

from __future__ import annotations

import base64
import binascii
import math
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from leapstream.bundle.malformed import MalformedError, describe
from leapstream.bundle.tensor import NUMPY_DTYPES, Tensor
from leapstream.bundle.types import BasicType
from leapstream.bundle.values import single_precision

INTEGERS: dict[BasicType, tuple[int, int]] = {
    BasicType.BYTE: (-(2**7), 2**7 - 1),
    BasicType.SHORT: (-(2**15), 2**15 - 1),
    BasicType.INT: (-(2**31), 2**31 - 1),
    BasicType.LONG: (-(2**63), 2**63 - 1),
}
_MOST_DIMENSIONS = 32
_MOST_ELEMENTS = 1 << 40
FLOATS = (BasicType.FLOAT, BasicType.DOUBLE)
TEXTS = (BasicType.STRING, BasicType.BYTE_STRING)


def from_json(base: BasicType, raw: Any) -> Any:
    """Convert one JSON value. Null gives NaN for float and double, as in MLeap's JVM reader.

    Raises:
        MalformedError: the value has another JSON type, is out of the type's range, or is null for another type.
    """
    kind = type(raw)
    if base in FLOATS:
        if raw is None:
            return math.nan
        if kind is float or kind is int:
            number = float(raw)
            return number if base is BasicType.DOUBLE else single_precision(number)
    elif base in INTEGERS:
        if kind is float and raw.is_integer():
            raw, kind = int(raw), int
        if kind is int:
            low, high = INTEGERS[base]
            if not low <= raw <= high:
                raise MalformedError(f"{describe(raw)} does not fit into {base}")
            return raw
    elif base is BasicType.BOOLEAN:
        if kind is bool:
            return raw
    elif kind is str:
        return raw if base is BasicType.STRING else _from_base64(raw)
    raise MalformedError(f"expected {base}, got {describe(raw)}")


def array_from_json(base: BasicType, raw: Any) -> npt.NDArray[Any]:
    """Convert a JSON array to a 1-D array of the type's dtype; null is converted as in :func:`from_json`.

    Raises:
        MalformedError: ``raw`` is not an array, or an element is of another type or out of range.
    """
    if not isinstance(raw, list):
        raise MalformedError(f"expected an array of {base}, got {describe(raw)}")
    kinds = set(map(type, raw))
    if base in FLOATS and kinds <= {float, int, type(None)}:
        numbers = [math.nan if item is None else item for item in raw] if type(None) in kinds else raw
        array = np.array(numbers, dtype=np.float64)
        with np.errstate(over="ignore", under="ignore"):
            return array.astype(NUMPY_DTYPES[base])
    if base is BasicType.LONG and kinds <= {int}:
        return np.array(raw, dtype=np.int64)
    array = np.empty(len(raw), dtype=NUMPY_DTYPES[base])
    array[:] = [from_json(base, item) for item in raw]
    return array


def to_json(base: BasicType, value: Any, *, infinity_as_null: bool) -> Any:
    """Convert one value for JSON: NaN to null, bytes to base64, a float to its shortest decimal.

    Raises:
        MalformedError: the value is infinite, which JSON cannot hold, and ``infinity_as_null`` is false.
    """
    if base in FLOATS:
        number = float(value)
        if math.isfinite(number):
            return number if base is BasicType.DOUBLE else shortest(number)
        if math.isinf(number) and not infinity_as_null:
            raise MalformedError("JSON cannot hold Infinity; write protobuf")
        return None
    if base in INTEGERS:
        return int(value)
    if base is BasicType.BOOLEAN:
        return bool(value)
    return value if base is BasicType.STRING else base64.b64encode(value).decode("ascii")


def array_to_json(base: BasicType, values: Sequence[Any] | npt.NDArray[Any], *, infinity_as_null: bool) -> list[Any]:
    """Convert values for a JSON array, each as :func:`to_json` does."""
    items: list[Any] = values.tolist() if isinstance(values, np.ndarray) else list(values)
    if base is BasicType.DOUBLE and np.isfinite(np.asarray(values, dtype=np.float64)).all():
        return items
    if base in INTEGERS or base in (BasicType.BOOLEAN, BasicType.STRING):
        return items
    return [to_json(base, item, infinity_as_null=infinity_as_null) for item in items]


def plain(base: BasicType, value: Any) -> Any:
    """Convert a caller's value to plain Python: ``bool``, ``int``, ``float``, ``str`` or ``bytes``.

    Raises:
        MalformedError: the value is of another type or out of the type's range.
    """
    if isinstance(value, np.generic):
        value = value.item()
    kind = type(value)
    if base in FLOATS:
        if kind is float or kind is int:
            return float(value)
    elif base in INTEGERS:
        low, high = INTEGERS[base]
        if kind is int and low <= value <= high:
            return value
    elif base is BasicType.BOOLEAN:
        if kind is bool:
            return value
    elif base is BasicType.STRING:
        if isinstance(value, str):
            return value
    elif isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    raise MalformedError(f"expected {base}, got {value!r}")


def plain_items(base: BasicType, values: Any, holes: bool = False) -> list[Any]:
    """Convert a caller's list, tuple or 1-D array to a list of :func:`plain` values, and of ``None`` if there may be ``holes``.

    Raises:
        MalformedError: ``values`` is of another type, or an element is.
    """
    if isinstance(values, np.ndarray):
        values = values.tolist()
    if not isinstance(values, list | tuple):
        raise MalformedError(f"expected a list of {base}, got {values!r}")
    return [None if holes and value is None else plain(base, value) for value in values]


def plain_tensor(base: BasicType, value: Any) -> Tensor:
    """Check a caller's tensor: its base, and that its parts fit together.

    Raises:
        MalformedError: not a tensor, of another base, or its values do not fill its dimensions.
    """
    if not isinstance(value, Tensor):
        raise MalformedError(f"expected a tensor of {base}, got {value!r}")
    if value.base is not base:
        raise MalformedError(f"expected a tensor of {base}, got a tensor of {value.base}")
    return checked_tensor(base, value.values, value.dimensions, value.indices)


def array_from_bytes(base: BasicType, data: bytes) -> npt.NDArray[Any]:
    """Decode a tensor's elements from big-endian bytes; an int32 length precedes each string and byte string.

    Raises:
        MalformedError: the bytes end inside an element.
    """
    return view_of_bytes(base, data).astype(NUMPY_DTYPES[base])


def view_of_bytes(base: BasicType, data: bytes) -> npt.NDArray[Any]:
    """Like :func:`array_from_bytes`, but numbers stay big-endian, so that nothing is copied.

    Raises:
        MalformedError: the bytes end inside an element.
    """
    if base in TEXTS:
        return _texts_from_bytes(base, data)
    if base is BasicType.BOOLEAN:
        return np.asarray(np.frombuffer(data, dtype=np.uint8) == 1)
    dtype = NUMPY_DTYPES[base]
    if len(data) % dtype.itemsize:
        raise MalformedError(f"{len(data)} bytes are not a whole number of elements of type {base}")
    return np.frombuffer(data, dtype=dtype.newbyteorder(">"))


def array_to_bytes(base: BasicType, values: npt.NDArray[Any]) -> bytes:
    """The inverse of :func:`array_from_bytes`."""
    if base in TEXTS:
        parts = [item.encode("utf-8") if base is BasicType.STRING else bytes(item) for item in values.tolist()]
        return b"".join(struct.pack(">i", len(part)) + part for part in parts)
    return values.astype(NUMPY_DTYPES[base].newbyteorder(">")).tobytes()


def checked_tensor(
    base: BasicType,
    values: npt.NDArray[Any],
    dimensions: tuple[int, ...],
    indices: npt.NDArray[np.int32] | None = None,
) -> Tensor:
    """Make a tensor after checking that its parts fit together.

    Raises:
        MalformedError: a dimension is negative, the number of values does not match the dimensions, or an index is out of
            bounds.
    """
    if any(size < 0 for size in dimensions):
        raise MalformedError(f"a tensor has negative dimensions, {list(dimensions)}")
    if len(dimensions) > _MOST_DIMENSIONS:
        raise MalformedError(f"a tensor has {len(dimensions)} dimensions, and at most {_MOST_DIMENSIONS} are supported")
    # NumPy has no array of such sizes, even if it has no elements.
    if indices is None and math.prod(max(size, 1) for size in dimensions) > _MOST_ELEMENTS:
        raise MalformedError(f"a tensor of dimensions {list(dimensions)} is too large")
    if indices is None:
        if math.prod(dimensions) != len(values):
            raise MalformedError(f"a tensor of dimensions {list(dimensions)} has {len(values)} values")
    else:
        if indices.shape != (len(values), len(dimensions)):
            raise MalformedError(
                f"a sparse tensor of {len(dimensions)} dimensions and {len(values)} values has indices of shape "
                f"{list(indices.shape)}"
            )
        if len(values) and ((indices < 0).any() or (indices >= np.array(dimensions, dtype=np.int64)).any()):
            raise MalformedError(f"a sparse tensor of dimensions {list(dimensions)} has an index out of bounds")
    return Tensor(base, values, dimensions, indices)


def dense_values(tensor: Tensor) -> npt.NDArray[Any]:
    """All elements of a tensor in row-major order; elements that a sparse tensor does not store are 0, false or empty.

    Raises:
        MalformedError: the tensor's values do not fill its dimensions.
    """
    if tensor.indices is None:
        if math.prod(tensor.dimensions) != len(tensor.values):
            raise MalformedError(f"a tensor of dimensions {list(tensor.dimensions)} has {len(tensor.values)} values")
        return tensor.values
    array = tensor.to_dense().reshape(-1)
    if tensor.base in TEXTS:
        empty: Any = "" if tensor.base is BasicType.STRING else b""
        array = np.array([empty if item is None else item for item in array.tolist()], dtype=object)
    return array


def shortest(number: float) -> float:
    """The double whose decimal form is the shortest that gives ``number`` as float32: JSON shows 0.1, not 0.10000000149."""
    with np.errstate(over="ignore", under="ignore"):
        return float(str(np.float32(number)))


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedError(f"{describe(text)} is not base64") from None


def _texts_from_bytes(base: BasicType, data: bytes) -> npt.NDArray[Any]:
    items: list[Any] = []
    position = 0
    while position < len(data):
        if len(data) - position < 4:
            raise MalformedError(f"the bytes of a tensor of {base} end inside a length")
        (length,) = struct.unpack_from(">i", data, position)
        position += 4
        if not 0 <= length <= len(data) - position:
            raise MalformedError(f"the bytes of a tensor of {base} end inside an element")
        part = data[position : position + length]
        items.append(part.decode("utf-8") if base is BasicType.STRING else part)
        position += length
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array
