"""The protocol of SageMaker's SparkML serving container (``aws/sagemaker-sparkml-serving-container``, version 3.3).

``POST /invocations`` reads a row of values as JSON (``{"data": […]}``), as CSV or as JSON lines. A schema, in the request or in
the environment variable ``SAGEMAKER_SPARKML_SCHEMA``, names the columns of the values, and the one column of the answer. The
answer is CSV, JSON lines or JSON lines of text, as the header ``Accept`` says. A request that fails has the status code 400 and
its reason as text.

The container answers the first row of a CSV body alone; here each row has a line in the answer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any, Literal

import msgspec
import numpy as np

from leapstream.bundle.types import BasicType, DataType, ListType, ScalarType, TensorType
from leapstream.errors import ConfigError, SchemaError
from leapstream.javalike.numbers import java_double, java_float
from leapstream.serving.context import Context
from leapstream.serving.failures import Failure, RequestError
from leapstream.serving.http import TEXT, Request, Response, Route
from leapstream.serving.operations import Content, Operation, Shared
from leapstream.serving.registry import ServedModel
from leapstream.serving.scoring import Answer, check_rows, check_values, score_record
from leapstream.serving.texts import csv_rows, parser
from leapstream.serving.values import decode, encode, encode_exactly, flat

NAME = "sagemaker"

_CSV = b"text/csv"
_JSON_LINES = b"application/jsonlines"
_JSON_LINES_OF_TEXT = b"application/jsonlines;data=text"
_ACCEPTED = (_CSV, _JSON_LINES, _JSON_LINES_OF_TEXT)
# The container's limit on a request.
_MEGABYTES = 5


def failure_response(failure: Failure) -> Response:
    """A failure as text."""
    # The container has one status code for all that is wrong with a request.
    status = 400 if failure.status in (422, 501) else failure.status
    return Response(failure.message.encode(), status, TEXT, failure.headers)


def routes(context: Context) -> Iterator[Route]:
    """The request that batch transforms begin with; :mod:`~leapstream.serving.protocols.invocations` has the others.

    Raises:
        ConfigError: the schema of the settings is malformed.
    """
    settings, limits = context.settings.sparkml, context.settings.limits
    if settings.schema is not None:
        try:
            spark_schema(settings.schema.encode())
        except RequestError as error:
            raise ConfigError(f"SAGEMAKER_SPARKML_SCHEMA: {error}") from None
    parameters = encode(
        {
            "MaxConcurrentTransforms": os.cpu_count() or 1,
            "BatchStrategy": "SINGLE_RECORD",
            "MaxPayloadInMB": max(1, min(_MEGABYTES, limits.max_body >> 20)),
        }
    )

    def execution_parameters(request: Request) -> Response:
        return Response(parameters)

    yield Route("GET", "/execution-parameters", execution_parameters, failure_response, NAME, operation=_PARAMETERS)


# ---- descriptions -----------------------------------------------------------------------------------------------------

_PARAMETERS = Operation(
    "execution_parameters",
    "The parameters of batch transforms",
    {200: Content("The parameters.", {"application/json": {"type": "object"}})},
    Content("", {TEXT.decode(): {"type": "string"}}),
)

_COLUMN = Shared(
    "sagemaker.Column",
    {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "type": {"enum": ["boolean", "byte", "short", "int", "long", "float", "double", "string"]},
            "struct": {"enum": ["basic", "vector", "array"]},
        },
        "required": ["name", "type"],
    },
)
BODY = Shared(
    "sagemaker.Row",
    {
        "type": "object",
        "properties": {
            "schema": {
                "type": "object",
                "properties": {"input": {"type": "array", "items": _COLUMN}, "output": _COLUMN},
                "required": ["input", "output"],
            },
            "data": {"type": "array", "description": "A value for each input of the schema."},
        },
        "required": ["data"],
    },
)
"""The schema of a request as JSON."""


# ---- requests ---------------------------------------------------------------------------------------------------------


def invoke_json(context: Context, request: Request, served: ServedModel, given: Any) -> Response:
    """Answer a row as JSON."""
    accepted = _accepted(context, request)
    data = _data(given)
    schema = _schema_of(context, given)
    outputs, write = schema.answering(served, accepted)
    record = schema.record(data)
    answer = record if outputs is None else score_record(request, served, record, outputs)
    return _response(write(answer), accepted)


def invoke_csv(context: Context, request: Request, served: ServedModel) -> Response:
    """Answer rows as CSV without a header; the schema is that of the environment."""
    accepted = _accepted(context, request)
    schema = _schema_of(context, {})
    outputs, write = schema.answering(served, accepted)
    rows = csv_rows(request.body)
    if not rows:
        raise RequestError("the body has no row")
    check_values(request, len(rows) * len(rows[0]))
    records = [schema.record_of_texts(fields) for fields in rows]
    return _response(b"\n".join(map(write, _answers(context, request, served, records, outputs))), accepted)


def invoke_json_lines(context: Context, request: Request, served: ServedModel) -> Response:
    """Answer JSON lines, each of which has a row or several; the first may have the schema of all."""
    accepted = _accepted(context, request)
    given = [decode(line) for line in request.body.splitlines() if line.strip()]
    rows = list(chain.from_iterable(_rows(_data(line)) for line in given))
    if not rows:
        raise RequestError("the body has no row")
    check_values(request, len(rows) * len(rows[0]))
    schema = _schema_of(context, given[0])
    outputs, write = schema.answering(served, accepted)
    answers = _answers(context, request, served, [schema.record(row) for row in rows], outputs)
    # The container prints a Java list of lists of texts.
    return _response(b"[%b]" % b", ".join([b"[%b]" % write(answer) for answer in answers]), accepted)


def _answers(
    context: Context, request: Request, served: ServedModel, records: Sequence[dict[str, Any]], outputs: Outputs
) -> Sequence[Answer]:
    if outputs is None:
        check_rows(request, served, len(records), context.most_rows)
        return records
    return context.score(request, served, records, outputs=outputs)


def _response(body: bytes, accepted: bytes) -> Response:
    return Response(body, content_type=_CSV if accepted == _CSV else _JSON_LINES)


def _accepted(context: Context, request: Request) -> bytes:
    """The media type of the answer."""
    given = request.header(b"accept").strip()
    if given in ("", "*/*"):
        given = context.settings.sparkml.accept
    accepted = given.replace(" ", "").lower().encode("latin-1", "replace")
    if accepted not in _ACCEPTED:
        known = ", ".join(media_type.decode() for media_type in _ACCEPTED)
        raise RequestError(f"Accept is {given!r}, and has to be one of: {known}")
    return accepted


def _data(given: Any) -> list[Any]:
    data = given.get("data") if type(given) is dict else None
    if type(data) is not list:
        raise RequestError("data has to be a list with a value for each input of the schema")
    for name in given:
        if name not in ("data", "schema"):
            raise RequestError(f"there is no field {name!r}; there are data and schema")
    return data


def _rows(data: list[Any]) -> list[list[Any]]:
    """The rows of a line: lists in a list are several."""
    return data if all(type(row) is list for row in data) else [data]


# ---- schemas ----------------------------------------------------------------------------------------------------------


class _Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column of a schema."""

    name: str
    type: Literal["boolean", "byte", "short", "int", "long", "float", "double", "string"]
    struct: Literal["basic", "vector", "array"] | None = None

    def __str__(self) -> str:
        return f"{self.struct or 'basic'} {self.type}"


class _Schema(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The JSON of a schema."""

    input: tuple[_Column, ...]
    output: _Column


Convert = Callable[[Any], Any]
Write = Callable[[Answer], bytes]
Outputs = tuple[str] | None
"""The column that the model has to compute; ``None`` if the answer is one of the inputs."""


@dataclass(frozen=True)
class SparkSchema:
    """A schema, ready to make records of rows and texts of answers."""

    _output: _Column
    _echoed: DataType | None
    _inputs: tuple[tuple[str, Convert], ...]
    _texts: tuple[tuple[str, Convert], ...]

    def record(self, data: list[Any]) -> dict[str, Any]:
        """The record of a row.

        Raises:
            RequestError: a value is missing, or not of its column's type.
        """
        return _record(self._inputs, data)

    def record_of_texts(self, fields: list[str]) -> dict[str, Any]:
        """The record of a row of CSV, in which each column is a single value.

        Raises:
            RequestError: a value is missing, or not of its column's type.
        """
        return _record(self._texts, fields)

    def answering(self, served: ServedModel, accepted: bytes) -> tuple[Outputs, Write]:
        """The column that a model has to compute, and the function that writes its answers.

        Raises:
            SchemaError: the model has no such column, or one of another type.
        """
        name = self._output.name
        schema = served.model.schema
        for fields in (schema.outputs, schema.intermediate):
            if name in fields:
                return (name,), _writer(self._output, fields[name].type, accepted)
        if self._echoed is None:
            raise SchemaError(f"model {served.name!r} has no output {name!r}")
        return None, _writer(self._output, self._echoed, accepted)


def _record(columns: Sequence[tuple[str, Convert]], values: list[Any]) -> dict[str, Any]:
    if len(values) < len(columns):
        raise RequestError(f"the row has {len(values)} values, and the schema has {len(columns)} inputs")
    record = {}
    # Like the container, this ignores further values.
    for (name, convert), value in zip(columns, values, strict=False):
        try:
            record[name] = convert(value)
        except (ValueError, OverflowError) as error:
            raise RequestError(f"column {name!r}: {error}") from None
    return record


@lru_cache(64)
def spark_schema(text: bytes) -> SparkSchema:
    """The schema of a JSON text.

    Raises:
        RequestError: it is malformed.
    """
    try:
        given = msgspec.json.decode(text, type=_Schema)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError(f"the schema is malformed: {error}") from None
    names = [column.name for column in given.input]
    if len(set(names)) < len(names):
        raise RequestError("the schema is malformed: two inputs have one name")
    echoed = next((_type_of(column) for column in given.input if column.name == given.output.name), None)
    return SparkSchema(
        given.output,
        echoed,
        tuple((column.name, _from_json(column)) for column in given.input),
        tuple((column.name, _typed_parser(BasicType(column.type))) for column in given.input),
    )


def _schema_of(context: Context, given: dict[str, Any]) -> SparkSchema:
    """The schema of a request, else that of the environment."""
    own = given.get("schema")
    if own is not None:
        return spark_schema(encode(own))
    text = context.settings.sparkml.schema
    if text is None:
        raise RequestError(
            "there is no schema: give one in the request, or in the server's variable SAGEMAKER_SPARKML_SCHEMA"
        )
    return spark_schema(text.encode())


# ---- values of requests -----------------------------------------------------------------------------------------------


def _from_json(column: _Column) -> Convert:
    """The function that makes a value of a column of its JSON."""
    if column.struct not in ("vector", "array"):
        return _single(BasicType(column.type))
    if column.struct == "vector" and column.type != "double":
        raise RequestError(f"the schema is malformed: input {column.name!r}: elements of vectors are doubles")
    kinds = _KINDS.get(column.type, (int,))
    # An op that takes texts writes floats otherwise than doubles.
    number = np.float32 if column.type == "float" else float

    def elements(value: Any) -> list[Any]:
        if type(value) is not list:
            raise ValueError(f"it is not a list, and the schema says {column}")
        for part in value:
            if type(part) not in kinds:
                raise ValueError(f"an element is not of type {column.type}")
        return [number(part) for part in value] if kinds[0] is float else value

    return elements


_KINDS: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "string": (str,),
    "float": (float, int),
    "double": (float, int),
}


def _single(base: BasicType) -> Convert:
    parse = _typed_parser(base)
    if base is not BasicType.DOUBLE:
        return lambda value: parse(_java_text(value))
    # The number that its text, which the container reads, gives.
    return lambda value: float(value) if type(value) in (float, int) else parse(_java_text(value))


def _typed_parser(base: BasicType) -> Convert:
    parse = parser(base)
    return (lambda text: np.float32(parse(text))) if base is BasicType.FLOAT else parse


def _java_text(value: Any) -> str:
    """A single value as Java's ``toString`` prints it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return _java_boolean(value)
    if isinstance(value, float):
        return java_double(value)
    if isinstance(value, int):
        return str(value)
    raise ValueError("the value is missing" if value is None else "the value is not a single one")


# ---- values of answers ------------------------------------------------------------------------------------------------


@lru_cache(256)
def _writer(column: _Column, actual: DataType, accepted: bytes) -> Write:
    """The function that writes a column of answers, whose type in the model is ``actual``."""
    if not _fits(column, actual):
        raise SchemaError(f"column {column.name!r} is {actual} in the model, and {column} in the schema")
    text = _PRINTERS.get(actual.base, str)

    def joined(value: Any) -> bytes:
        return ",".join(map(text, flat(value))).encode()

    def written(value: Any) -> bytes:
        elements = list(flat(value))
        if actual.base is BasicType.FLOAT:
            # The digits of a float, not those of the double that is the same number.
            elements = [float(java_float(element)) for element in elements]
        return encode_exactly({"features": elements})

    def written_as_text(value: Any) -> bytes:
        return encode({"source": " ".join(map(text, flat(value)))})

    def single(value: Any) -> bytes:
        return text(value).encode()

    if isinstance(actual, ScalarType):
        write = single
    else:
        write = joined if accepted == _CSV else written if accepted == _JSON_LINES else written_as_text

    def answered(answer: Answer) -> bytes:
        # A row that fails has failed its request.
        if not isinstance(answer, dict):
            raise RequestError("the model drops the row")
        value = answer[column.name]
        if value is None:
            raise RequestError(f"column {column.name!r} is missing in the answer")
        return write(value)

    return answered


_FLOATS = (BasicType.FLOAT, BasicType.DOUBLE)
_INTEGERS = (BasicType.BYTE, BasicType.SHORT, BasicType.INT, BasicType.LONG)


def _fits(column: _Column, actual: DataType) -> bool:
    """True if a column of a schema may be one of a model; the container checks the type of single values alone."""
    if column.struct == "vector":
        return isinstance(actual, TensorType)
    if column.struct == "array":
        return isinstance(actual, ListType)
    declared = BasicType(column.type)
    return isinstance(actual, ScalarType) and (
        declared is actual.base or any(declared in kind and actual.base in kind for kind in (_FLOATS, _INTEGERS))
    )


def _type_of(column: _Column) -> DataType:
    base = BasicType(column.type)
    if column.struct == "vector":
        return TensorType(base)
    return ListType(base) if column.struct == "array" else ScalarType(base)


def _java_boolean(value: bool) -> str:
    return "true" if value else "false"


_PRINTERS: dict[BasicType, Callable[[Any], str]] = {
    BasicType.DOUBLE: java_double,
    BasicType.FLOAT: java_float,
    BasicType.BOOLEAN: _java_boolean,
}
