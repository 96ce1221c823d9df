"""The vectorized executor in Flink: a scalar function over batches, in a Python process beside the JVM."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyflink.table.udf import FunctionContext, ScalarFunction

from leapstream.errors import PredictionError
from leapstream.flink.batch import BatchPredictions, number_of_rows, predict_columns, repeated, series_values
from leapstream.flink.failurelog import FailureLog
from leapstream.flink.following import FollowedModel, FollowedSignature, Follower, LiveVersion, LiveVersions
from leapstream.flink.options import OnFailure
from leapstream.flink.signature import FunctionSignature
from leapstream.flink.stored import MODEL_VERSION, SHADOW, SHADOW_ERROR, SHADOW_VERSION
from leapstream.model import Model
from leapstream.sources import BundleLoader
from leapstream.store import Version


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
    """Metrics of a model, in the same group as on the JVM: ``leapstream.model.NAME.version.UID``, or that of a store's version.

    ``predictions``, ``failures`` and ``dropped`` are counters, ``loadTimeMs`` and ``lastErrorTime`` are gauges, and
    ``latencyNanos`` is a distribution of the mean time of a prediction in each batch. PyFlink has no gauges of text: the last
    error is in the log alone.
    """

    def __init__(
        self, context: FunctionContext, model: Model, load_seconds: float, stored: Version | None = None
    ) -> None:
        self._predictions = self._failures = self._dropped = self._latency = None
        self._last_error_time = 0
        try:
            parent = context.get_metric_group()
        # python.metric.enabled = false
        except RuntimeError:
            return
        name, version = (model.name, model.definition.uid) if stored is None else (stored.name, stored.version)
        group = parent.add_group("leapstream").add_group("model", name).add_group("version", version)
        self._predictions, self._failures = group.counter("predictions"), group.counter("failures")
        self._dropped = group.counter("dropped")
        self._latency = group.distribution("latencyNanos")
        group.gauge("loadTimeMs", lambda: int(load_seconds * 1000))
        group.gauge("lastErrorTime", lambda: self._last_error_time)

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
        if failed:
            self._last_error_time = int(time.time() * 1000)
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
        found = _measured(self._model, self._metrics, self._failures, self._signature, columns, self._on_error)
        return _result(_aligned_outputs(found, self._signature, number_of_rows(columns)), self._signature)


@dataclass(frozen=True)
class _OpenVersion:
    """A live version with its metrics in this function."""

    live: LiveVersion
    metrics: ModelMetrics
    failures: FailureLog


class FollowingPandasFunction(ScalarFunction):  # type: ignore[misc]
    """A pandas function over the live versions of a model in a store.

    Args:
        model: the model.
        signature: the function's arguments and result.
        on_error: as in :class:`PandasModelFunction`.
    """

    def __init__(self, model: FollowedModel, signature: FunctionSignature, on_error: OnFailure) -> None:
        self._source = model
        self._signature = signature
        self._parts = FollowedSignature.of(signature, model.expected)
        self._on_error = on_error
        self._follower: Follower | None = None
        self._context: FunctionContext | None = None
        self._live: LiveVersions | None = None
        self._versions: tuple[_OpenVersion, ...] = ()
        self._shadows: tuple[_OpenVersion, ...] = ()
        self._opened: dict[str, _OpenVersion] = {}

    def open(self, function_context: FunctionContext) -> None:
        """Load the versions that are live."""
        self._context = function_context
        self._follower = self._source.follow()
        store_metrics(function_context, self._source.stored.name, self._follower)

    def close(self) -> None:
        """Warn of the failures that no warning has counted, and need the model no more."""
        for version in self._opened.values():
            version.failures.close()
        if self._follower is not None:
            self._follower.close()
            self._follower = None

    def eval(self, *columns: pd.Series[Any]) -> Any:
        """The results for a batch, all of whose rows are computed by the versions of one moment."""
        live = self._changed()
        size = number_of_rows(columns)
        # The inputs of a model may be constants, and the split key a column.
        arguments = dict(zip(self._signature.inputs.names, repeated(columns, size), strict=True))
        places = self._places(live, arguments, size)
        answer = self._parts.answer
        given = [arguments[name] for name in answer.inputs.names]
        beside = self._shadow_columns(given, size)
        parts: list[tuple[npt.NDArray[np.intp], dict[str, pd.Series[Any]]]] = []
        for place, version in enumerate(self._versions):
            rows = np.flatnonzero(places == place)
            if len(rows) == 0:
                continue
            some = given if len(rows) == size else [values.iloc[rows].reset_index(drop=True) for values in given]
            found = _measured(version.live.model, version.metrics, version.failures, answer, some, self._on_error)
            outputs = _aligned_outputs(found, answer, len(rows))
            if MODEL_VERSION in self._signature.outputs:
                outputs.setdefault(MODEL_VERSION, pd.Series([version.live.version.version] * len(rows), dtype=object))
            parts.append((rows, outputs))
        return _result({**beside, **_joined(parts, size)}, self._signature)

    def _shadow_columns(self, given: Sequence[Any], size: int) -> dict[str, pd.Series[Any]]:
        """The columns of the first shadow for a batch; all shadows compute it."""
        missing = pd.Series(np.full(size, None))
        columns = dict.fromkeys(self._signature.outputs.names, missing)
        for shadow in reversed(self._shadows):
            outputs, errors = _shadowed(shadow, self._parts.shadow, given, size)
            columns |= {f"{SHADOW}{name}": outputs.get(name, missing) for name in self._parts.shadow.outputs.names}
            columns[SHADOW_VERSION] = pd.Series([shadow.live.version.version] * size, dtype=object)
            columns[SHADOW_ERROR] = pd.Series([errors.get(row) for row in range(size)], dtype=object)
        return columns

    def _changed(self) -> LiveVersions:
        """The versions that are live now, with their metrics."""
        assert self._follower is not None and self._context is not None
        live = self._follower.live
        if live is not self._live:
            self._live = live
            self._versions, self._shadows = tuple(map(self._open, live.versions)), tuple(map(self._open, live.shadows))
        return live

    def _open(self, live: LiveVersion) -> _OpenVersion:
        found = self._opened.get(live.version.version)
        if found is None or found.live is not live:
            # Beam keeps the metrics of a version, which a rollback finds again.
            metrics = ModelMetrics(self._context, live.model, live.load_seconds, live.version)
            found = _OpenVersion(live, metrics, FailureLog(live.model, live.version.version))
            self._opened[live.version.version] = found
        return found

    def _places(self, live: LiveVersions, arguments: dict[str, pd.Series[Any]], size: int) -> npt.NDArray[np.intp]:
        """The place of the version of each row; that of the first for a row without a key."""
        places = np.zeros(size, dtype=np.intp)
        key = self._source.stored.split_key
        if key is not None and len(live.versions) > 1:
            for row, value in enumerate(arguments[key].array):
                places[row] = live.place_of(value)
        return places


def store_metrics(context: FunctionContext, name: str, follower: Follower) -> None:
    """The gauges of a store: ``leapstream.store.NAME.reloads`` and ``reloadFailures``."""
    try:
        group = context.get_metric_group().add_group("leapstream").add_group("store", name)
    # python.metric.enabled = false
    except RuntimeError:
        return
    group.gauge("reloads", lambda: follower.reloads)
    group.gauge("reloadFailures", lambda: follower.reload_failures)


def _shadowed(
    shadow: _OpenVersion, signature: FunctionSignature, columns: Sequence[Any], size: int
) -> tuple[dict[str, pd.Series[Any]], dict[int, str]]:
    """The outputs of a shadow for a batch, and its errors by row. Whatever fails in it concerns its columns and metrics alone."""
    try:
        found = _measured(shadow.live.model, shadow.metrics, None, signature, columns, "null")
        return _aligned_outputs(found, signature, size), found.errors
    except Exception as error:
        shadow.metrics.count(size, 0)
        return {}, dict.fromkeys(range(size), str(error))


def _measured(
    model: Model,
    metrics: ModelMetrics,
    failures: FailureLog | None,
    signature: FunctionSignature,
    columns: Sequence[Any],
    on_error: OnFailure,
) -> BatchPredictions:
    """The predictions for a batch, which are counted; rows that fail are logged where there is a log."""
    with metrics.batch(number_of_rows(columns)):
        found = predict_columns(model, signature, columns, on_error)
    metrics.count(len(found.errors), found.dropped)
    if found.errors and failures is not None:
        failures.failed(len(found.errors), found.errors[max(found.errors)])
    return found


def _aligned_outputs(found: BatchPredictions, signature: FunctionSignature, size: int) -> dict[str, pd.Series[Any]]:
    """The columns of the result, with a row for each row of the batch."""
    results: dict[str, pd.Series[Any]] = {
        f.name: _aligned(series_values(found.outputs[f.name], f), found.rows, size) for f in signature.model_outputs
    }
    if signature.error is not None:
        results[signature.error] = pd.Series([found.errors.get(row) for row in range(size)], dtype=object)
    return results


def _joined(
    parts: Sequence[tuple[npt.NDArray[np.intp], dict[str, pd.Series[Any]]]], size: int
) -> dict[str, pd.Series[Any]]:
    """The columns of a batch whose rows were computed in parts."""
    if len(parts) == 1:
        return parts[0][1]
    rows = np.concatenate([rows for rows, _ in parts])
    order = np.argsort(rows)
    return {
        name: pd.concat([outputs[name] for _, outputs in parts], ignore_index=True).iloc[order].reset_index(drop=True)
        for name in parts[0][1]
    }


def _result(columns: dict[str, pd.Series[Any]], signature: FunctionSignature) -> Any:
    if len(signature.outputs) > 1:
        return pd.DataFrame({name: columns[name] for name in signature.outputs.names})
    return columns[signature.outputs.names[0]]


def _aligned(values: Any, rows: npt.NDArray[np.intp], size: int) -> pd.Series[Any]:
    aligned: pd.Series[Any]
    if len(rows) == size:
        aligned = pd.Series(values)
    else:
        whole = np.full(size, None, dtype=object)
        whole[rows] = values
        aligned = pd.Series(whole)
    return aligned
