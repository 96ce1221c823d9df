"""Values that a caller gives in a record, as the generated functions compute with them: numbers, texts, lists, tensors.

A value of another type than declared raises :class:`UnusualRecordError`: the executor of batches knows its meaning.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from leapstream.bundle.tensor import NUMPY_DTYPES, Tensor
from leapstream.bundle.types import BasicType, DataType, ListType, MapType, ScalarType
from leapstream.executors.rowwise.runtime import UnusualRecordError
from leapstream.javalike.numbers import java_double

_BITS = {BasicType.BYTE: 8, BasicType.SHORT: 16, BasicType.INT: 32, BasicType.LONG: 64}


def converter(data_type: DataType) -> Callable[[Any], Any]:
    """The function that converts a value of a type other than a vector of doubles; the value is not missing."""
    if isinstance(data_type, ScalarType) and data_type.base is BasicType.STRING:
        return to_text
    element = _element_converter(data_type.base)
    if isinstance(data_type, ScalarType):
        return element
    if isinstance(data_type, ListType):
        return to_texts if data_type.base is BasicType.STRING else lambda value: to_list(value, element)
    if isinstance(data_type, MapType):
        key = _element_converter(data_type.key)
        return lambda value: to_map(value, key, element)
    base = data_type.base
    rank = 1 if data_type.dimensions is None else len(data_type.dimensions)
    return lambda value: to_tensor(value, base, rank, element)


def _element_converter(base: BasicType) -> Callable[[Any], Any]:
    if base in _BITS:
        bits = _BITS[base]
        least, greatest = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
        return lambda value: to_integer(value, least, greatest)
    return _CONVERTERS[base]


def to_double(value: Any) -> float:
    """Convert a number that is not a ``float`` to one."""
    if isinstance(value, (float, np.float32, np.float16)):
        return float(value)
    return float(to_integer(value, -(2**63), 2**63 - 1))


def to_float(value: Any) -> float:
    """A number of single precision, as the double of equal value."""
    double = to_double(value)
    if not abs(double) < 3.4e38:
        raise UnusualRecordError
    return float(np.float32(double))


def to_integer(value: Any, least: int, greatest: int) -> int:
    """A whole number within bounds, or a boolean."""
    if not isinstance(value, (int, np.integer)) or not least <= value <= greatest:
        raise UnusualRecordError
    return int(value)


def to_boolean(value: Any) -> bool:
    """A boolean."""
    if type(value) is not bool:
        raise UnusualRecordError
    return value


def to_text(value: Any) -> str:
    """A text; a number is given as Java writes it."""
    if type(value) is str:
        return to_whole_text(value)
    return java_double(float(value)) if isinstance(value, float) else str(to_integer(value, -(2**63), 2**63 - 1))


def to_whole_text(value: Any) -> str:
    """A text without half of a surrogate pair, which no array of texts holds."""
    if type(value) is not str:
        raise UnusualRecordError
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise UnusualRecordError from error
    return value


def to_bytes(value: Any) -> bytes:
    """A byte string."""
    if type(value) is not bytes:
        raise UnusualRecordError
    return value


_CONVERTERS: dict[BasicType, Callable[[Any], Any]] = {
    BasicType.BOOLEAN: to_boolean,
    BasicType.FLOAT: to_float,
    BasicType.DOUBLE: to_double,
    BasicType.STRING: to_whole_text,
    BasicType.BYTE_STRING: to_bytes,
}


def to_vector(value: Any) -> list[float]:
    """The numbers of a list or of an array of one dimension."""
    if isinstance(value, np.ndarray):
        if value.ndim != 1 or value.dtype != np.float64:
            raise UnusualRecordError
        listed: list[float] = value.tolist()
        return listed
    if not isinstance(value, (list, tuple)):
        raise UnusualRecordError
    return [x if type(x) is float else to_double(x) for x in value]


def to_list(value: Any, element: Callable[[Any], Any]) -> list[Any]:
    """The elements of a list, of which none is missing; an empty list may be a batch without rows."""
    if type(value) is not list or not value:
        raise UnusualRecordError
    return list(map(element, value))


def to_texts(value: Any) -> list[str | None]:
    """The texts of a list, of which some may be missing, but not the first: they may be rows."""
    if type(value) is not list or not value or value[0] is None:
        raise UnusualRecordError
    return [None if x is None else to_whole_text(x) for x in value]


def to_map(value: Any, key: Callable[[Any], Any], element: Callable[[Any], Any]) -> dict[Any, Any]:
    """The entries of a map."""
    if type(value) is not dict:
        raise UnusualRecordError
    return {key(k): None if x is None else element(x) for k, x in value.items()}


def to_tensor(value: Any, base: BasicType, rank: int, element: Callable[[Any], Any]) -> Tensor:
    """The tensor of a list of numbers, or of lists in lists; texts in a list may be rows."""
    if NUMPY_DTYPES[base] == np.dtype(object):
        raise UnusualRecordError
    dimensions: list[int] = []
    values = [value]
    while values and type(values[0]) is list:
        lengths = {len(x) if type(x) is list else -1 for x in values}
        if len(lengths) != 1:
            raise UnusualRecordError
        dimensions += lengths
        values = [y for x in values for y in x]
    if not values or len(dimensions) != rank:
        raise UnusualRecordError
    elements = np.array([element(x) for x in values], dtype=NUMPY_DTYPES[base])
    return Tensor(base, elements, tuple(dimensions))
