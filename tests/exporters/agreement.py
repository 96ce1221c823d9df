"""Compares the results of a model with those of the estimator that it was made of."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from sklearn.feature_selection import SelectorMixin

import leapstream
from leapstream.model import Model

TOLERANCE = 1e-9


def columns_of(model: Model, rows: Any) -> Any:
    """The rows as a frame for the model."""
    if isinstance(rows, pd.DataFrame):
        return rows
    if isinstance(rows, list):
        return {model.schema.inputs.names[0]: rows}
    return {model.schema.inputs.names[0]: np.asarray(rows, dtype=np.float64)}


def is_predictor(estimator: Any) -> bool:
    """True if the model predicts, as models of clusters and mixtures do too; false for transformers and selectors."""
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    return hasattr(estimator, "predict") and not isinstance(last, SelectorMixin)


def expected(estimator: Any, rows: Any) -> dict[str, npt.NDArray[Any]]:
    """The results of the estimator, by the model's column; a transformer's result has the name ``""``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not is_predictor(estimator):
            result = estimator.transform(rows)
            return {"": result.toarray() if sparse.issparse(result) else np.asarray(result, dtype=np.float64)}
        found = {"prediction": estimator.predict(rows)}
        if hasattr(estimator, "predict_proba"):
            shares = estimator.predict_proba(rows)
            found["probability"] = np.hstack(shares) if isinstance(shares, list) else shares
        return found


def found(model: Model, rows: Any, names: list[str], backend: str = "vectorized") -> dict[str, npt.NDArray[Any]]:
    """The model's columns."""
    columns = [name or model.nodes[-1].outputs[0].name for name in names]
    result = model.transform(columns_of(model, rows), backend=backend, outputs=columns)  # type: ignore[arg-type]
    return {name: _matrix(result[column]) for name, column in zip(names, columns, strict=True)}


def _matrix(values: Any) -> npt.NDArray[Any]:
    if sparse.issparse(values):
        return values.toarray()
    array = np.asarray(values)
    if array.dtype == object and len(array) and not isinstance(array[0], str):
        return np.stack([np.asarray(value) for value in array])
    return array


def assert_equal(
    given: dict[str, npt.NDArray[Any]], wanted: dict[str, npt.NDArray[Any]], tolerance: float = TOLERANCE
) -> None:
    """Hold columns to each other: numbers to the tolerance, texts exactly."""
    assert given.keys() == wanted.keys()
    for name, values in wanted.items():
        if values.dtype.kind in "OUS":
            assert given[name].tolist() == values.tolist(), name
        else:
            actual, right = given[name].astype(np.float64), values.astype(np.float64)
            assert actual.shape == right.shape, name
            np.testing.assert_allclose(actual, right, rtol=tolerance, atol=tolerance, err_msg=name)


def assert_agrees(
    model: Model, estimator: Any, rows: Any, backend: str = "vectorized", tolerance: float = TOLERANCE
) -> None:
    """Hold a model to the estimator."""
    wanted = expected(estimator, rows)
    assert_equal(found(model, rows, list(wanted), backend), wanted, tolerance)


def reloaded(model: Model, folder: Path, form: str) -> Model:
    """The model, saved and loaded."""
    path = folder / f"model-{form}.zip"
    leapstream.save(model, path, format=form)  # type: ignore[arg-type]
    return leapstream.load(path)
