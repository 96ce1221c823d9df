"""Predictions for a batch of columns, aligned with its rows, for functions that run in Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from leapstream.bundle.tensor import NUMPY_DTYPES
from leapstream.bundle.types import BasicType, Field, ListType, ScalarType, TensorType
from leapstream.errors import PredictionError
from leapstream.executors.columns import ARROW_TYPES
from leapstream.flink.options import OnFailure
from leapstream.flink.rowtext import row_text
from leapstream.flink.signature import FunctionSignature
from leapstream.flink.texts import time_text
from leapstream.model import Model

_ROW = "\0row"
_TWO_TO_63 = 9223372036854775808


@dataclass(frozen=True)
class BatchPredictions:
    """The predictions for a batch.

    Attributes:
        outputs: the values of each output for ``rows``; rows that fail have missing values there.
        rows: the positions of the rows that have values; those that the model drops have none.
        errors: the text of the error of each row that fails, by its position.
        dropped: the number of rows that the model drops.
    """

    outputs: dict[str, npt.NDArray[Any]]
    rows: npt.NDArray[np.intp]
    errors: dict[int, str]
    dropped: int


def predict_columns(
    model: Model, signature: FunctionSignature, columns: Sequence[Any], on_error: OnFailure
) -> BatchPredictions:
    """The outputs for a batch.

    Args:
        model: what predicts.
        signature: of the function that the columns are the arguments of.
        columns: one array of values per argument (pandas Series), as the planner lets them through; a constant of the query
            is a single value.
        on_error: ``raise`` at the first row that fails; any other word gives failed rows missing values.

    Raises:
        PredictionError: a row fails, and ``on_error`` is ``raise``.
    """
    columns, rows = _repeated(columns)
    arrays, holes = _arguments(model, signature, columns)
    errors = {row: str(_null_element(model, column)) for row, column in holes.items()}
    whole = np.arange(rows)
    if holes:
        if on_error == "raise":
            row = min(holes)
            raise _with_values(_null_element(model, holes[row]), signature, columns, row)
        whole = np.setdiff1d(whole, list(holes))
        arrays = {name: _take(values, whole) for name, values in arrays.items()}
    names = signature.model_outputs.names
    frame: Mapping[str, Any] = {**arrays, _ROW: whole}
    if on_error == "raise":
        try:
            # Flink has a process for each of its subtasks.
            result = model.transform(frame, outputs=names, threads=1)
        except PredictionError as error:
            # The position in a batch says nothing about the stream.
            raise _with_values(error.at_row(None), signature, columns, error.row or 0) from error
        kept = result[_ROW]
    else:
        found = model.predict_rows(frame, outputs=names, threads=1)
        result, kept = found.frame, whole[found.rows]
        errors |= {int(whole[row]): str(error.at_row(None)) for row, error in found.errors.items()}
    return BatchPredictions({name: result[name] for name in names}, kept, errors, len(whole) - len(kept))


def _null_element(model: Model, column: str) -> PredictionError:
    return PredictionError("an element of the array is NULL", model=model.name, column=column)


def _with_values(
    error: PredictionError, signature: FunctionSignature, columns: Sequence[Any], row: int
) -> PredictionError:
    """The error with the values of its row in a batch; NaN is NULL there."""
    values = [values.iloc[row] if isinstance(values, pd.Series) else values[row] for values in columns]
    shown = [None if isinstance(value, float) and value != value else value for value in values]
    return error.with_values(row_text(shown, signature.inputs.names))


def repeated(columns: Sequence[Any], rows: int) -> list[pd.Series[Any]]:
    """The columns, with constants in every row."""
    return [values if isinstance(values, pd.Series) else pd.Series(_constant(values, rows)) for values in columns]


def number_of_rows(columns: Sequence[Any]) -> int:
    """The number of rows of a batch; a constant of the query is a single value."""
    return next(len(values) for values in columns if isinstance(values, pd.Series))


def _repeated(columns: Sequence[Any]) -> tuple[list[Any], int]:
    """The columns, with constants in every row, and the number of rows."""
    rows = number_of_rows(columns)
    return [values if isinstance(values, pd.Series) else _constant(values, rows) for values in columns], rows


def _constant(value: Any, rows: int) -> npt.NDArray[Any]:
    is_number = isinstance(value, bool | int | float)
    return np.full(rows, value, dtype=None if is_number else object)


def _arguments(
    model: Model, signature: FunctionSignature, columns: Sequence[Any]
) -> tuple[dict[str, Any], dict[int, str]]:
    """The model's inputs, and the column of each row in which an element of an array is NULL."""
    fields = list(signature.inputs)
    if signature.packed >= 0 and not _holds_arrays(columns):
        (field,) = fields
        packed, failed = _pack(field, columns)
        return {field.name: packed}, dict.fromkeys(map(int, np.flatnonzero(failed)), field.name)
    arrays: dict[str, Any] = {}
    holes: dict[int, str] = {}
    for field, values in zip(fields, columns, strict=True):
        if isinstance(field.type, ScalarType):
            arrays[field.name] = _scalars(values, field.type.base)
        else:
            arrays[field.name], failed = _lists(values, field)
            for row in np.flatnonzero(failed):
                holes.setdefault(int(row), field.name)
    return arrays, holes


def _holds_arrays(columns: Sequence[Any]) -> bool:
    if len(columns) != 1:
        return False
    values = np.asarray(columns[0])
    return values.dtype == object and all(v is None or isinstance(v, np.ndarray | list) for v in values)


def _scalars(values: Any, base: BasicType) -> Any:
    """An array of scalars; NaN is NULL, as pandas makes one of both."""
    array = np.asarray(values)
    if array.dtype.kind == "M":
        array = array.astype("datetime64[us]").astype(object)
    if array.dtype != object:
        if array.dtype.kind == "f":
            missing = np.isnan(array)
            if missing.any():
                kind = ARROW_TYPES[base] if base.is_numeric else None
                whole = np.where(missing, 0, array)
                return pa.array(whole, mask=missing).cast(kind) if kind is not None else pa.array(whole, mask=missing)
        return array
    return pa.array([_plain(value, base) for value in array], from_pandas=True)


def _plain(value: Any, base: BasicType) -> Any:
    """A value without types that models lack: a DECIMAL is a number, dates and times are texts as in the Java functions."""
    if isinstance(value, Decimal):
        return int(value) if base is BasicType.LONG and abs(value) < _TWO_TO_63 else float(value)
    return time_text(value) if isinstance(value, date | time) else value


def _lists(values: Any, field: Field) -> tuple[Any, npt.NDArray[np.bool_]]:
    base = field.type.base
    listed = list(values)
    holes = np.array([v is not None and _has_null(v) for v in listed], dtype=bool)
    if isinstance(field.type, TensorType) and not holes.any():
        sizes = {-1 if v is None else len(v) for v in listed}
        declared = field.type.dimensions
        if len(sizes) == 1 and -1 not in sizes:
            stacked = np.stack([np.asarray(v, dtype=NUMPY_DTYPES[base]) for v in listed])
            if declared is not None and len(declared) > 1 and stacked.shape[1] == field.type.size:
                stacked = stacked.reshape(-1, *declared)
            return stacked, holes
    plain = [None if v is None or hole else list(v) for v, hole in zip(listed, holes, strict=True)]
    return pa.array(plain, pa.list_(ARROW_TYPES[base])), holes


def _has_null(values: Any) -> bool:
    array = np.asarray(values)
    if array.dtype.kind == "f":
        return bool(np.isnan(array).any())
    return array.dtype == object and any(v is None for v in array)


def _pack(field: Field, columns: Sequence[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    assert isinstance(field.type, TensorType)
    dtype = NUMPY_DTYPES[field.type.base]
    packed = np.zeros((len(columns[0]), len(columns)), dtype=dtype)
    failed = np.zeros(len(columns[0]), dtype=bool)
    for i, values in enumerate(columns):
        array = np.asarray(values)
        if array.dtype.kind == "f":
            missing = np.isnan(array)
        elif array.dtype == object:
            missing = np.array([v is None for v in array], dtype=bool)
        else:
            missing = np.zeros(len(array), dtype=bool)
        if missing.any():
            failed |= missing
            array = np.where(missing, 0, array)
        packed[:, i] = array.astype(dtype)
    shape = field.type.dimensions
    return (packed.reshape(-1, *shape) if shape is not None and len(shape) > 1 else packed), failed


def _take(values: Any, rows: npt.NDArray[np.intp]) -> Any:
    return values.take(pa.array(rows)) if isinstance(values, pa.Array) else values[rows]


def series_values(values: npt.NDArray[Any], field: Field) -> Any:
    """An output's values for a pandas Series: a tensor or list becomes a one-dimensional array per row."""
    if isinstance(field.type, TensorType | ListType):
        flat = np.empty(len(values), dtype=object)
        for i, value in enumerate(values):
            flat[i] = None if value is None else np.asarray(value).reshape(-1)
        return flat
    return values
