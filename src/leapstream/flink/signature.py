"""Signatures of functions: arguments and results, in leap types and in Flink's SQL types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from leapstream.bundle.types import BasicType, DataType, Field, MapType, ScalarType, Schema, TensorType, with_nullable
from leapstream.deprecation import keyword_only
from leapstream.errors import ConfigError, SchemaError
from leapstream.escaping import printable, sql_name
from leapstream.model import Model

SQL_TYPES: dict[BasicType, str] = {
    BasicType.BOOLEAN: "BOOLEAN",
    BasicType.BYTE: "TINYINT",
    BasicType.SHORT: "SMALLINT",
    BasicType.INT: "INT",
    BasicType.LONG: "BIGINT",
    BasicType.FLOAT: "FLOAT",
    BasicType.DOUBLE: "DOUBLE",
    BasicType.STRING: "STRING",
    BasicType.BYTE_STRING: "BYTES",
}


def sql_type(data_type: DataType) -> str:
    """The SQL type of a column: a tensor is an ARRAY of its elements in row-major order."""
    base = SQL_TYPES[data_type.base]
    if isinstance(data_type, ScalarType):
        return base
    return f"MAP<{SQL_TYPES[data_type.key]}, {base}>" if isinstance(data_type, MapType) else f"ARRAY<{base}>"


@dataclass(frozen=True)
class FunctionSignature:
    """Arguments and result of a function.

    Attributes:
        function: name of the function.
        model: name of the model, for error messages.
        inputs: the columns that the arguments stand for, in order.
        outputs: the columns of the result; several make a ROW.
        error: the last of these columns if it is the error of a row that fails; else ``None``.
    """

    function: str
    model: str
    inputs: Schema
    outputs: Schema
    error: str | None = None

    @classmethod
    @keyword_only("inputs", "outputs")
    def of(
        cls,
        function: str,
        model: Model,
        *,
        inputs: Sequence[str] | None = None,
        outputs: Sequence[str] | None = None,
        error: str | None = None,
    ) -> FunctionSignature:
        """The signature of a function of ``model``.

        Args:
            function: the function's name.
            model: the model that it runs.
            inputs: the model's inputs in the order of the arguments; by default the order of first use.
            outputs: columns to give; by default the model's prediction.
            error: the name of a further column for the error of a row that fails; by default there is none.

        Raises:
            ConfigError: an output has the name of the column for errors.
            SchemaError: an input or output is not known, an input that is needed is missing, or an output is a map.
        """
        wanted = tuple(outputs) if outputs is not None else model.prediction_columns()
        declared = model.schema.inputs
        # An output that needs only some of the inputs asks only for those.
        needed = model.needed_inputs(wanted)
        if inputs is None:
            names = tuple(name for name in declared.names if name in needed)
        else:
            names = tuple(inputs)
            unknown = [name for name in names if name not in declared]
            missing = [name for name in needed if name not in names]
            if unknown or missing:
                reason = f"has no input {unknown[0]!r}" if unknown else f"needs the input {missing[0]!r}"
                raise SchemaError(f"model {model.name!r} {reason}; its inputs are {declared}, inputs are {list(names)}")
        given = _all_nullable(Schema(tuple(declared[name] for name in names)))
        results = model.plan(_all_nullable(declared), wanted).output_schema
        for field in results:
            if isinstance(field.type, MapType):
                raise SchemaError(
                    f"model {model.name!r}: column {field.name!r} is a {field.type}, which no function gives"
                )
        return cls(function, model.name, given, results).with_error(error)

    def with_error(self, error: str | None) -> FunctionSignature:
        """This signature with a further column for the error of a row that fails; the same without a name for it.

        Raises:
            ConfigError: an output has the name.
        """
        if error is None:
            return self
        if error in self.outputs:
            raise ConfigError(f"{self.function!r}: there is an output {error!r} already; error_column is another name")
        return replace(self, outputs=Schema((*self.outputs, Field(error, ScalarType(BasicType.STRING)))), error=error)

    @property
    def model_outputs(self) -> Schema:
        """The columns that the model gives."""
        return self.outputs if self.error is None else Schema(tuple(self.outputs)[:-1])

    @property
    def input_types(self) -> tuple[str, ...]:
        """SQL types of the arguments."""
        return tuple(sql_type(f.type) for f in self.inputs)

    @property
    def result_type(self) -> str:
        """SQL type of the result."""
        fields = list(self.outputs)
        if len(fields) == 1:
            return sql_type(fields[0].type)
        return f"ROW<{', '.join(f'{sql_name(f.name)} {sql_type(f.type)}' for f in fields)}>"

    @property
    def packed(self) -> int:
        """The number of scalars that may stand for the only argument, a tensor; 0: any number; -1: scalars may not."""
        if len(self.inputs) != 1:
            return -1
        (field,) = self.inputs
        if not isinstance(field.type, TensorType):
            return -1
        size = field.type.size
        return 0 if size is None or size < 0 else size

    def require_row(self) -> None:
        """Check that a function which keeps rows that fail gives a ROW, whose last field is the error.

        Raises:
            ConfigError: it gives one value.
        """
        if self.error is not None and len(self.outputs) == 2:
            raise ConfigError(
                f"on_error 'row' (onError = row) is for functions of several outputs, whose ROW takes the error as a field: "
                f"{self.function!r} gives one value. Name more outputs, or use ML_PREDICT, MLEAP_PREDICT or predict_stream"
            )

    def __str__(self) -> str:
        arguments = ", ".join(f"{f.name} {kind}" for f, kind in zip(self.inputs, self.input_types, strict=True))
        return printable(f"{self.function}({arguments}) -> {self.result_type}")


def _all_nullable(schema: Schema) -> Schema:
    return Schema(tuple(Field(f.name, with_nullable(f.type, True)) for f in schema))
