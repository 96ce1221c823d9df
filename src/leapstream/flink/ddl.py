"""SQL statements that define models, functions and tables for a bundle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from leapstream.bundle.types import BasicType, DataType, Field, MapType, ScalarType, Schema
from leapstream.errors import ConfigError
from leapstream.escaping import is_printable, sql_name, sql_string
from leapstream.executors.jvm.sources import PROVIDERS
from leapstream.flink.compiler import Target
from leapstream.flink.options import ON_ERROR, OnFailure
from leapstream.flink.signature import sql_type
from leapstream.model import Model
from leapstream.ops.feature.categories import StringIndexer

PREDICT_FUNCTION = "MLEAP_PREDICT"
"""The process table function that predicts with any model of a session's jars; it needs Flink 2.1."""

PREDICT_CLASS = f"{PROVIDERS}.MLeapPredict"
"""Its class."""

_DEFAULT_SIZE = 3
_MOST_LABELS = 8


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


def create_table_statement(name: str, model: Model, rows: int = 10) -> str:
    """``CREATE TABLE`` of random rows for a model: strings are labels that its string indexers know.

    Raises:
        ConfigError: an input is of a type that the datagen connector has no random values for.
    """
    labels = _labels(model)
    columns: list[str] = []
    options = {"connector": "datagen", "number-of-rows": str(rows)}
    for field in model.schema.inputs:
        column = _name(field.name)
        if field.name in labels:
            number = f"{field.name}_number"
            known = ", ".join(map(sql_string, labels[field.name]))
            columns += [f"{_name(number)} INT", f"{column} AS ELT({_name(number)}, {known})"]
            options |= {f"fields.{number}.min": "1", f"fields.{number}.max": str(len(labels[field.name]))}
        else:
            columns.append(f"{column} {sql_type(field.type)}")
            options |= dict(_ranges(field))
    parts = (",\n  ".join(columns), _options(options, ",\n  "))
    return f"CREATE TABLE {_name(name)} (\n  {parts[0]}\n) WITH (\n  {parts[1]}\n)"


def statements(name: str, model: Model) -> list[str]:
    """The statements of ``leapstream ddl``: they define a table, a function and a model, and query these."""
    function, target = Target(name, model), Target(name, model, "model")
    rows = f"{name}Features"
    signature, arguments = function.signature(), target.signature().inputs
    call = ", ".join(_name(f.name) for f in signature.inputs)
    descriptor = ", ".join(_name(f.name) for f in arguments)
    return [
        create_table_statement(rows, model),
        create_function_statement(function),
        create_model_statement(target),
        predict_function_statement(),
        f"SELECT {_name(name)}({call}) AS prediction FROM {_name(rows)}",
        f"SELECT * FROM ML_PREDICT(TABLE {_name(rows)}, MODEL {_name(target.name)}, DESCRIPTOR({descriptor}))",
        f"SELECT * FROM {PREDICT_FUNCTION}(input => TABLE {_name(rows)}, model => {sql_string(name)}, on_error => 'row')",
    ]


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


def _labels(model: Model) -> dict[str, tuple[str, ...]]:
    """The first labels of the string indexer that reads an input, by input."""
    found: dict[str, tuple[str, ...]] = {}
    for node in model.nodes:
        if isinstance(node.op, StringIndexer):
            for column, labels in zip(node.input_columns().values(), node.op.labels_array, strict=False):
                inputs = model.schema.inputs
                if column in inputs and sql_type(inputs[column].type) == "STRING" and labels:
                    found.setdefault(column, tuple(labels[:_MOST_LABELS]))
    return found


def _ranges(field: Field) -> Iterator[tuple[str, str]]:
    data_type: DataType = field.type
    if isinstance(data_type, MapType) or data_type.base is BasicType.BYTE_STRING:
        raise ConfigError(f"column {field.name!r} is {sql_type(data_type)}, which datagen makes no rows of")
    if isinstance(data_type, ScalarType):
        if data_type.base not in (BasicType.STRING, BasicType.BOOLEAN):
            yield from ((f"fields.{field.name}.min", "0"), (f"fields.{field.name}.max", "10"))
        return
    size = getattr(data_type, "size", None)
    yield f"fields.{field.name}.length", str(size if size and size > 0 else _DEFAULT_SIZE)
    if data_type.base not in (BasicType.STRING, BasicType.BOOLEAN):
        yield from ((f"fields.{field.name}.element.min", "0"), (f"fields.{field.name}.element.max", "10"))
