"""Computes what a library itself predicts for rows: the expected results of a contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from leapstream.errors import ExportError
from leapstream.exporters import lightgbm, sklearn, xgboost
from leapstream.exporters.proof import Answers
from leapstream.exporters.tensorflow import keras
from leapstream.model import Model

_BY_PACKAGE: dict[str, Callable[[Any, Model, Any], Answers]] = {
    "xgboost": xgboost.answers,
    "lightgbm": lightgbm.answers,
    "keras": keras.answers,
}


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
    try:
        found = answers(fitted, model, rows)
    # A library may raise anything for rows that are not like those of its training.
    except Exception as error:
        raise ExportError(f"{package} does not predict the records: {type(error).__name__}: {error}") from error
    known = {*model.schema.outputs.names, *model.schema.intermediate.names}
    return {name: values for name, values in found.items() if name in known}
