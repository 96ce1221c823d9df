"""Casts of columns between leap types."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import csr_array

from leapstream.bundle.tensor import NUMPY_DTYPES
from leapstream.bundle.types import BasicType, DataType, ListType, MapType, ScalarType, TensorType
from leapstream.executors import failures
from leapstream.executors.columns import ARROW_TYPES, Bools, Column
from leapstream.javalike.numbers import PARSERS, cast_numbers, number_strings


def parse_strings(
    values: Sequence[str | None], to: BasicType, fail: Callable[[int, str], None]
) -> tuple[npt.NDArray[Any], Bools]:
    """Parse strings as numbers or booleans; returns the values, and true where they are not missing.

    ``fail(position, reason)`` is called for a string that is not a number. Except for booleans, ``""`` and ``"null"`` give a
    missing value.
    """
    parse = PARSERS[to]
    result = np.zeros(len(values), dtype=NUMPY_DTYPES[to])
    valid = np.ones(len(values), dtype=bool)
    for position, text in enumerate(values):
        if text is None or (to is not BasicType.BOOLEAN and text in ("", "null")):
            valid[position] = False
            continue
        try:
            with np.errstate(over="ignore"):
                result[position] = parse(text)
        except ValueError:
            fail(position, failures.no_number(text, to.value))
    return result, valid


def cast_column(column: Column, given: DataType, wanted: DataType, fail: Callable[[int, str], None]) -> Column:
    """A column of type ``given`` as ``wanted``; the rules are those of :class:`leapstream.plan.primitives.Cast`.

    ``fail(row, reason)`` is called for each row that cannot be cast; its value is then meaningless.
    """
    if isinstance(given, MapType):
        assert isinstance(wanted, MapType)
        return _cast_map(column, given, wanted, fail)
    if isinstance(given, ScalarType):
        result = _cast_scalars(column, given.base, wanted.base, wanted.nullable, fail)
        if isinstance(wanted, TensorType) and isinstance(result.values, pa.Array):
            return Column(np.array(result.values.to_pylist(), dtype=object), result.present())
        return result
    if isinstance(given, TensorType):
        return _cast_tensor(column, given, wanted, fail)
    if isinstance(wanted, ListType):
        rows = column.values
        flat = rows.flatten()
        owner = np.repeat(np.arange(len(rows)), np.diff(np.asarray(rows.offsets)))
        if given.base != wanted.base:
            for at in np.flatnonzero(np.asarray(flat.is_null())):
                fail(int(owner[at]), failures.missing_element())
        inner = _cast_scalars(
            _flat_column(flat, given.base), given.base, wanted.base, False, lambda i, why: fail(int(owner[i]), why)
        )
        values = inner.values if isinstance(inner.values, pa.Array) else pa.array(inner.values)
        return Column(pa.ListArray.from_arrays(rows.offsets, values, mask=rows.is_null() if rows.null_count else None))
    return _list_to_tensor(column, given, wanted.base, fail)


def _cast_map(column: Column, given: MapType, wanted: MapType, fail: Callable[[int, str], None]) -> Column:
    rows = column.values
    offsets = np.asarray(rows.offsets)
    first, count = int(offsets[0]), int(offsets[-1] - offsets[0])
    owner = np.repeat(np.arange(len(rows)), np.diff(offsets))

    def cast(flat: pa.Array, base: BasicType, to: BasicType) -> pa.Array:
        elements = flat.slice(first, count)
        if base == to:
            return elements
        for at in np.flatnonzero(np.asarray(elements.is_null())):
            fail(int(owner[at]), failures.missing_element())
        inner = _cast_scalars(_flat_column(elements, base), base, to, False, lambda i, why: fail(int(owner[i]), why))
        return inner.values if isinstance(inner.values, pa.Array) else pa.array(inner.values)

    keys, items = cast(rows.keys, given.key, wanted.key), cast(rows.items, given.base, wanted.base)
    starts = pa.array(offsets - first, pa.int32(), mask=np.append(np.asarray(rows.is_null()), False))
    return Column(pa.MapArray.from_arrays(starts, keys, items))


def _flat_column(array: pa.Array, base: BasicType) -> Column:
    if base in (BasicType.STRING, BasicType.BYTE_STRING):
        return Column(array)
    return Column(np.asarray(array.fill_null(False if base is BasicType.BOOLEAN else 0)).astype(NUMPY_DTYPES[base]))


def _cast_scalars(
    column: Column, given: BasicType, wanted: BasicType, nullable: bool, fail: Callable[[int, str], None]
) -> Column:
    if given == wanted:
        return column
    if given is BasicType.STRING:
        values, valid = parse_strings(column.values.to_pylist(), wanted, fail)
        return Column(values, None if valid.all() or not nullable else valid)
    if wanted is BasicType.STRING:
        texts = number_strings(column.values, given)
        present = column.present()
        return Column(pa.array(texts, pa.string(), mask=None if present is None else ~present))
    return Column(cast_numbers(column.values, wanted), column.valid)


def _cast_tensor(column: Column, given: TensorType, wanted: DataType, fail: Callable[[int, str], None]) -> Column:
    if isinstance(column.values, csr_array):
        if isinstance(wanted, TensorType) and wanted.base is not BasicType.STRING:
            rows = column.values
            data = cast_numbers(rows.data, wanted.base)
            return column.with_values(csr_array((data, rows.indices, rows.indptr), rows.shape))
        column = column.to_dense(track_stored=True)
    values = column.values
    rows = len(values)
    if isinstance(wanted, ScalarType):
        flat = values.reshape(rows, math.prod(values.shape[1:]))
        empty = np.full(rows, flat.shape[1] == 0)
        if column.stored is not None and flat.shape[1]:
            empty = ~column.stored.reshape(rows, math.prod(values.shape[1:]))[:, 0]
        for row in np.flatnonzero(empty):
            fail(int(row), failures.no_first_element())
        nothing = None if values.dtype == object else 0
        first = flat[:, 0] if flat.shape[1] else np.full(rows, nothing, dtype=values.dtype)
        inner = Column(pa.array(first.tolist(), pa.string()) if given.base is BasicType.STRING else first, column.valid)
        return _cast_scalars(inner, given.base, wanted.base, wanted.nullable, fail)
    if isinstance(wanted, ListType):
        for row in np.flatnonzero(column.sparse_rows()):
            fail(int(row), failures.sparse_to_list())
    if given.base is BasicType.STRING and given.base != wanted.base:
        holes = np.array([v is None for v in values.reshape(-1)], dtype=np.bool_).reshape(values.shape)
        if column.stored is not None:
            holes &= column.stored
        if column.valid is not None:
            holes[~column.valid] = False
        for row in np.flatnonzero(holes.reshape(rows, math.prod(values.shape[1:])).any(axis=1)):
            fail(int(row), failures.missing_element())
    cast = _cast_elements(values, given.base, wanted.base, fail)
    if isinstance(wanted, TensorType):
        return Column(cast, column.valid, column.stored, column.complete)
    listed = cast.reshape(rows, math.prod(values.shape[1:])).tolist()
    present = column.present()
    if present is not None:
        listed = [v if ok else None for v, ok in zip(listed, present, strict=True)]
    return Column(pa.array(listed, pa.list_(ARROW_TYPES[wanted.base])))


def _cast_elements(
    values: npt.NDArray[Any], given: BasicType, wanted: BasicType, fail: Callable[[int, str], None]
) -> npt.NDArray[Any]:
    if given == wanted:
        return values
    width = int(np.prod(values.shape[1:]))
    flat = values.reshape(-1)
    if given is BasicType.STRING:
        cast, _ = parse_strings(flat.tolist(), wanted, lambda i, why: fail(i // width, why))
        return cast.reshape(values.shape)
    if wanted is BasicType.STRING:
        return np.array(number_strings(flat, given), dtype=object).reshape(values.shape)
    return cast_numbers(values, wanted)


def _list_to_tensor(column: Column, given: ListType, base: BasicType, fail: Callable[[int, str], None]) -> Column:
    rows = column.values
    present = column.present()
    lengths = np.diff(np.asarray(rows.offsets))
    if present is not None:
        lengths = lengths[present]
    width = int(lengths[0]) if len(lengths) else 0
    flat = rows.flatten()
    if flat.null_count and (given.base, base) != (BasicType.STRING, BasicType.STRING):
        holes = np.flatnonzero(np.asarray(flat.is_null())) // max(width, 1)
        owners = np.arange(len(rows)) if present is None else np.flatnonzero(present)
        for row in np.unique(owners[holes]):
            fail(int(row), failures.missing_element())
    if given.base is BasicType.STRING:
        elements: npt.NDArray[Any] = np.array(flat.to_pylist(), dtype=object)
    else:
        elements = _flat_column(flat, given.base).values
    kept = np.empty((len(rows), width), dtype=elements.dtype)
    kept.fill(0 if elements.dtype != object else "0")
    kept[slice(None) if present is None else present] = elements.reshape(len(lengths), width)
    return Column(_cast_elements(kept, given.base, base, fail), present)
