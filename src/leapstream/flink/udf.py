"""The vectorized executor in Flink: a scalar function over batches, in a Python process beside the JVM."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyflink.table.udf import FunctionContext, ScalarFunction

from leapstream.errors import PredictionError
from leapstream.flink.batch import predict_columns, series_values
from leapstream.flink.failurelog import FailureLog
from leapstream.flink.options import OnFailure
from leapstream.flink.signature import FunctionSignature
from leapstream.model import Model
from leapstream.sources import BundleLoader


@dataclass(frozen=True)
class WorkerBundle:
    """The place from which each worker loads a bundle: ``load_on="worker"``."""

    loader: BundleLoader
    path: str = field(repr=False)  # a URI may hold secrets
    sha256: str | None = None

    def load(self) -> Model:
        """The model.

        Raises:
            SourceError: the bundle cannot be fetched.
            BundleError: it cannot be read.
        """
        model: Model = self.loader.load(self.path, sha256=self.sha256)
        return model


class ModelMetrics:
    """Metrics of a model, in the same group as on the JVM: ``leapstream.model.NAME.version.UID``.

    ``predictions``, ``failures`` and ``dropped`` are counters, ``loadTimeMs`` is a gauge, and ``latencyNanos`` a distribution of
    the mean time of a prediction in each batch. PyFlink has no gauges of text: the last error is in the log alone.
    """

    def __init__(self, context: FunctionContext, model: Model, load_seconds: float) -> None:
        self._predictions = self._failures = self._dropped = self._latency = None
        try:
            parent = context.get_metric_group()
        # python.metric.enabled = false
        except RuntimeError:
            return
        group = parent.add_group("leapstream").add_group("model", model.name)
        group = group.add_group("version", model.definition.uid)
        self._predictions, self._failures = group.counter("predictions"), group.counter("failures")
        self._dropped = group.counter("dropped")
        self._latency = group.distribution("latencyNanos")
        group.gauge("loadTimeMs", lambda: int(load_seconds * 1000))

    @contextmanager
    def batch(self, size: int) -> Iterator[None]:
        """Count and time the predictions of a batch."""
        began = time.perf_counter_ns()
        if self._predictions is not None and self._failures is not None:
            self._predictions.inc(size)
            # Beam tells only of counters that were touched.
            self._failures.inc(0)
        try:
            yield
        except PredictionError:
            self.count(1, 0)
            raise
        if self._latency is not None:
            self._latency.update((time.perf_counter_ns() - began) // max(size, 1))

    def count(self, failed: int, dropped: int) -> None:
        """Count rows that fail, and rows that the model drops."""
        if self._failures is not None and self._dropped is not None:
            self._failures.inc(failed)
            self._dropped.inc(dropped)


class PandasModelFunction(ScalarFunction):  # type: ignore[misc]
    """A pandas function that predicts; the model travels with it, or is read in :meth:`open`.

    PyFlink hands batches over as pandas Series, in which a missing number is NaN: this backend takes NaN for NULL, in arguments,
    in elements of arrays and in results.
    """

    def __init__(self, model: Model | WorkerBundle, signature: FunctionSignature, on_error: OnFailure) -> None:
        self._source = model
        self._signature = signature
        self._on_error = on_error
        self._model: Model | None = model if isinstance(model, Model) else None
        self._metrics: ModelMetrics | None = None
        self._failures: FailureLog | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_model": None, "_metrics": None, "_failures": None}

    def open(self, function_context: FunctionContext) -> None:
        """Make the model ready."""
        began = time.perf_counter()
        self._model = self._source if isinstance(self._source, Model) else self._source.load()
        self._metrics = ModelMetrics(function_context, self._model, time.perf_counter() - began)
        self._failures = FailureLog(self._model)

    def close(self) -> None:
        """Warn of the failures that no warning has counted."""
        if self._failures is not None:
            self._failures.close()

    def eval(self, *columns: pd.Series[Any]) -> Any:
        """The results for a batch: a Series, or a DataFrame for a ROW. Dropped rows are NULL."""
        assert self._model is not None and self._metrics is not None and self._failures is not None
        size = next(len(values) for values in columns if isinstance(values, pd.Series))
        with self._metrics.batch(size):
            found = predict_columns(self._model, self._signature, columns, self._on_error)
        self._metrics.count(len(found.errors), found.dropped)
        if found.errors:
            self._failures.failed(len(found.errors), found.errors[max(found.errors)])
        results: dict[str, pd.Series[Any]] = {
            f.name: _aligned(series_values(found.outputs[f.name], f), found.rows, size)
            for f in self._signature.model_outputs
        }
        if self._signature.error is not None:
            results[self._signature.error] = pd.Series([found.errors.get(row) for row in range(size)], dtype=object)
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
