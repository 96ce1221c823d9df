"""The Python backend: a vectorized scalar function that runs a model's plan over batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyflink.table.udf import FunctionContext, ScalarFunction

from leapstream.flink.batch import predict_columns, series_values
from leapstream.flink.config import OnError
from leapstream.flink.signature import FunctionSignature
from leapstream.model import Model
from leapstream.sources import BundleLoader


@dataclass(frozen=True)
class WorkerBundle:
    """Where a worker finds a bundle: ``loadOn = "worker"``."""

    loader: BundleLoader
    path: str
    sha256: str | None = None

    def load(self) -> Model:
        """The model.

        Raises:
            SourceError: the bundle cannot be had.
            BundleError: it cannot be read.
        """
        model: Model = self.loader.load(self.path, sha256=self.sha256)
        return model


class PandasModelFunction(ScalarFunction):  # type: ignore[misc]
    """A pandas function that predicts; the model travels with it, or is read in :meth:`open`.

    PyFlink hands batches over as pandas Series, in which a missing number is NaN: this backend takes NaN for NULL, in arguments,
    in elements of arrays and in results.
    """

    def __init__(self, model: Model | WorkerBundle, signature: FunctionSignature, on_error: OnError) -> None:
        self._source = model
        self._signature = signature
        self._on_error = on_error
        self._model: Model | None = model if isinstance(model, Model) else None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_model": None}

    def open(self, function_context: FunctionContext) -> None:
        """Make the model ready."""
        self._model = self._source if isinstance(self._source, Model) else self._source.load()

    def eval(self, *columns: pd.Series[Any]) -> Any:
        """The results for a batch: a Series, or a DataFrame for a ROW. Dropped rows are NULL."""
        assert self._model is not None
        outputs, rows = predict_columns(self._model, self._signature, columns, self._on_error)
        size = next(len(values) for values in columns if isinstance(values, pd.Series))
        results: dict[str, pd.Series[Any]] = {
            f.name: _aligned(series_values(outputs[f.name], f), rows, size) for f in self._signature.outputs
        }
        if len(results) > 1:
            return pd.DataFrame(results)
        (result,) = results.values()
        return result


def _aligned(values: Any, rows: npt.NDArray[np.intp], size: int) -> pd.Series[Any]:
    aligned: pd.Series[Any]
    if len(rows) == size:
        aligned = pd.Series(values)
    else:
        whole = np.full(size, None, dtype=object)
        whole[rows] = values
        aligned = pd.Series(whole)
    return aligned
