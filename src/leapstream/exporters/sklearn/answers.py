"""The results of scikit-learn's estimators, with which their models are compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from leapstream.exporters.proof import Answers, matrix_of


def answers(estimator: Any, predicted: Sequence[str] | None, column: str, rows: Any) -> Answers:
    """The results of an estimator by the model's column.

    Args:
        estimator: the estimator.
        predicted: the columns of a predictor; ``None`` for a transformer.
        column: the column of a transformer's result.
        rows: rows of the sample.
    """
    given = _given(estimator, rows)
    if predicted is None:
        return {column: estimator.transform(given)}
    found: dict[str, Any] = {"prediction": estimator.predict(given)}
    if "probability" in predicted and hasattr(estimator, "predict_proba"):
        shares = estimator.predict_proba(given)
        # Classifiers of several targets give a matrix for each.
        found["probability"] = np.hstack(shares) if isinstance(shares, list) else shares
    return found


def _given(estimator: Any, rows: Any) -> Any:
    """The rows as the estimator takes them: columns by name if it was fitted with names, else a matrix."""
    names = getattr(estimator, "feature_names_in_", None)
    if names is None or not (isinstance(rows, Mapping) or hasattr(rows, "columns")):
        return matrix_of(None, rows)
    named = matrix_of(names, rows)
    return named[list(names)]
