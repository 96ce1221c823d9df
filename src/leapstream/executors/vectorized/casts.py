"""Casts of columns between leap types."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from leapstream.bundle.tensor import NUMPY_DTYPES
from leapstream.bundle.types import BasicType, DataType, ListType, MapType, ScalarType, TensorType
from leapstream.executors import failures
from leapstream.executors.columns import ARROW_TYPES, Bools, Column
from leapstream.executors.sparse import csr, is_csr
from leapstream.executors.texts import text_array, text_lists, texts_of
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
            return Column(np.array(texts_of(result.values), dtype=object), result.present())
        return result
    if isinstance(given, TensorType):
        return _cast_tensor(column, given, wanted, fail)
    if isinstance(wanted, ListType):
        if given.base == wanted.base:
            return column
        rows = column.values
        owner = np.repeat(np.arange(len(rows)), np.diff(np.asarray(rows.offsets)))
        values, reasons = _cast_flat(rows.flatten(), given.base, wanted.base)
        _report(reasons, owner, fail)
        return Column(pa.ListArray.from_arrays(rows.offsets, values, mask=rows.is_null() if rows.null_count else None))
    return _list_to_tensor(column, given, wanted.base, fail)


def _cast_map(column: Column, given: MapType, wanted: MapType, fail: Callable[[int, str], None]) -> Column:
    rows = column.values
    offsets = np.asarray(rows.offsets)
    first, count = int(offsets[0]), int(offsets[-1] - offsets[0])
    owner = np.repeat(np.arange(len(rows)), np.diff(offsets))

    keys, key_reasons = _cast_flat(rows.keys.slice(first, count), given.key, wanted.key)
    items, item_reasons = _cast_flat(rows.items.slice(first, count), given.base, wanted.base)
    # Entry by entry, the key first.
    reasons = {2 * at: why for at, why in key_reasons.items()} | {2 * at + 1: why for at, why in item_reasons.items()}
    _report(reasons, np.repeat(owner, 2), fail)
    starts = pa.array(offsets - first, pa.int32(), mask=np.append(np.asarray(rows.is_null()), False))
    return Column(pa.MapArray.from_arrays(starts, keys, items))


def _cast_flat(elements: pa.Array, given: BasicType, wanted: BasicType) -> tuple[pa.Array, dict[int, str]]:
    """The elements of lists or maps as another type, and the reason of each that cannot be cast, by its position."""
    if given == wanted:
        return elements, {}
    # A missing number counts as 0, as in Java's unboxing by Scala.
    missing = np.flatnonzero(np.asarray(elements.is_null())).tolist() if given is BasicType.STRING else []
    reasons = dict.fromkeys(missing, failures.missing_element())
    cast = _cast_scalars(_flat_column(elements, given), given, wanted, False, reasons.__setitem__)
    return cast.values if isinstance(cast.values, pa.Array) else pa.array(cast.values), reasons


def _report(reasons: dict[int, str], owner: npt.NDArray[np.intp], fail: Callable[[int, str], None]) -> None:
    """Fail the rows that own elements; the first of a row's elements gives its reason."""
    for at in sorted(reasons):
        fail(int(owner[at]), reasons[at])


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
        values, valid = parse_strings(texts_of(column.values), wanted, fail)
        return Column(values, None if valid.all() or not nullable else valid)
    if wanted is BasicType.STRING:
        texts = number_strings(column.values, given)
        present = column.present()
        return Column(pa.array(texts, pa.string(), mask=None if present is None else ~present))
    return Column(cast_numbers(column.values, wanted), column.valid)


def _cast_tensor(column: Column, given: TensorType, wanted: DataType, fail: Callable[[int, str], None]) -> Column:
    if is_csr(column.values):
        if isinstance(wanted, TensorType) and wanted.base is not BasicType.STRING:
            rows = column.values
            data = cast_numbers(rows.data, wanted.base)
            return column.with_values(csr((data, rows.indices, rows.indptr), rows.shape))
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
        inner = Column(text_array(first.tolist()) if given.base is BasicType.STRING else first, column.valid)
        return _cast_scalars(inner, given.base, wanted.base, wanted.nullable, fail)
    if isinstance(wanted, ListType):
        for row in np.flatnonzero(column.sparse_rows()):
            fail(int(row), failures.sparse_to_list())
    missing: list[int] = []
    if given.base is BasicType.STRING and given.base != wanted.base:
        holes = np.array([v is None for v in values.reshape(-1)], dtype=np.bool_).reshape(values.shape)
        if column.stored is not None:
            holes &= column.stored
        if column.valid is not None:
            holes[~column.valid] = False
        missing = np.flatnonzero(holes).tolist()
    cast = _cast_elements(values, given.base, wanted.base, missing, fail)
    if isinstance(wanted, TensorType):
        return Column(cast, column.valid, column.stored, column.complete)
    listed = cast.reshape(rows, math.prod(values.shape[1:])).tolist()
    present = column.present()
    if present is not None:
        listed = [v if ok else None for v, ok in zip(listed, present, strict=True)]
    if wanted.base is BasicType.STRING:
        return Column(text_lists(listed))
    return Column(pa.array(listed, pa.list_(ARROW_TYPES[wanted.base])))


def _cast_elements(
    values: npt.NDArray[Any],
    given: BasicType,
    wanted: BasicType,
    missing: Sequence[int],
    fail: Callable[[int, str], None],
) -> npt.NDArray[Any]:
    """The elements of tensors as another type; rows with elements at the positions ``missing`` fail."""
    reasons = dict.fromkeys(missing, failures.missing_element())
    flat = values.reshape(-1)
    if given == wanted:
        cast = values
    elif given is BasicType.STRING:
        cast, _ = parse_strings(flat.tolist(), wanted, reasons.__setitem__)
    elif wanted is BasicType.STRING:
        cast = np.array(number_strings(flat, given), dtype=object)
    else:
        cast = cast_numbers(values, wanted)
    _report(reasons, np.arange(values.size) // max(math.prod(values.shape[1:]), 1), fail)
    return cast.reshape(values.shape)


def _list_to_tensor(column: Column, given: ListType, base: BasicType, fail: Callable[[int, str], None]) -> Column:
    rows = column.values
    present = column.present()
    lengths = np.diff(np.asarray(rows.offsets))
    if present is not None:
        lengths = lengths[present]
    width = int(lengths[0]) if len(lengths) else 0
    flat = rows.flatten()
    if given.base is BasicType.STRING:
        elements: npt.NDArray[Any] = np.array(texts_of(flat), dtype=object)
    else:
        elements = _flat_column(flat, given.base).values
    kept = np.empty((len(rows), width), dtype=elements.dtype)
    kept.fill(0 if elements.dtype != object else "0")
    kept[slice(None) if present is None else present] = elements.reshape(len(lengths), width)
    missing: list[int] = []
    if flat.null_count and given.base is BasicType.STRING and base is not BasicType.STRING:
        owners = np.arange(len(rows)) if present is None else np.flatnonzero(present)
        holes = np.flatnonzero(np.asarray(flat.is_null()))
        missing = (owners[holes // width] * width + holes % width).tolist()
    return Column(_cast_elements(kept, given.base, base, missing, fail), present)
