"""Predictions in the DataStream API: record by record, or for a whole stream through the Table API."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyflink.common import Row, TypeInformation, Types
from pyflink.datastream import DataStream, OutputTag
from pyflink.datastream.functions import KeyedProcessFunction, MapFunction, RuntimeContext
from pyflink.table import StreamTableEnvironment

from leapstream.bundle.types import BasicType, DataType, MapType, ScalarType
from leapstream.errors import ConfigError, PredictionError, SchemaError
from leapstream.executors.columns import ARROW_TYPES
from leapstream.executors.jvm.jar import compiled_model
from leapstream.flink.compat import environment_of
from leapstream.flink.config import Backend, OnError
from leapstream.flink.jars import add_jar
from leapstream.flink.registry import MLeapUDFRegistry
from leapstream.flink.signature import FunctionSignature, quoted
from leapstream.model import Model, load

FAILED = OutputTag("leapstream-failed", Types.PICKLED_BYTE_ARRAY())
"""Side output of :class:`MLeapProcessFunction`: ``Row(record=…, error=…)`` for each record that the model refuses."""

_FUNCTION_NUMBERS = itertools.count()


class _Predictor:
    """What both functions share: the model, and how elements become records and predictions results."""

    def __init__(self, model: Model | str, inputs: Sequence[str] | None, outputs: Sequence[str] | None) -> None:
        self._source = model
        self._inputs = None if inputs is None else tuple(inputs)
        self._outputs = None if outputs is None else tuple(outputs)
        self._opened: tuple[Model, FunctionSignature] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_opened": None}

    def opened(self) -> tuple[Model, FunctionSignature]:
        if self._opened is None:
            model = self._source if isinstance(self._source, Model) else load(self._source)
            self._opened = model, FunctionSignature.of("predict", model, self._inputs, self._outputs)
        return self._opened

    def predict(self, element: Any) -> Any:
        model, signature = self.opened()
        names = signature.outputs.names
        found = model.predict_record(_with_maps(_record(element, signature), signature), outputs=names)
        if found is None:
            return None
        return found[names[0]] if len(names) == 1 else Row(**found)

    def produced_type(self) -> TypeInformation:
        _, signature = self.opened()
        kinds = [_type_information(f.type) for f in signature.outputs]
        return kinds[0] if len(kinds) == 1 else Types.ROW_NAMED(list(signature.outputs.names), kinds)


class MLeapMapFunction(MapFunction):  # type: ignore[misc]
    """Maps each element to the model's prediction; loads the model in ``open()``.

    Elements are named rows, dicts and named tuples, whose fields are taken by name; rows, tuples and lists by position in the
    order of ``inputs``; and scalars, where there is one input. Where the only input is a tensor, a tuple or list may be the
    tensor. The result is the output's value (a tensor as a list), a named ``Row`` of several outputs, or ``None`` where the
    model drops the record.

    Args:
        model: a model, or path or URI of its bundle; a URI is loaded on the worker.
        inputs: names of the positional fields; by default the model's inputs in order of first use.
        outputs: columns to give; by default the model's prediction.
        on_error: ``fail`` the job where the model refuses a record, or give ``null``.
    """

    def __init__(
        self,
        model: Model | str,
        inputs: Sequence[str] | None = None,
        outputs: Sequence[str] | None = None,
        on_error: OnError = "fail",
    ) -> None:
        self._predictor = _Predictor(model, inputs, outputs)
        self._on_error = on_error

    def open(self, runtime_context: RuntimeContext) -> None:
        """Load the model.

        Raises:
            LeapstreamError: it cannot be had, read or run.
        """
        self._predictor.opened()

    def map(self, value: Any) -> Any:
        """The prediction for one element.

        Raises:
            SchemaError: the element does not fit the model.
            PredictionError: the model refuses it, and ``on_error`` is ``fail``.
        """
        try:
            return self._predictor.predict(value)
        except PredictionError:
            if self._on_error == "fail":
                raise
            return None

    def get_produced_type(self) -> TypeInformation:
        """The type of the results, for ``output_type`` of ``DataStream.map``; loads the model."""
        return self._predictor.produced_type()


class MLeapProcessFunction(KeyedProcessFunction):  # type: ignore[misc]
    """Predicts for each element, on keyed streams and others; what fails goes to a side output, with its error.

    Args:
        model: a model, or path or URI of its bundle; a URI is loaded on the worker.
        inputs: as in :class:`MLeapMapFunction`.
        outputs: as in :class:`MLeapMapFunction`.
        failed: the side output of records that the model refuses, or that do not fit it: ``Row(record=…, error=…)``.
        with_element: give ``Row(element, prediction)`` instead of the prediction alone.
    """

    def __init__(
        self,
        model: Model | str,
        inputs: Sequence[str] | None = None,
        outputs: Sequence[str] | None = None,
        *,
        failed: OutputTag = FAILED,
        with_element: bool = False,
    ) -> None:
        self._predictor = _Predictor(model, inputs, outputs)
        self._failed = failed
        self._with_element = with_element

    def open(self, runtime_context: RuntimeContext) -> None:
        """Load the model.

        Raises:
            LeapstreamError: it cannot be had, read or run.
        """
        self._predictor.opened()

    def process_element(self, value: Any, ctx: Any) -> Iterator[Any]:
        """The prediction for one element, or its entry in the side output; nothing where the model drops it."""
        try:
            result = self._predictor.predict(value)
        except (PredictionError, SchemaError) as error:
            yield self._failed, Row(record=value, error=str(error))
            return
        if result is not None:
            yield Row(value, result) if self._with_element else result

    def get_produced_type(self, element_type: TypeInformation | None = None) -> TypeInformation:
        """The type of the results, for ``output_type`` of ``DataStream.process``; loads the model.

        Args:
            element_type: type of the elements, where ``with_element`` is set.
        """
        kind = self._predictor.produced_type()
        return Types.ROW([element_type, kind]) if self._with_element else kind


def _record(element: Any, signature: FunctionSignature) -> dict[str, Any]:
    names = signature.inputs.names
    if isinstance(element, Row):
        named = getattr(element, "_fields", None)
        given = element.as_dict() if named else tuple(element)
    elif isinstance(element, tuple) and hasattr(element, "_fields"):
        given = dict(zip(element._fields, element, strict=True))
    else:
        given = element
    if isinstance(given, Mapping):
        if all(name in given for name in names):
            return {name: given[name] for name in names}
        values: Sequence[Any] = tuple(given.values())
        if isinstance(element, Mapping) or len(values) != len(names):
            missing = [name for name in names if name not in given]
            raise SchemaError(f"{signature}: the element has no {missing[0]!r}; its fields are {list(given)}")
    elif isinstance(given, tuple | list):
        values = given
    else:
        values = (given,)
    if signature.packed >= 0 and not (len(values) == 1 and isinstance(values[0], tuple | list)):
        return {names[0]: list(values)}
    if len(values) != len(names):
        raise SchemaError(f"{signature}: the element has {len(values)} fields")
    return dict(zip(names, values, strict=True))


def _with_maps(record: dict[str, Any], signature: FunctionSignature) -> dict[str, Any]:
    """The record, with its dicts said to be maps: a dict alone might be a struct to Arrow."""
    for field in signature.inputs:
        value = record[field.name]
        if isinstance(field.type, MapType) and isinstance(value, Mapping):
            kind = pa.map_(ARROW_TYPES[field.type.key], ARROW_TYPES[field.type.base])
            record[field.name] = pa.scalar(list(value.items()), kind)
    return record


_TYPES = {
    BasicType.BOOLEAN: Types.BOOLEAN,
    BasicType.BYTE: Types.BYTE,
    BasicType.SHORT: Types.SHORT,
    BasicType.INT: Types.INT,
    BasicType.LONG: Types.LONG,
    BasicType.FLOAT: Types.FLOAT,
    BasicType.DOUBLE: Types.DOUBLE,
    BasicType.STRING: Types.STRING,
}


def _type_information(data_type: DataType) -> TypeInformation:
    scalar = Types.PRIMITIVE_ARRAY(Types.BYTE()) if data_type.base not in _TYPES else _TYPES[data_type.base]()
    return scalar if isinstance(data_type, ScalarType) else Types.OBJECT_ARRAY(scalar)


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
        call = _Call(name, tuple(found.inputs), tuple(found.outputs), _takes_numbers(tuple(found.inputs.values())))
    else:
        signature = MLeapUDFRegistry.register(
            name, model, table_env, inputs=inputs, outputs=outputs, backend=backend, on_error=on_error
        ).signature
        call = _Call(name, signature.inputs.names, signature.outputs.names, signature.packed >= 0)
    view = f"{name}_stream"
    table_env.create_temporary_view(view, table)
    try:
        result = table_env.sql_query(call.query(columns, view))
        return table_env.to_data_stream(result)
    finally:
        table_env.drop_temporary_view(view)
        table_env.drop_temporary_system_function(name)


def _takes_numbers(types: Sequence[str]) -> bool:
    """Whether numbers may stand for the only argument, an array."""
    return len(types) == 1 and types[0].startswith("ARRAY<")


@dataclass(frozen=True)
class _Call:
    """A function, what it takes and gives, and whether scalars may stand for its only argument."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    packed: bool

    def query(self, columns: list[str], view: str) -> str:
        """The columns of a view, and the outputs for them.

        Raises:
            SchemaError: they do not fit.
        """
        kept = ", ".join(map(quoted, columns))
        call = f"{self.name}({', '.join(map(quoted, self._arguments(columns)))})"
        if len(self.outputs) == 1:
            return f"SELECT {kept}, {call} AS {quoted(self.outputs[0])} FROM {view}"
        result = quoted(f"{self.name}_result")
        fields = ", ".join(f"{result}.{quoted(output)} AS {quoted(output)}" for output in self.outputs)
        return f"SELECT {kept}, {fields} FROM (SELECT {kept}, {call} AS {result} FROM {view})"

    def _arguments(self, columns: list[str]) -> list[str]:
        clash = [name for name in self.outputs if name in columns]
        if clash:
            raise SchemaError(f"{self}: the stream has a column {clash[0]!r} already")
        if all(name in columns for name in self.inputs):
            return list(self.inputs)
        if not any(name in columns for name in self.inputs) and (len(columns) == len(self.inputs) or self.packed):
            return columns
        missing = [name for name in self.inputs if name not in columns]
        raise SchemaError(f"{self}: the stream has no column {missing[0]!r}; its columns are {columns}")

    def __str__(self) -> str:
        return f"{self.name}({', '.join(self.inputs)}) -> {', '.join(self.outputs)}"
