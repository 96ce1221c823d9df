"""SQL statements that define models, functions and tables for a bundle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from leapstream.bundle.elements import FLOATS
from leapstream.bundle.types import BasicType, DataType, Field, MapType, ScalarType, Schema
from leapstream.drift.profiles import Profile
from leapstream.errors import ConfigError
from leapstream.escaping import is_printable, sql_name, sql_string
from leapstream.executors.jvm.runtime_jar import FIRST_WITH_MODELS
from leapstream.executors.jvm.sources import PROVIDERS
from leapstream.flink.compiler import Target
from leapstream.flink.options import ON_ERROR, OnFailure
from leapstream.flink.signature import sql_type
from leapstream.model import Model
from leapstream.usual import Usual, size_of, usual_values

PREDICT_FUNCTION = "MLEAP_PREDICT"
"""The process table function that predicts with any model of a session's jars; it needs Flink 2.1."""

PREDICT_CLASS = f"{PROVIDERS}.MLeapPredict"
"""Its class."""

_LENGTH = 10
"""Characters of a random text."""


def create_model_statement(
    target: Target,
    *,
    on_error: OnFailure = "raise",
    error_column: str = "error",
    version_column: str | None = None,
    temporary: bool = False,
) -> str:
    """``CREATE MODEL`` for a model of a jar.

    Raises:
        ConfigError: an output has the name of the column for errors or versions.
    """
    signature = target.signature()
    options = {"provider": "mleap", "bundle": target.name}
    if on_error != "raise":
        options["on-error"] = ON_ERROR.words[on_error]
    more: dict[str, str] = {}
    for key, wanted, usual, column in (
        ("error", on_error == "row", "error", error_column),
        ("version", version_column is not None, "model_version", version_column or ""),
    ):
        if not wanted:
            continue
        if column in signature.outputs or column in more:
            raise ConfigError(
                f"model {target.name!r}: there is an output {column!r} already; {key}_column is another name"
            )
        more[column] = f"{_name(column)} STRING"
        if column != usual:
            options[f"{key}-column"] = column
    return (
        f"CREATE {'TEMPORARY ' if temporary else ''}MODEL {_name(target.name)}\n"
        f"INPUT ({_columns(signature.inputs)})\n"
        f"OUTPUT ({', '.join([_columns(signature.outputs), *more.values()])})\n"
        f"WITH ({_options(options)})"
    )


def create_function_statement(target: Target) -> str:
    """``CREATE FUNCTION`` for a function of a jar."""
    return f"CREATE FUNCTION {_name(target.name)} AS {sql_string(target.class_name)} LANGUAGE JAVA"


def predict_function_statement(*, temporary: bool = False) -> str:
    """``CREATE FUNCTION`` for ``MLEAP_PREDICT``, where there is none."""
    kind = "TEMPORARY SYSTEM FUNCTION" if temporary else "FUNCTION"
    return f"CREATE {kind} IF NOT EXISTS {PREDICT_FUNCTION} AS {sql_string(PREDICT_CLASS)} LANGUAGE JAVA"


def create_table_statement(name: str, model: Model, rows: int = 10, *, profile: Profile | None = None) -> str:
    """``CREATE TABLE`` of random rows for a model: usual values of its inputs, some of them missing.

    Args:
        name: the table.
        model: the model.
        rows: the number of rows.
        profile: the values of the inputs in training; without it, those that the model's ops tell: labels of indexers, bounds of
            buckets, ranges of scalers, thresholds of trees.

    Raises:
        ConfigError: an input is of a type that the datagen connector has no random values for.
    """
    usual = usual_values(model, profile)
    columns: list[str] = []
    options = {"connector": "datagen", "number-of-rows": str(rows)}
    for field in model.schema.inputs:
        column, values = _name(field.name), usual[field.name]
        random = field.name
        if values.choices:
            random = f"{field.name}_number"
            choice = f"ELT({_name(random)}, {', '.join(map(sql_string, values.choices))})"
            kind = sql_type(field.type)
            columns += [
                f"{_name(random)} INT",
                f"{column} AS {choice if kind == 'STRING' else f'CAST({choice} AS {kind})'}",
            ]
            options |= {f"fields.{random}.min": "1", f"fields.{random}.max": str(len(values.choices))}
        else:
            columns.append(f"{column} {sql_type(field.type)}")
            options |= dict(_ranges(field, values))
        if values.missing:
            options[f"fields.{random}.null-rate"] = f"{values.missing:.2g}"
    parts = (",\n  ".join(columns), _options(options, ",\n  "))
    return f"CREATE TABLE {_name(name)} (\n  {parts[0]}\n) WITH (\n  {parts[1]}\n)"


def statements(
    name: str,
    model: Model,
    *,
    jar: str | None = None,
    profile: Profile | None = None,
    flink: tuple[int, ...] = (2, 3),
) -> list[str]:
    """The statements of ``leapstream ddl``: they define a table, a function and a model, and query these.

    Args:
        name: the function and the model.
        model: the model.
        jar: the path of the jar that has both; without it, the session has it.
        profile: the values of the inputs in training.
        flink: the version of Flink, which may lack models or process table functions.
    """
    function, target = Target(name, model), Target(name, model, "model")
    rows = f"{name}Features"
    signature, arguments = function.signature(), target.signature().inputs
    call = ", ".join(_name(f.name) for f in signature.inputs)
    descriptor = ", ".join(_name(f.name) for f in arguments)
    found = []
    if jar is not None:
        # Batch mode has no process table functions, and the SQL client does not print rows of a script in other modes.
        found += ["SET 'execution.runtime-mode' = 'streaming'", "SET 'sql-client.execution.result-mode' = 'tableau'"]
        found.append(f"ADD JAR {sql_string(jar)}")
    found += [
        create_table_statement(rows, model, profile=profile),
        create_function_statement(function),
        f"SELECT {_name(name)}({call}) AS prediction FROM {_name(rows)}",
    ]
    if flink >= FIRST_WITH_MODELS:
        found += [
            create_model_statement(target),
            f"SELECT * FROM ML_PREDICT(TABLE {_name(rows)}, MODEL {_name(target.name)}, DESCRIPTOR({descriptor}))",
            predict_function_statement(),
            f"SELECT * FROM {PREDICT_FUNCTION}(input => TABLE {_name(rows)}, model => {sql_string(name)}, on_error => 'row')",
        ]
    return found


def _name(name: str) -> str:
    """The name as a quoted identifier.

    Raises:
        ConfigError: the name is empty or has characters that are not shown, for which quoted identifiers have no escapes.
    """
    if not name or not is_printable(name):
        raise ConfigError(
            f"column '{name}' has a name that statements cannot have: it is empty or has control characters"
        )
    return sql_name(name)


def _columns(schema: Schema) -> str:
    return ", ".join(f"{_name(f.name)} {sql_type(f.type)}" for f in schema)


def _options(options: Mapping[str, str], separator: str = ", ") -> str:
    return separator.join(f"{sql_string(key)} = {sql_string(value)}" for key, value in options.items())


def _is_number(data_type: DataType) -> bool:
    return data_type.base not in (BasicType.STRING, BasicType.BOOLEAN, BasicType.BYTE_STRING)


def _number(number: float, data_type: DataType) -> str:
    """A number as options and statements have it."""
    return repr(number) if data_type.base in FLOATS else str(int(number))


def _ranges(field: Field, values: Usual) -> Iterator[tuple[str, str]]:
    data_type: DataType = field.type
    if isinstance(data_type, MapType) or data_type.base is BasicType.BYTE_STRING:
        raise ConfigError(f"column {field.name!r} is {sql_type(data_type)}, which datagen makes no rows of")
    element = ""
    if not isinstance(data_type, ScalarType):
        yield f"fields.{field.name}.length", str(size_of(data_type))
        element = "element."
    if _is_number(data_type):
        low, high = values.low, values.high if values.high > values.low else values.low + 1
        short = float(f"{low:.4g}"), float(f"{high:.4g}")
        if data_type.base in FLOATS and short[0] < short[1]:
            low, high = short
        yield f"fields.{field.name}.{element}min", _number(low, data_type)
        yield f"fields.{field.name}.{element}max", _number(high, data_type)
    elif data_type.base is BasicType.STRING:
        yield f"fields.{field.name}.{element}length", str(_LENGTH)
