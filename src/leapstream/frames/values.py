"""Columns of Python's values: each value is converted from its own type to the declared one, whatever its neighbours are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from leapstream.bundle.tensor import NUMPY_DTYPES
from leapstream.bundle.types import BasicType, DataType, MapType, ScalarType
from leapstream.errors import SchemaError
from leapstream.executors.columns import ARROW_TYPES
from leapstream.executors.texts import text_array, texts_of
from leapstream.frames.leaptypes import NUMPY_BASES, arrow_type_of, basic_type_of, basic_types_of, is_missing, is_nan
from leapstream.javalike.numbers import cast_numbers, number_strings


def array_of(name: str, values: Sequence[Any], declared: DataType | None, *, nan_is_missing: bool = False) -> Any:
    """An Arrow array of a column's values; a NumPy array (rows, …) of tensors of several dimensions.

    Numbers and booleans become the declared type, where that is one of numbers, booleans or strings. Strings stay strings: the
    model parses them, and says which row cannot be parsed.

    Args:
        name: the column, for messages.
        values: a list, or an array of objects, of numbers, booleans, strings, bytes; lists or arrays of them, nested for
            tensors of several dimensions; or dicts. ``None`` is a missing value.
        declared: the type that the model declares; ``None`` where the values keep the type they have.
        nan_is_missing: NaN among the values is a missing value, as in pandas' columns of objects.

    Raises:
        SchemaError: values have no leap type, or their types do not fit each other.
    """
    inferred = _inferred(values, declared, nan_is_missing)
    if inferred is not None:
        return inferred
    if nan_is_missing:
        values = [None if is_nan(value) else value for value in values]
    classes = set(map(type, values))
    if not classes <= _ORDINARY:
        values = [_plain(value) for value in values]
        classes = set(map(type, values))
    kinds = {_shape_of(kind) for kind in classes if kind is not type(None)}
    if len(kinds) > 1:
        raise SchemaError(f"column {name!r} has values of types that do not fit each other: {', '.join(sorted(kinds))}")
    try:
        if not kinds:
            return pa.nulls(len(values), pa.string() if declared is None else arrow_type_of(declared))
        if kinds == {_SCALAR}:
            return _elements(name, values, None if declared is None else declared.base, classes)
        if kinds == {_LIST}:
            if any(map(_is_nested, values)):
                return _tensors(name, values)
            return _lists(name, values, None if declared is None else declared.base)
        return _maps(name, values, declared)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise SchemaError(f"column {name!r} has values that no leap type holds: {error}") from error


def _inferred(values: Sequence[Any], declared: DataType | None, nan_is_missing: bool) -> pa.Array | None:
    """The values as Arrow infers their type, which takes one look at each; ``None`` where a value's neighbours might matter.

    They do not where all values are strings, nor where numbers, or the elements of arrays, become doubles that are declared so.
    """
    first = next((value for value in values if value is not None), None)
    vectors = isinstance(first, np.ndarray) and first.dtype == np.float64 and set(map(type, values)) == {np.ndarray}
    if not vectors and not isinstance(first, (str, float)):
        return None
    try:
        # NaN within a vector is a number.
        array = pa.array(values, from_pandas=nan_is_missing and not vectors)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return None
    if vectors:
        of_doubles = declared is not None and declared.base is BasicType.DOUBLE
        return array if of_doubles and array.type == pa.list_(pa.float64()) else None
    doubles = isinstance(declared, ScalarType) and declared.base is BasicType.DOUBLE and array.type == pa.float64()
    return array if doubles or pa.types.is_string(array.type) else None


_SCALAR, _LIST, _MAP = "scalar", "list", "map"
_ORDINARY = frozenset({type(None), bool, int, float, str, bytes, list, tuple, dict})
"""Classes whose values nothing wraps."""


def _plain(value: Any) -> Any:
    """A value without what wraps it: an array without dimensions is its element."""
    if is_missing(value):
        return None
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value


def _shape_of(kind: type) -> str:
    if issubclass(kind, Mapping):
        return _MAP
    return _LIST if issubclass(kind, (list, tuple, np.ndarray)) else _SCALAR


def _elements(
    name: str, values: Sequence[Any], declared: BasicType | None, classes: set[type] | None = None
) -> pa.Array:
    """Scalars as an array: of the declared type, or of the only type that they have. ``classes`` are theirs, if known."""
    if classes is None:
        classes = set(map(type, values))
    found = basic_types_of(name, classes)
    if any(issubclass(kind, Decimal) for kind in classes):
        values = [float(value) if isinstance(value, Decimal) else value for value in values]
    if not found:
        return pa.nulls(len(values), ARROW_TYPES[declared or BasicType.STRING])
    # The model parses texts, and bytes are nothing else.
    fixed = found & {BasicType.BYTE_STRING, *(() if declared is BasicType.STRING else (BasicType.STRING,))}
    if declared is None or declared is BasicType.BYTE_STRING or fixed:
        if len(found) == 1:
            return _array(values, found.pop())
        where = ", ".join(f"{base} ({_example(values, base)!r})" for base in sorted(found))
        raise SchemaError(f"column {name!r} has values of types that do not fit each other: {where}")
    if len(found) == 1:
        (base,) = found
        return _converted(_array(values, base), base, declared)
    merged: list[Any] = [None] * len(values)
    for base in found:
        at = [i for i, value in enumerate(values) if value is not None and basic_type_of(value.__class__) is base]
        part = _converted(_array([values[i] for i in at], base), base, declared)
        for i, value in zip(at, texts_of(part), strict=True):
            merged[i] = value
    return _array(merged, declared)


def _array(values: Sequence[Any], base: BasicType) -> pa.Array:
    return text_array(values) if base is BasicType.STRING else pa.array(values, ARROW_TYPES[base])


def _example(values: Sequence[Any], base: BasicType) -> Any:
    return next(value for value in values if value is not None and basic_type_of(value.__class__) is base)


def _converted(array: pa.Array, base: BasicType, declared: BasicType) -> pa.Array:
    """Numbers or booleans as another type; the rules are those of :class:`leapstream.plan.primitives.Cast`."""
    if base == declared:
        return array
    mask = np.asarray(array.is_null()) if array.null_count else None
    filled = array.fill_null(False if base is BasicType.BOOLEAN else 0) if array.null_count else array
    numbers = np.asarray(filled).astype(NUMPY_DTYPES[base], copy=False)
    if declared is BasicType.STRING:
        return pa.array(number_strings(numbers, base), pa.string(), mask=mask)
    return pa.array(cast_numbers(numbers, declared), ARROW_TYPES[declared], mask=mask)


def _lists(name: str, rows: Sequence[Any], declared: BasicType | None) -> pa.Array:
    lengths = np.array([0 if row is None else len(row) for row in rows], dtype=np.int64)
    offsets = pa.array(np.append(0, np.cumsum(lengths)), pa.int32())
    mask = pa.array([row is None for row in rows]) if any(row is None for row in rows) else None
    there = [row for row in rows if row is not None]
    dtypes = {row.dtype if _is_plain_vector(row) else None for row in there}
    (dtype,) = dtypes if len(dtypes) == 1 else (None,)
    base = None if dtype is None else NUMPY_BASES.get(dtype)
    if base is not None:
        flat = pa.array(np.concatenate(there)).cast(ARROW_TYPES[base])
        if declared is not None and declared is not BasicType.BYTE_STRING:
            flat = _converted(flat, base, declared)
    else:
        flat = _elements(name, _flattened(there), declared)
    return pa.ListArray.from_arrays(offsets, flat, mask=mask)


def _is_nested(row: Any) -> bool:
    """True for a list of lists, and for an array of several dimensions."""
    if isinstance(row, np.ndarray):
        return row.ndim > 1
    return bool(row) and isinstance(row[0], (list, tuple, np.ndarray))


def _tensors(name: str, rows: Sequence[Any]) -> npt.NDArray[Any]:
    """Tensors of several dimensions, one per row."""
    if any(row is None for row in rows):
        raise SchemaError(f"column {name!r} lacks tensors of several dimensions, which only a LeapFrame may")
    arrays = [np.asarray(row) for row in rows]
    shapes = sorted({array.shape for array in arrays})
    if len(shapes) > 1:
        raise SchemaError(f"column {name!r} has tensors of dimensions {shapes[0]} and {shapes[1]}; give a LeapFrame")
    return np.stack(arrays)


def _is_plain_vector(row: Any) -> bool:
    return isinstance(row, np.ndarray) and row.ndim == 1 and not isinstance(row, np.ma.MaskedArray)


def _flattened(rows: Iterable[Iterable[Any]]) -> list[Any]:
    flat = list(chain.from_iterable(rows))
    return flat if _ORDINARY.issuperset(map(type, flat)) else [_plain(value) for value in flat]


def _maps(name: str, rows: Sequence[Mapping[Any, Any] | None], declared: DataType | None) -> pa.Array:
    if declared is not None and not isinstance(declared, MapType):
        raise SchemaError(f"column {name!r} has maps, and {declared} is expected")
    there = [row for row in rows if row is not None]
    keys = _elements(name, _flattened(there), None if declared is None else declared.key)
    items = _elements(name, _flattened(row.values() for row in there), None if declared is None else declared.base)
    if declared is not None and (keys.type, items.type) != (ARROW_TYPES[declared.key], ARROW_TYPES[declared.base]):
        raise SchemaError(f"column {name!r} has values of types that do not fit {declared}: {keys.type}, {items.type}")
    starts = np.append(0, np.cumsum([0 if row is None else len(row) for row in rows]))
    mask = np.append([row is None for row in rows], False)
    return pa.MapArray.from_arrays(pa.array(starts, pa.int32(), mask=mask), keys, items)
