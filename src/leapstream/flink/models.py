"""Models in SQL, for ``ML_PREDICT``: ``create_model``."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from pyflink.table import TableEnvironment

from leapstream.deprecation import moved_names
from leapstream.flink.compat import require_models
from leapstream.flink.compiler import Target, compile_jar
from leapstream.flink.config import ON_ERROR, OnError, choice
from leapstream.flink.ddl import create_model_statement
from leapstream.flink.jars import add_jar, jar_directory
from leapstream.model import Model, load


def create_model(
    table_env: TableEnvironment,
    name: str,
    model: Model | str,
    *,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    on_error: OnError = "fail",
) -> str:
    """Make a model known to ``ML_PREDICT``: ``SELECT * FROM ML_PREDICT(TABLE t, MODEL name, DESCRIPTOR(a, b))``.

    It is a temporary model, compiled into a jar that travels with the session's jobs.

    Args:
        table_env: where it is created.
        name: its name, an identifier of Java.
        model: a model, or path or URI of its bundle.
        inputs: the columns of the descriptor, in order; by default the bundle's inputs in order of first use.
        outputs: columns to give; by default all that the bundle gives.
        on_error: ``fail`` the job where the model refuses a row, or give ``null`` in all of its outputs.

    Returns:
        the ``CREATE MODEL`` statement that was executed.

    Raises:
        ConfigError: ``on_error`` or the name is malformed.
        BackendError: Flink is older than 2.1, or the JVM cannot run the model.
        LeapstreamError: the bundle cannot be had, read or run.
    """
    require_models()
    choice(on_error, "on_error", ON_ERROR, f"model {name!r}")
    known = model if isinstance(model, Model) else load(model)
    target = Target(
        name,
        known,
        "model",
        None if inputs is None else tuple(inputs),
        None if outputs is None else tuple(outputs),
    )
    path = Path(tempfile.mkdtemp(dir=jar_directory())) / f"{name}.jar"
    compile_jar(path, [target])
    add_jar(table_env, path)
    statement = create_model_statement(target, on_error=on_error, temporary=True)
    table_env.execute_sql(statement)
    return statement


__getattr__ = moved_names(
    __name__,
    dict.fromkeys(("create_function_statement", "create_table_statement", "statements"), "leapstream.flink.ddl"),
)
