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
from leapstream.escaping import printable
from leapstream.executors.registry import executors
from leapstream.exporters.child import ChildError
from leapstream.exporters.graph import Features
from leapstream.exporters.progress import doing
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
    steps: Mapping[str, str] | None = None,
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
        steps: the place of the step that each node comes from, by the name of the node, for messages.

    Raises:
        ExportError: a value differs, or a row fails in the model. The message names the node, its step, the row and both
            values.
        BackendError: an executor that ``check`` names is unknown or not available.
    """
    if check is False or sample is None or isinstance(sample, Schema):
        return model
    doing(f"comparing with {library}")
    rows = _first(sample, _count(model))
    numbers = np.arange(_count(model))
    try:
        expected = _answered(answers, rows)
    except ChildError as error:
        not_compared(library, str(error))
        return model
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
            text = (
                f"the export is not checked, for {library} does not predict the sample: {type(error).__name__}: {error}"
            )
            warnings.warn(printable(text), stacklevel=3)
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
            step = (steps or {}).get(error.node or "")
            where = model.name if step is None else f"{model.name}: step {step}"
            raise ExportError(f"{where}: {library} predicts a row that fails in the model: {error}") from error
        for name, theirs in expected.items():
            difference = _difference(_matrix(found[name]), theirs, numbers, library, backend, tolerance or Tolerance())
            if difference is not None:
                raise ExportError(f"{_place(model, name, steps or {})}{difference}")
    return model


def not_compared(library: str, reason: str) -> None:
    """Warn that an export is not compared with its library."""
    warnings.warn(printable(f"the export is not compared with {library}: {reason}"), stacklevel=5)


_NEEDED = (None, "batch")
"""The extras that exporters need themselves. An executor of another extra is compared only where ``check`` names it."""


def _chosen(check: Check) -> list[Backend]:
    """The names of the executors to compare."""
    if check is True:
        return [name for name, executor in executors().items() if executor.extra in _NEEDED]
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
    found = np.array([_is_present(value) for value in values.ravel().tolist()], dtype=bool)
    return np.asarray(found.reshape(len(values), -1).all(axis=1))


def _is_present(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return all(map(_is_present, value))
    # pandas' NA is equal to nothing, and its comparison has no truth value.
    return value is not None and (value == value) is True


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
    if len(rows) and isinstance(rows[0], Mapping):
        # A dict may lack keys, and have others that the model does not read.
        return {name: np.array([row.get(name) for row in rows], dtype=object) for name in names}
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


def sample_matrix(model: Model, rows: Any, features: Features, categories: Sequence[Sequence[Any]] = ()) -> Any:
    """The rows as a matrix of doubles, a column for each feature.

    Args:
        model: the exported model.
        rows: rows of the sample.
        features: the features of the model's library.
        categories: the categories of each column of texts; a text becomes its position, an unknown or missing one NaN.
    """
    frame, known, parts = _frame(model, rows), iter(categories), []
    for block in features:
        values = _matrix(frame[block.column])
        if block.text:
            codes = {str(category): float(code) for code, category in enumerate(next(known))}
            values = np.array([[codes.get(str(value), np.nan) for value in row] for row in values])
        parts.append(values.astype(np.float64))
    return np.hstack(parts)


def booster_answers(booster: Any, model: Model, rows: Any) -> Answers:
    """The results of a booster, or of an estimator of its library, by the model's column."""
    if hasattr(booster, "predict_proba"):
        found = {"prediction": booster.predict(rows)}
        outputs = model.schema.outputs.names
        return {**found, "probability": booster.predict_proba(rows)} if "probability" in outputs else found
    return scored(booster.predict(rows), model)


def scored(values: npt.NDArray[Any], model: Model) -> Answers:
    """The results of a booster's ``predict`` by the model's column."""
    if "probability" not in model.schema.outputs.names:
        return {"prediction": values}
    return {"probability": np.column_stack([1.0 - values, values]) if values.ndim == 1 else values}


# ---- values -----------------------------------------------------------------------------------------------------------


def _matrix(values: Any) -> npt.NDArray[Any]:
    """A column of values as an array (rows, elements); of doubles if its values are numbers."""
    if hasattr(values, "toarray"):
        values = values.toarray()
    elif hasattr(values, "to_list"):
        values = values.to_list()
    try:
        array = np.asarray(values)
        if array.dtype == object and len(array) and isinstance(array[0], (list, tuple, np.ndarray)):
            array = np.stack([np.asarray(value) for value in array])
    except ValueError:
        # Lists of different sizes are compared as a whole.
        array = np.array([str(list(value)) for value in values])
    numbers = array.dtype == object and all(isinstance(value, (int, float, np.number)) for value in array.flat)
    if numbers or array.dtype.kind in "biuf":
        array = array.astype(np.float64)
    return array.reshape(len(array), -1)


def _difference(
    ours: npt.NDArray[Any],
    theirs: npt.NDArray[Any],
    numbers: npt.NDArray[Any],
    library: str,
    backend: str,
    tolerance: Tolerance,
) -> str | None:
    """The first value that differs, as the end of a message; ``numbers`` are the positions of the rows in the sample."""
    if ours.shape != theirs.shape:
        return f" has the shape {ours.shape} on {backend}, and {theirs.shape} in {library}"
    if ours.dtype.kind == theirs.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            allowed = tolerance.absolute + tolerance.relative * np.abs(theirs)
            equal = (ours == theirs) | (np.abs(ours - theirs) <= allowed) | (np.isnan(ours) & np.isnan(theirs))
    else:
        equal = np.array(
            [[str(a) == str(b) for a, b in zip(*pair, strict=True)] for pair in zip(ours, theirs, strict=True)]
        )
    if equal.all():
        return None
    row, place = (int(part[0]) for part in np.nonzero(~equal))
    element = f"[{place}]" if ours.shape[1] > 1 else ""
    mine, other = (values[row].tolist()[place] for values in (ours, theirs))
    rows = int((~equal).any(axis=1).sum())
    return (
        f": row {numbers[row]}{element} is {mine!r} on {backend}, and {other!r} in {library}; {rows} of {len(ours)} rows "
        "differ (check=False exports the model all the same)"
    )


def _place(model: Model, column: str, steps: Mapping[str, str]) -> str:
    """The column, its node, and the step that the node comes from, for messages."""
    node = next((node for node in model.nodes if column in node.output_columns().values()), None)
    if node is None:
        return f"{model.name}: {column!r}"
    step = f", step {steps[node.name]}" if node.name in steps else ""
    return f"{model.name}: {column!r} of node {node.name!r} ({node.op.op}){step}"


__all__ = [
    "SINGLE",
    "Answers",
    "Check",
    "Tolerance",
    "booster_answers",
    "matrix_of",
    "not_compared",
    "prove",
    "sample_matrix",
    "scored",
]
