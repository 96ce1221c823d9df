"""A column of a batch, and casts between columns of different leap types."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy import sparse
from scipy.sparse import csr_array

from leapstream.bundle.tensor import NUMPY_DTYPES, Tensor
from leapstream.bundle.types import BasicType, DataType, ListType, MapType, ScalarType, TensorType

Bools = npt.NDArray[np.bool_]

ARROW_TYPES: dict[BasicType, pa.DataType] = {
    BasicType.BOOLEAN: pa.bool_(),
    BasicType.BYTE: pa.int8(),
    BasicType.SHORT: pa.int16(),
    BasicType.INT: pa.int32(),
    BasicType.LONG: pa.int64(),
    BasicType.FLOAT: pa.float32(),
    BasicType.DOUBLE: pa.float64(),
    BasicType.STRING: pa.string(),
    BasicType.BYTE_STRING: pa.binary(),
}


WIDE = 1024
"""Vectors of so many elements or more are held sparse where an op makes them, or where they are given so."""


@dataclass(frozen=True, eq=False)
class Column:
    """The values of a column for all rows of a batch.

    Attributes:
        values: by leap type: a number or boolean: 1-D array of its dtype; string, byte string: Arrow array; tensor: array
            (rows, *dimensions), of objects for strings, or for vectors a ``csr_array`` (rows, size) with sorted indices, whose
            entries are what is stored; list and map: Arrow array.
        valid: bool (rows,), where a value is not missing; ``None`` when none is. Arrow arrays hold their own nulls and
            leave it ``None``.
        stored: bool like ``values``, which elements of a tensor are stored; ``None`` when all are, or nobody asks, or
            ``values`` tells.
    """

    values: Any
    valid: Bools | None = None
    stored: Bools | None = None

    def __len__(self) -> int:
        return self.values.shape[0] if isinstance(self.values, csr_array) else len(self.values)

    def to_dense(self, track_stored: bool = False) -> Column:
        """The same column, no longer sparse; ``track_stored`` keeps in mind what it stores."""
        if not isinstance(self.values, csr_array):
            return self
        dense = self.values.toarray()
        stored = None
        if track_stored:
            stored = csr_array(
                (np.ones(self.values.nnz, dtype=bool), self.values.indices, self.values.indptr), self.values.shape
            ).toarray()
        return Column(dense, self.valid, stored)

    def present(self) -> Bools | None:
        """Where a value is not missing; ``None`` when none is."""
        if isinstance(self.values, pa.Array):
            return None if self.values.null_count == 0 else np.asarray(self.values.is_valid())
        return self.valid

    def take(self, rows: npt.NDArray[np.intp]) -> Column:
        """The column of some rows, in their order."""
        values = self.values.take(pa.array(rows)) if isinstance(self.values, pa.Array) else self.values[rows]
        return Column(
            values,
            None if self.valid is None else self.valid[rows],
            None if self.stored is None else self.stored[rows],
        )

    def with_values(self, values: Any) -> Column:
        """Other values, present and stored in the same places."""
        return Column(values, self.valid, self.stored)


def joined(parts: Sequence[Column]) -> Column:
    """Columns one after the other."""
    pieces = [part.values for part in parts]
    values: Any
    if isinstance(pieces[0], pa.Array):
        values = pa.concat_arrays(pieces)
    elif any(isinstance(piece, csr_array) for piece in pieces):
        values = sparse.vstack([csr_array(piece) for piece in pieces], format="csr")
    else:
        values = np.concatenate(pieces)
    valid = _joined_flags([(part.valid, (len(part),)) for part in parts])
    stored = _joined_flags([(part.stored, getattr(part.values, "shape", ())) for part in parts])
    return Column(values, valid, stored)


def _joined_flags(flags: Sequence[tuple[Bools | None, tuple[int, ...]]]) -> Bools | None:
    """Flags one after the other; ``None`` stands for all of a shape being true."""
    if all(flag is None for flag, _ in flags):
        return None
    return np.concatenate([np.ones(shape, dtype=np.bool_) if flag is None else flag for flag, shape in flags])


def column_of(values: Sequence[Any], data_type: DataType) -> Column:
    """A column from the Python values of a leap frame; tensors have to be of equal dimensions."""
    if isinstance(data_type, TensorType):
        return _tensor_column(values, data_type)
    if isinstance(data_type, ListType):
        return Column(pa.array(values, pa.list_(ARROW_TYPES[data_type.base])))
    if isinstance(data_type, MapType):
        arrow = pa.map_(ARROW_TYPES[data_type.key], ARROW_TYPES[data_type.base])
        return Column(pa.array([None if v is None else list(v.items()) for v in values], arrow))
    if data_type.base in (BasicType.STRING, BasicType.BYTE_STRING):
        return Column(pa.array(values, ARROW_TYPES[data_type.base]))
    dtype = NUMPY_DTYPES[data_type.base]
    valid = np.array([v is not None for v in values], dtype=bool)
    if valid.all():
        return Column(np.array(values, dtype=dtype))
    return Column(np.array([0 if v is None else v for v in values], dtype=dtype), valid)


def _tensor_column(values: Sequence[Tensor | None], data_type: TensorType) -> Column:
    present = [v for v in values if v is not None]
    dimensions = present[0].dimensions if present else (data_type.dimensions or ())
    dtype = NUMPY_DTYPES[data_type.base]
    valid = None if len(present) == len(values) else np.array([v is not None for v in values], dtype=bool)
    wide = len(dimensions) == 1 and dimensions[0] >= WIDE and dtype.kind != "O"
    if wide and any(v.indices is not None for v in present):
        return Column(_sparse_rows(values, dimensions[0], dtype), valid)
    array = np.zeros((len(values), *(max(n, 0) for n in dimensions)), dtype=dtype)
    stored = np.ones(array.shape, dtype=bool)
    for row, value in enumerate(values):
        if value is not None:
            array[row] = value.to_dense()
            if value.indices is not None:
                stored[row] = False
                stored[row][tuple(value.indices.T)] = True
    return Column(array, valid, None if stored.all() else stored)


def _sparse_rows(values: Sequence[Tensor | None], size: int, dtype: np.dtype[Any]) -> csr_array:
    """Vectors, of which some are sparse, as the rows of one array; of an index that repeats the last value counts."""
    everything = np.arange(size, dtype=np.int32)
    indices, data, counts = [np.zeros(0, dtype=np.int32)], [np.zeros(0, dtype=dtype)], [0]
    for value in values:
        if value is None:
            counts.append(0)
            continue
        at = everything if value.indices is None else value.indices[:, 0]
        order = np.argsort(at, kind="stable")
        last = np.append(np.diff(at[order]) != 0, True)[: len(at)]
        indices.append(at[order][last])
        data.append(value.values[order][last])
        counts.append(int(last.sum()))
    return csr_array((np.concatenate(data), np.concatenate(indices), np.cumsum(counts)), (len(values), size))


def to_python(column: Column, data_type: DataType) -> list[Any]:
    """The column's values as a leap frame holds them."""
    if isinstance(column.values, pa.Array):
        pairs = column.values.to_pylist()
        return [None if v is None else dict(v) for v in pairs] if isinstance(data_type, MapType) else pairs
    if isinstance(column.values, csr_array):
        whole = column.values
        starts = whole.indptr
        values: list[Any] = [
            Tensor(data_type.base, whole.data[a:b], (whole.shape[1],), whole.indices[a:b].reshape(-1, 1))
            for a, b in pairwise(starts)
        ]
    elif isinstance(data_type, TensorType):
        values = [Tensor.dense(v, data_type.base) for v in column.values]
    else:
        values = column.values.tolist()
    valid = column.present()
    return values if valid is None else [v if ok else None for v, ok in zip(values, valid, strict=True)]


# ---- casts ------------------------------------------------------------------------------------------------------------


def java_double(number: float) -> str:
    """A double as Java's ``Double.toString`` prints it."""
    return _java_number(repr(float(number)))


def java_float(number: float) -> str:
    """A float as Java's ``Float.toString`` prints it."""
    return _java_number(str(np.float32(number)))


def _java_number(text: str) -> str:
    """Shortest digits laid out as Java does: plain within [1e-3, 1e7), else with an exponent."""
    special = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    if text in special:
        return special[text]
    match = re.fullmatch(r"(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?", text)
    assert match is not None
    sign, whole, fraction, exponent = match.group(1), match.group(2), match.group(3) or "", int(match.group(4) or 0)
    point = len(whole) + exponent
    digits = whole + fraction
    stripped = digits.lstrip("0")
    point -= len(digits) - len(stripped)
    digits = stripped.rstrip("0")
    if not digits:
        return f"{sign}0.0"
    if -3 < point <= 7:
        if point <= 0:
            return f"{sign}0.{'0' * -point}{digits}"
        return f"{sign}{digits[:point].ljust(point, '0')}.{digits[point:] or '0'}"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{point - 1}"


_DECIMAL = re.compile(r"[+-]?(NaN|Infinity|((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)[fFdD]?)")
_HEXADECIMAL = re.compile(r"([+-]?0[xX][0-9a-fA-F]*\.?[0-9a-fA-F]*[pP][+-]?\d+)[fFdD]?")
_JAVA_SPACE = "".join(map(chr, range(33)))


def parse_double(text: str) -> float:
    """A number as Java's ``Double.parseDouble`` reads it.

    Raises:
        ValueError: it is none.
    """
    trimmed = text.strip(_JAVA_SPACE)
    if _DECIMAL.fullmatch(trimmed):
        return float(trimmed if trimmed.endswith(("NaN", "Infinity")) else trimmed.rstrip("fFdD"))
    if match := _HEXADECIMAL.fullmatch(trimmed):
        return float.fromhex(match.group(1))
    raise ValueError(f"{text!r} is no number")


def _parse_integer(base: BasicType) -> Callable[[str], int]:
    bounds = np.iinfo(NUMPY_DTYPES[base])

    def parse(text: str) -> int:
        if not re.fullmatch(r"[+-]?\d+", text) or not bounds.min <= int(text) <= bounds.max:
            raise ValueError(f"{text!r} is no {base}")
        return int(text)

    return parse


def _parse_boolean(text: str) -> bool:
    if text.isdigit():
        return float(text) != 0
    return text not in ("false", "no", "")


_PARSERS: dict[BasicType, Callable[[str], Any]] = {
    BasicType.BOOLEAN: _parse_boolean,
    **{base: _parse_integer(base) for base in (BasicType.BYTE, BasicType.SHORT, BasicType.INT, BasicType.LONG)},
    BasicType.FLOAT: parse_double,
    BasicType.DOUBLE: parse_double,
}


def cast_numbers(values: npt.NDArray[Any], to: BasicType) -> npt.NDArray[Any]:
    """Numbers or booleans converted as Java does: to an integer towards zero, NaN to 0, saturating at int and long."""
    dtype = NUMPY_DTYPES[to]
    if to is BasicType.BOOLEAN:
        return np.asarray(values != 0)
    if values.dtype.kind == "f" and dtype.kind == "i":
        wide = np.dtype(np.int64) if to is BasicType.LONG else np.dtype(np.int32)
        bounds = np.iinfo(wide)
        whole = np.trunc(np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=np.inf, neginf=-np.inf))
        low, high = whole <= bounds.min, whole >= bounds.max
        inside = np.where(low | high, 0.0, whole).astype(wide)
        return np.where(low, bounds.min, np.where(high, bounds.max, inside)).astype(wide).astype(dtype)
    with np.errstate(over="ignore"):
        return values.astype(dtype)


def number_strings(values: npt.NDArray[Any], base: BasicType) -> list[str]:
    """Numbers as Java's ``toString`` prints them; booleans as 1 and 0."""
    if base is BasicType.DOUBLE:
        return [java_double(v) for v in values.tolist()]
    if base is BasicType.FLOAT:
        return [java_float(v) for v in values]
    return [str(int(v)) for v in values.tolist()]


def parse_strings(
    values: Sequence[str | None], to: BasicType, fail: Callable[[int, str], None]
) -> tuple[npt.NDArray[Any], Bools]:
    """Strings parsed as numbers or booleans: the values, and where they are not missing.

    ``fail(position, reason)`` is called for a string that is no number. ``""`` and ``"null"`` are missing, but for booleans.
    """
    parse = _PARSERS[to]
    result = np.zeros(len(values), dtype=NUMPY_DTYPES[to])
    valid = np.ones(len(values), dtype=bool)
    for position, text in enumerate(values):
        if text is None or (to is not BasicType.BOOLEAN and text in ("", "null")):
            valid[position] = False
            continue
        try:
            with np.errstate(over="ignore"):
                result[position] = parse(text)
        except ValueError as error:
            fail(position, f"cannot cast to {to}: {error}")
    return result, valid


def cast_column(column: Column, given: DataType, wanted: DataType, fail: Callable[[int, str], None]) -> Column:
    """A column of type ``given`` as ``wanted``; the rules are those of :class:`leapstream.plan.primitives.Cast`.

    ``fail(row, reason)`` is called for each row that cannot be cast; its value is then of no meaning.
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
            fail(int(owner[at]), "an element is missing")
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
            fail(int(row), "the tensor does not store a first element")
        first = flat[:, 0] if flat.shape[1] else np.zeros(rows, dtype=values.dtype)
        inner = Column(pa.array(first.tolist(), pa.string()) if given.base is BasicType.STRING else first, column.valid)
        return _cast_scalars(inner, given.base, wanted.base, wanted.nullable, fail)
    cast = _cast_elements(values, given.base, wanted.base, fail)
    if isinstance(wanted, TensorType):
        return Column(cast, column.valid, column.stored)
    if column.stored is not None:
        for row in np.flatnonzero(~column.stored.reshape(rows, math.prod(values.shape[1:])).all(axis=1)):
            fail(int(row), "a sparse tensor cannot be cast to a list")
    listed = [v.reshape(-1).tolist() for v in cast]
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
    if flat.null_count:
        holes = np.flatnonzero(np.asarray(flat.is_null())) // max(width, 1)
        owners = np.arange(len(rows)) if present is None else np.flatnonzero(present)
        for row in np.unique(owners[holes]):
            fail(int(row), "an element of the list is missing")
    if given.base is BasicType.STRING:
        elements: npt.NDArray[Any] = np.array(flat.to_pylist(), dtype=object)
    else:
        elements = _flat_column(flat, given.base).values
    kept = np.empty((len(rows), width), dtype=elements.dtype)
    kept.fill(0 if elements.dtype != object else "0")
    kept[slice(None) if present is None else present] = elements.reshape(len(lengths), width)
    return Column(_cast_elements(kept, given.base, base, fail), present)
