"""Computes what a library itself predicts for rows: the expected results of a contract."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from leapstream.errors import ExportError
from leapstream.exporters import lightgbm, sklearn, xgboost
from leapstream.exporters.boosterfile import BoosterFile
from leapstream.exporters.proof import Answers
from leapstream.exporters.tensorflow import keras
from leapstream.model import Model

_BY_PACKAGE: dict[str, Callable[[Any, Model, Any], Answers]] = {
    "xgboost": xgboost.answers,
    "lightgbm": lightgbm.answers,
    "keras": keras.answers,
}

FILES: dict[str, Callable[[Path, Any], BoosterFile]] = {"xgboost": xgboost.read_file, "lightgbm": lightgbm.read_file}
"""Readers of the files that leapstream reads without their library."""


def library_answers(fitted: Any, model: Model, rows: Any) -> Answers:
    """The results of a fitted object for rows of its data, by the column of the model that was made of it.

    Args:
        fitted: an estimator or booster of scikit-learn, XGBoost or LightGBM, or a Keras model.
        model: the model.
        rows: a dict of arrays or a DataFrame.

    Raises:
        ExportError: the library cannot predict the rows.
    """
    package = type(fitted).__module__.partition(".")[0]
    answers = _BY_PACKAGE.get(package, sklearn.model_answers)
    return _answered(package, model, lambda: answers(fitted, model, rows))


def file_answers(library: str, path: Path, model: Model, rows: Any) -> Answers:
    """The results of the library that saved a file of :data:`FILES`, as :func:`library_answers` gives them.

    Args:
        library: the library's name.
        path: the file; the library reads it in a process of its own.
        model: a model of the file's columns.
        rows: a dict of arrays or a DataFrame.

    Raises:
        ExportError: the file cannot be read, or the library cannot predict the rows.
        SchemaError: the model has other columns than the file.
    """
    file = FILES[library](path, model.schema.inputs)
    return _answered(library, model, lambda: file.answers(model, rows))


def _answered(library: str, model: Model, answers: Callable[[], Answers]) -> Answers:
    try:
        found = answers()
    # A library may raise anything for rows that are not like those of its training.
    except Exception as error:
        raise ExportError(f"{library} does not predict the records: {type(error).__name__}: {error}") from error
    known = {*model.schema.outputs.names, *model.schema.intermediate.names}
    return {name: values for name, values in found.items() if name in known}
