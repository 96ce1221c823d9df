"""Models in SQL, for ``ML_PREDICT``: ``create_model``."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from pyflink.table import TableEnvironment

from leapstream.deprecation import moved_names, old_order
from leapstream.executors.jvm.runtime_jar import process_directory
from leapstream.flink.compat import require_models
from leapstream.flink.compiler import Target, compile_jar
from leapstream.flink.ddl import create_model_statement, predict_function_statement
from leapstream.flink.jars import add_runtime_jar
from leapstream.flink.loading import ModelSource, load_model
from leapstream.flink.names import check_name
from leapstream.flink.options import ON_ERROR, OnFailure
from leapstream.sources import SourceOptions


@old_order("table_env", "name", "model", when=lambda first: isinstance(first, TableEnvironment))
def create_model(
    name: str,
    model: ModelSource,
    table_env: TableEnvironment,
    *,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    on_error: OnFailure = "raise",
    error_column: str = "error",
    version_column: str | None = None,
    sha256: str | None = None,
    options: SourceOptions | None = None,
) -> str:
    """Make a model known to ``ML_PREDICT``: ``SELECT * FROM ML_PREDICT(TABLE t, MODEL name, DESCRIPTOR(a, b))``.

    It is a temporary model, compiled into a jar that travels with the session's jobs. The function ``MLEAP_PREDICT`` knows it
    too: ``SELECT * FROM MLEAP_PREDICT(input => TABLE t, model => 'name', on_error => 'row')``.

    Args:
        name: the model's name, an identifier of Java.
        model: a model, or the path or URI of its bundle.
        table_env: the environment in which the model is created.
        inputs: the columns of the descriptor, in order; by default the bundle's inputs in order of first use.
        outputs: columns to give; by default all that the bundle gives.
        on_error: ``raise`` for a row that fails, which fails the job; give ``null`` in all of its outputs; or keep the ``row``,
            with NULL in all of its outputs and the error as text in another column.
        error_column: the name of that column, which no output may have.
        version_column: the name of a column with the version of the model that predicts; by default there is none.
        sha256: the checksum of the bundle's file; it is verified when the model is loaded.
        options: settings for bundles that are fetched.

    Returns:
        the ``CREATE MODEL`` statement that was executed.

    Raises:
        ConfigError: ``on_error`` or the name is malformed, or an output has the name of another column.
        BackendError: Flink is older than 2.1, or the JVM cannot run the model.
        LeapstreamError: the bundle cannot be fetched or read.
    """
    check_name(name, "model")
    require_models()
    on_error = ON_ERROR.check(on_error, f"model {name!r}")
    target = Target(
        name,
        load_model(model, sha256=sha256, options=options),
        "model",
        inputs=None if inputs is None else tuple(inputs),
        outputs=None if outputs is None else tuple(outputs),
    )
    statement = create_model_statement(
        target, on_error=on_error, error_column=error_column, version_column=version_column, temporary=True
    )
    path = Path(tempfile.mkdtemp(dir=process_directory())) / f"{name}.jar"
    compile_jar([target], path, self_contained=False)
    add_runtime_jar(table_env, path)
    # A statement, as it loads the class by the session's class loader, which has the session's models.
    table_env.execute_sql(predict_function_statement(temporary=True))
    table_env.execute_sql(statement)
    return statement


__getattr__ = moved_names(
    __name__,
    dict.fromkeys(("create_function_statement", "create_table_statement", "statements"), "leapstream.flink.ddl"),
)
