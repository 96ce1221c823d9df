"""Proves an export: compares the model with the library that trained it, over rows of a sample, on the executors at hand."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from leapstream.bundle.types import Schema, TensorType
from leapstream.errors import BackendError, ExportError, PredictionError, UnsupportedModelError
from leapstream.executors.registry import executors
from leapstream.model import Backend, Model

Check: TypeAlias = bool | Sequence[str]
"""True for the executors that need no other process, False for none, or the names of executors."""

Answers: TypeAlias = Mapping[str, Any]
"""The library's results by the model's column, each an array of rows, or of rows and elements."""

_ROWS = 1000
"""Rows of a sample that are compared at most."""

_ELEMENTS = 1 << 22
"""Elements of a column that are compared at most: vectors of hashed words are wide."""


@dataclass(frozen=True)
class Tolerance:
    """The difference of two numbers that counts as none: ``|ours - theirs| <= absolute + relative * |theirs|``."""

    relative: float = 1e-6
    absolute: float = 1e-9


SINGLE = Tolerance(1e-4, 1e-5)
"""For libraries that compute in single precision where the model does not."""


def prove(
    model: Model,
    sample: Any,
    library: str,
    answers: Callable[[Any], Answers],
    *,
    check: Check = True,
    tolerance: Tolerance | None = None,
) -> Model:
    """Compare a model with its library, and return it.

    Args:
        model: the exported model.
        sample: rows of the data: a DataFrame, a dict of arrays, an array, a list. Nothing is compared if it is ``None`` or a
            schema.
        library: the name of the library, for messages.
        answers: computes the library's results for some rows of the sample, of the sample's kind. Columns that the model does not
            have are ignored.
        check: the executors to compare; ``False`` for none.
        tolerance: the difference of two numbers that counts as none.

    Raises:
        ExportError: a value differs, or a row fails in the model. The message names the node, the row and both values.
        BackendError: an executor that ``check`` names is unknown or not available.
    """
    if check is False or sample is None or isinstance(sample, Schema):
        return model
    rows = _first(sample, _count(model))
    numbers = np.arange(_count(model))
    try:
        expected = _answered(answers, rows)
    # A library may raise anything for rows that are not like those of its training.
    except Exception as error:
        # Most estimators of scikit-learn take no missing values, which a sample may have.
        numbers = _complete(rows)
        try:
            if not len(numbers):
                raise
            rows = _take(rows, numbers)
            expected = _answered(answers, rows)
        except Exception:
            warnings.warn(
                f"the export is not checked, for {library} does not predict the sample: {type(error).__name__}: {error}",
                stacklevel=3,
            )
            return model
    known = {*model.schema.outputs.names, *model.schema.intermediate.names}
    expected = {name: values for name, values in expected.items() if name in known}
    frame = _frame(model, rows)
    for backend in _chosen(check):
        try:
            found = model.predict(frame, outputs=tuple(expected), backend=backend)
        except UnsupportedModelError:
            continue
        except PredictionError as error:
            raise ExportError(f"{model.name}: {library} predicts a row that fails in the model: {error}") from error
        for name, theirs in expected.items():
            ours = _matrix(found[name])
            _compare(model, name, ours, theirs, numbers, library, backend, tolerance or Tolerance())
    return model


def _chosen(check: Check) -> list[Backend]:
    """The names of the executors to compare."""
    if check is True:
        return [name for name, executor in executors().items() if executor.extra is None]
    names = [] if check is False else list(check)
    for name in names:
        if name not in executors():
            raise BackendError(f"backend {name!r} is not known; there are {', '.join(map(repr, executors()))}")
    return names


def _answered(answers: Callable[[Any], Answers], rows: Any) -> dict[str, npt.NDArray[Any]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {name: _matrix(values) for name, values in answers(rows).items()}


# ---- rows -------------------------------------------------------------------------------------------------------------


def _count(model: Model) -> int:
    """The number of rows to compare, so that the widest result has no more than ``_ELEMENTS`` elements."""
    types = (field.type for field in model.schema.outputs)
    widest = max((kind.size or 1 for kind in types if isinstance(kind, TensorType)), default=1)
    return max(1, min(_ROWS, _ELEMENTS // max(widest, 1)))


def _first(sample: Any, count: int) -> Any:
    """The first rows of a sample, as a frame or array of the same kind."""
    if isinstance(sample, Mapping):
        return {name: _first(values, count) for name, values in sample.items()}
    if hasattr(sample, "head"):
        return sample.head(count)
    return sample[:count] if hasattr(sample, "__getitem__") else list(islice(sample, count))


def _complete(rows: Any) -> npt.NDArray[np.intp]:
    """The positions of the rows without missing values; none if the sample's kind does not tell."""
    if isinstance(rows, Mapping):
        columns = list(rows.values())
    elif hasattr(rows, "iloc"):
        columns = [rows[name] for name in rows.columns] if hasattr(rows, "columns") else [rows]
    else:
        columns = [rows] if isinstance(rows, np.ndarray) else []
    present = [_present(np.asarray(column)) for column in columns]
    return np.flatnonzero(np.logical_and.reduce(present)) if present else np.arange(0)


def _present(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    equal = np.array([value == value and value is not None for value in values.ravel().tolist()], dtype=bool)
    return np.asarray(equal.reshape(len(values), -1).all(axis=1))


def _take(rows: Any, numbers: npt.NDArray[np.intp]) -> Any:
    if isinstance(rows, Mapping):
        return {name: _take(values, numbers) for name, values in rows.items()}
    return rows.iloc[numbers] if hasattr(rows, "iloc") else np.asarray(rows)[numbers]


def _frame(model: Model, rows: Any) -> Any:
    """The rows as a frame of the model's input columns."""
    if isinstance(rows, Mapping):
        return {str(name): np.asarray(values) for name, values in rows.items()}
    if hasattr(rows, "columns"):
        return rows
    names = model.schema.inputs.names
    array = np.asarray(rows)
    if (len(names) == 1 and array.ndim == 1) or isinstance(model.schema.inputs[names[0]].type, TensorType):
        return {names[0]: array}
    return {f"x{i}": array[:, i] for i in range(array.shape[1])}


def matrix_of(names: Sequence[str] | None, rows: Any) -> Any:
    """The rows as libraries take them: columns by name if there are names, else a matrix."""
    if not isinstance(rows, Mapping):
        return rows
    if names is not None and set(names) <= rows.keys():
        import pandas as pd

        return pd.DataFrame({name: rows[name] for name in names})
    columns = [np.asarray(values) for values in rows.values()]
    return columns[0] if len(columns) == 1 else np.column_stack(columns)


def booster_answers(booster: Any, model: Model, rows: Any) -> Answers:
    """The results of a booster, or of an estimator of its library, by the model's column."""
    outputs = model.schema.outputs.names
    if hasattr(booster, "predict_proba"):
        found = {"prediction": booster.predict(rows)}
        return {**found, "probability": booster.predict_proba(rows)} if "probability" in outputs else found
    values = booster.predict(rows)
    if "probability" not in outputs:
        return {"prediction": values}
    return {"probability": np.column_stack([1.0 - values, values]) if values.ndim == 1 else values}


# ---- values -----------------------------------------------------------------------------------------------------------


def _matrix(values: Any) -> npt.NDArray[Any]:
    """A column of values as an array (rows, elements); of doubles if its values are numbers."""
    if hasattr(values, "toarray"):
        values = values.toarray()
    elif hasattr(values, "to_list"):
        values = values.to_list()
    array = np.asarray(values)
    if array.dtype == object and len(array) and isinstance(array[0], (list, tuple, np.ndarray)):
        array = np.stack([np.asarray(value) for value in array])
    numbers = array.dtype == object and all(isinstance(value, (int, float, np.number)) for value in array.flat)
    if numbers or array.dtype.kind in "biuf":
        array = array.astype(np.float64)
    return array.reshape(len(array), -1)


def _compare(
    model: Model,
    name: str,
    ours: npt.NDArray[Any],
    theirs: npt.NDArray[Any],
    numbers: npt.NDArray[Any],
    library: str,
    backend: str,
    tolerance: Tolerance,
) -> None:
    """Raise for the first value that differs; ``numbers`` are the positions of the rows in the sample."""
    node = next((node for node in model.nodes if name in node.output_columns().values()), None)
    where = f"{model.name}: {name!r}" + (f" of node {node.name!r} ({node.op.op})" if node is not None else "")
    if ours.shape != theirs.shape:
        raise ExportError(f"{where} has the shape {ours.shape} on {backend}, and {theirs.shape} in {library}")
    if ours.dtype.kind == theirs.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            allowed = tolerance.absolute + tolerance.relative * np.abs(theirs)
            equal = (ours == theirs) | (np.abs(ours - theirs) <= allowed) | (np.isnan(ours) & np.isnan(theirs))
    else:
        equal = np.array(
            [[str(a) == str(b) for a, b in zip(*pair, strict=True)] for pair in zip(ours, theirs, strict=True)]
        )
    if equal.all():
        return
    row, place = (int(part[0]) for part in np.nonzero(~equal))
    element = f"[{place}]" if ours.shape[1] > 1 else ""
    mine, other = (values[row].tolist()[place] for values in (ours, theirs))
    rows = int((~equal).any(axis=1).sum())
    raise ExportError(
        f"{where}: row {numbers[row]}{element} is {mine!r} on {backend}, and {other!r} in {library}; {rows} of {len(ours)} rows "
        "differ (check=False exports the model all the same)"
    )


__all__ = ["SINGLE", "Answers", "Check", "Tolerance", "prove"]
