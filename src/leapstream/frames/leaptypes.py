"""Leap types of samples: the type of a value of Python, of a NumPy array and of an Arrow array, decided here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from leapstream.bundle.tensor import NUMPY_DTYPES
from leapstream.bundle.types import BasicType, DataType, ListType, MapType, ScalarType, TensorType
from leapstream.errors import SchemaError
from leapstream.executors.columns import ARROW_TYPES, CodedColumn
from leapstream.executors.sparse import is_csr

NUMPY_BASES: dict[np.dtype[Any], BasicType] = {
    **{dtype: base for base, dtype in NUMPY_DTYPES.items() if dtype.kind != "O"},
    np.dtype(np.uint8): BasicType.SHORT,
    np.dtype(np.uint16): BasicType.INT,
    np.dtype(np.uint32): BasicType.LONG,
    np.dtype(np.uint64): BasicType.LONG,
    np.dtype(np.float16): BasicType.FLOAT,
}
"""Basic types of NumPy's dtypes. A dtype that has no basic type of its own has the smallest one that holds its values."""

ARROW_BASES: dict[pa.DataType, BasicType] = {
    **{arrow: base for base, arrow in ARROW_TYPES.items()},
    pa.uint8(): BasicType.SHORT,
    pa.uint16(): BasicType.INT,
    pa.uint32(): BasicType.LONG,
    pa.uint64(): BasicType.LONG,
    pa.float16(): BasicType.FLOAT,
}
"""Basic types of Arrow's types, by the same rule."""

_PYTHON_BASES: tuple[tuple[type, BasicType], ...] = (
    (bool, BasicType.BOOLEAN),
    (int, BasicType.LONG),
    (str, BasicType.STRING),
    (bytes, BasicType.BYTE_STRING),
    (Decimal, BasicType.DOUBLE),
)
"""Basic types of Python's classes; a subclass has the type of the first class that it belongs to."""


@lru_cache(maxsize=1024)
def basic_type_of(kind: type) -> BasicType | None:
    """The basic type of the values of a class; ``None`` where they have none."""
    if issubclass(kind, np.generic) and (base := NUMPY_BASES.get(np.dtype(kind))) is not None:
        return base
    if issubclass(kind, np.floating):
        return None
    if issubclass(kind, float):
        return BasicType.DOUBLE
    return next((base for python, base in _PYTHON_BASES if issubclass(kind, python)), None)


def is_missing(value: Any) -> bool:
    """True if a value stands for a missing one: ``None``, NumPy's ``masked``, and pandas' ``NA`` and ``NaT``."""
    return value is None or value is np.ma.masked or type(value).__name__ in ("NAType", "NaTType")


def basic_types_of(name: str, classes: Iterable[type]) -> set[BasicType]:
    """The basic types of a column's values, by their classes; missing values have none.

    Raises:
        SchemaError: the values of a class have no basic type.
    """
    found = set()
    for kind in classes:
        base = basic_type_of(kind)
        if base is not None:
            found.add(base)
        elif kind is not type(None):
            raise SchemaError(f"column {name!r}: a value of type {kind.__name__} has no leap type")
    return found


def leap_type_of(name: str, array: Any) -> DataType:
    """The leap type of a column.

    Args:
        name: the column, for messages.
        array: a NumPy array of rows, a ``csr_array`` of vectors, or an Arrow array. A NumPy array of more than one dimension
            holds a tensor per row.

    Raises:
        SchemaError: its values have no leap type.
    """
    if isinstance(array, CodedColumn):
        return ScalarType(BasicType.STRING, array.has_missing())
    if is_csr(array):
        return TensorType(BasicType.DOUBLE, array.shape[1:], False)
    if isinstance(array, np.ndarray):
        base = NUMPY_BASES.get(array.dtype)
        if base is None:
            raise SchemaError(f"column {name!r}: dtype {array.dtype} has no leap type")
        return ScalarType(base, False) if array.ndim == 1 else TensorType(base, array.shape[1:], False)
    kind = array.type
    nullable = array.null_count > 0
    if kind in ARROW_BASES:
        return ScalarType(ARROW_BASES[kind], nullable)
    if pa.types.is_list(kind) and kind.value_type in ARROW_BASES:
        return ListType(ARROW_BASES[kind.value_type], nullable)
    if pa.types.is_map(kind) and kind.key_type in ARROW_BASES and kind.item_type in ARROW_BASES:
        return MapType(ARROW_BASES[kind.key_type], ARROW_BASES[kind.item_type], nullable)
    raise SchemaError(f"column {name!r}: Arrow type {kind} has no leap type")


def sample_type_of(name: str, values: Any) -> DataType:
    """The leap type of a column of a sample; whole numbers and fractions beside each other are doubles.

    Args:
        name: the column, for messages.
        values: a NumPy array, or anything that NumPy makes an array of: a list, a Series of pandas or polars. Missing values
            are ``None`` or NaN. A column of objects without any value is one of strings.

    Raises:
        SchemaError: its values have no leap type, or are neither numbers nor texts alone.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "OUS":
        return leap_type_of(name, array)
    if array.ndim != 1:
        raise SchemaError(f"column {name!r} has {array.ndim} dimensions, of type {array.dtype}")
    found = basic_types_of(name, {type(value) for value in array.tolist() if not is_nan(value)})
    if found <= {BasicType.STRING}:
        return ScalarType(BasicType.STRING)
    if found & {BasicType.STRING, BasicType.BYTE_STRING}:
        raise SchemaError(f"column {name!r} holds neither numbers nor texts alone, but {', '.join(sorted(found))}")
    return ScalarType(found.pop() if len(found) == 1 else BasicType.DOUBLE)


def is_nan(value: Any) -> bool:
    """True if a value is the number NaN."""
    return isinstance(value, (float, np.floating)) and bool(value != value)


def arrow_type_of(data_type: DataType) -> pa.DataType:
    """The Arrow type that holds the values of a leap type; a tensor is the list of its elements."""
    base = ARROW_TYPES[data_type.base]
    if isinstance(data_type, MapType):
        return pa.map_(ARROW_TYPES[data_type.key], base)
    return base if isinstance(data_type, ScalarType) else pa.list_(base)
