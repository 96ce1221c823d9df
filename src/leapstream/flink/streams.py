"""Predictions for a whole stream, through the Table API: ``predict_stream``."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from pyflink.datastream import DataStream
from pyflink.table import StreamTableEnvironment

from leapstream.errors import ConfigError
from leapstream.executors.jvm.jar import compiled_model
from leapstream.flink.compat import environment_of
from leapstream.flink.config import Backend, OnError
from leapstream.flink.jars import add_jar
from leapstream.flink.queries import FunctionCall
from leapstream.flink.registry import MLeapUDFRegistry
from leapstream.model import Model

_FUNCTION_NUMBERS = itertools.count()


def predict_stream(
    data_stream: DataStream,
    model: Model | str,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    *,
    backend: Backend = "auto",
    on_error: OnError = "fail",
    table_env: StreamTableEnvironment | None = None,
) -> DataStream:
    """The stream with the model's predictions, computed in the JVM or in batches rather than record by record.

    The model's inputs are the stream's columns of their names; a stream that has none of these names (tuples, scalars) is
    taken by position. Records that the model drops have NULL predictions.

    Args:
        data_stream: rows, tuples or scalars, with their types known to Flink.
        model: a model, or path or URI of its bundle; or ``models.jar#NAME``, a function or model of a jar that
            ``leapstream compile`` wrote, which has its inputs, outputs and ``on_error`` in it.
        inputs: the columns, or positions' names, that the model reads; by default its inputs in order of first use.
        outputs: columns to add; by default the model's prediction, or all that a jar's model gives.
        backend: ``jvm``, ``python``, or ``auto``: the JVM where it can run the model.
        on_error: ``fail`` the job where the model refuses a record, or give ``null``.
        table_env: what converts the stream; by default a new one of the stream's environment.

    Returns:
        named rows: the stream's columns, then the predictions.

    Raises:
        ConfigError: the jar has no model of that name, or an option is given that is compiled into it.
        SchemaError: the stream's columns do not fit the model.
        LeapstreamError: the model cannot be had, read or run.
    """
    if table_env is None:
        table_env = StreamTableEnvironment.create(environment_of(data_stream))
    table = table_env.from_data_stream(data_stream)
    columns = list(table.get_schema().get_field_names())
    name = f"leapstream_predict_{next(_FUNCTION_NUMBERS)}"
    if isinstance(model, str) and (compiled := compiled_model(model)) is not None:
        if (inputs, outputs) != (None, None) or backend == "python" or on_error != "fail":
            raise ConfigError(f"{model}: inputs, outputs and on_error are compiled into a jar, which runs on the JVM")
        path, found = compiled
        add_jar(table_env, path)
        table_env.create_java_temporary_system_function(name, found.class_name)
        call = FunctionCall.of_compiled(name, found)
    else:
        function = MLeapUDFRegistry.register(
            name, model, table_env, inputs=inputs, outputs=outputs, backend=backend, on_error=on_error
        )
        call = FunctionCall.of_signature(function.signature)
    view = f"{name}_stream"
    table_env.create_temporary_view(view, table)
    try:
        result = table_env.sql_query(call.query(columns, view))
        return table_env.to_data_stream(result)
    finally:
        table_env.drop_temporary_view(view)
        table_env.drop_temporary_system_function(name)
