"""Predictions for a whole stream, through the Table API: ``predict_stream``."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from functools import partial

from pyflink.datastream import DataStream
from pyflink.table import StreamTableEnvironment

from leapstream.deprecation import keyword_only
from leapstream.errors import ConfigError
from leapstream.executors.jvm.jar import compiled_model
from leapstream.flink.compat import environment_of, java_stream, name_operators, split_stream
from leapstream.flink.jars import add_jar
from leapstream.flink.loading import ModelSource, load_model
from leapstream.flink.operatornames import operator_name
from leapstream.flink.options import BACKEND, ON_ERROR, Backend, OnFailure
from leapstream.flink.preparing import prepare, prepare_stored
from leapstream.flink.queries import FunctionCall
from leapstream.flink.registration import register_functions
from leapstream.flink.stored import DEFAULT_INTERVAL, StoredModel
from leapstream.model import Model
from leapstream.sources import SourceOptions

_FUNCTION_NUMBERS = itertools.count()


class PredictedStream(DataStream):  # type: ignore[misc]
    """The predictions of ``predict_stream`` or ``score_stream``; records that fail may be a stream of their own."""

    def __init__(self, predictions: DataStream, failed: DataStream | None = None) -> None:
        super().__init__(java_stream(predictions))
        self._failed = failed

    @property
    def failed(self) -> DataStream:
        """The records that fail, a side output: named rows of the given stream's columns, then the error as text.

        Raises:
            ConfigError: the function did not get ``failed=True``.
        """
        if self._failed is None:
            raise ConfigError("records that fail are set aside with failed=True")
        return self._failed


@keyword_only("inputs", "outputs")
def predict_stream(
    data_stream: DataStream,
    model: ModelSource | StoredModel | None = None,
    *,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    backend: Backend = "auto",
    on_error: OnFailure | None = None,
    failed: bool = False,
    error_column: str = "error",
    sha256: str | None = None,
    options: SourceOptions | None = None,
    table_env: StreamTableEnvironment | None = None,
    store: str | None = None,
    alias: str | None = None,
    version: str | None = None,
    reload_interval: str = DEFAULT_INTERVAL,
    split_key: str | None = None,
    shadow: str | Sequence[str] = (),
) -> PredictedStream:
    """The stream with the model's predictions, computed in the JVM or in batches rather than record by record.

    The model's inputs are the stream's columns of the same names; in a stream that has none of these names (tuples, scalars) they
    are its columns in order. Records that the model drops have NULL predictions.

    Args:
        data_stream: rows, tuples or scalars, with their types known to Flink.
        model: a model, or the path or URI of its bundle; or ``models.jar#NAME``, a function or model of a jar that
            ``leapstream compile`` wrote, which has its inputs, outputs and ``on_error`` in it.
        inputs: names of the stream's columns that the model reads; by default its inputs in order of first use.
        outputs: columns to add; by default the model's prediction, or all that a jar's model gives.
        backend: ``jvm``, ``vectorized``, or ``auto``: the JVM where it can run the model.
        on_error: ``raise`` for a record that fails, which fails the job; give ``null``; or keep it as a ``row`` with NULL
            predictions, and the error as text in a further column.
        failed: set records that fail aside, in a side output; then ``on_error`` is ``row``.
        error_column: the name of the column for errors, which neither the stream nor the outputs may have.
        sha256: the checksum of the bundle's file; it is verified when the model is loaded.
        options: settings for bundles that are fetched.
        table_env: the environment that converts the stream; by default a new one of the stream's environment.
        store: ``STORE/NAME``: the model in a store, in place of ``model``. The stream follows it while the job runs.
        alias: the alias to follow; ``live`` by default.
        version: a version of the store, in place of an alias.
        reload_interval: the time between two looks at the alias, such as ``60 s``.
        split_key: the column by which rows are split among the versions of an alias with weights.
        shadow: a version, or several, to compute beside; ``outputs`` may have ``shadow_NAME`` and ``shadow_version``.

    Returns:
        named rows: the stream's columns, then the predictions. With ``failed=True``, records that fail are not among them; they
            are the stream's attribute ``failed``.

    Raises:
        ConfigError: options contradict each other, an output has the name of the column for errors, the jar has no model of that
            name, or an option is given that is compiled into it.
        SchemaError: the stream's columns do not fit the model.
        LeapstreamError: the model cannot be fetched, read or run.
    """
    backend = BACKEND.check(backend, "predict_stream")
    if failed and on_error not in (None, "row"):
        raise ConfigError(f"predict_stream: failed=True keeps records that fail, and on_error is {on_error!r}")
    on_error = ON_ERROR.check("row" if failed else on_error or "raise", "predict_stream")
    if store is not None:
        if model is not None:
            raise ConfigError("give a model or a store, not both")
        model = StoredModel(
            store, alias=alias, version=version, reload_interval=reload_interval, split_key=split_key, shadow=shadow
        )
    elif (alias, version, split_key) != (None, None, None) or shadow:
        raise ConfigError("alias, version, split_key and shadow need a store")
    if model is None:
        raise ConfigError("give a model or a store")
    if table_env is None:
        table_env = StreamTableEnvironment.create(environment_of(data_stream))
    table = table_env.from_data_stream(data_stream)
    columns = list(table.get_schema().get_field_names())
    name = f"leapstream_predict_{next(_FUNCTION_NUMBERS)}"
    compiled = None if isinstance(model, Model | StoredModel) else compiled_model(os.fspath(model))
    if compiled is not None:
        if (inputs, outputs, sha256, options) != (None,) * 4 or backend == "vectorized" or on_error != "raise":
            raise ConfigError(f"{model}: inputs, outputs and on_error are compiled into a jar, which runs on the JVM")
        path, found = compiled
        add_jar(table_env, path)
        table_env.create_java_temporary_system_function(name, found.class_name)
        call = FunctionCall.of_compiled(name, found)
        shown = operator_name(found)
    else:
        if isinstance(model, StoredModel):
            if sha256 is not None:
                raise ConfigError("sha256 is that of a bundle, not of a store")
            prepared = partial(prepare_stored, name, model, options=options)
            shown = operator_name(model)
        else:
            loaded = load_model(model, sha256=sha256, options=options)
            prepared = partial(prepare, name, loaded)
            shown = operator_name(loaded)
        function = prepared(
            inputs=inputs, outputs=outputs, backend=backend, on_error=on_error, error_column=error_column
        )
        register_functions([function], table_env)
        call = FunctionCall.of_signature(function.signature)
    view = f"{name}_stream"
    table_env.create_temporary_view(view, table)
    try:
        result = table_env.sql_query(call.query(columns, view))
        stream = table_env.to_data_stream(result)
        name_operators(stream, name, shown)
        if not failed:
            return PredictedStream(stream)
        return PredictedStream(*split_stream(stream, result, len(columns), f"failed rows of {shown}"))
    finally:
        table_env.drop_temporary_view(view)
        table_env.drop_temporary_system_function(name)
