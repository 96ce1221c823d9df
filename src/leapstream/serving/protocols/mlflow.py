"""The protocol of MLflow's scoring server (``mlflow models serve``, MLflow 2 and 3).

``POST /invocations`` reads rows as JSON (``dataframe_split``, ``dataframe_records``, ``instances`` or ``inputs``) or as CSV with
a header, and answers ``{"predictions": [{column: value, …}, …]}``: what the Python function of a model that
:mod:`leapstream.mlflow` has logged answers there. As in pandas, a missing number is NaN in columns of floats, and rows that the
model drops are left out. NaN and infinities are written as MLflow writes them, by the words of Python's ``json``.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from leapstream.bundle.types import BasicType, DataType, Field, ListType, ScalarType, TensorType
from leapstream.errors import SchemaError
from leapstream.serving.context import Context
from leapstream.serving.failures import Failure, MediaTypeError, RequestError
from leapstream.serving.http import TEXT, Request, Response, Route
from leapstream.serving.operations import Content, JsonSchema, Operation, Shared
from leapstream.serving.registry import ServedModel
from leapstream.serving.scoring import check_values
from leapstream.serving.texts import csv_rows, parser
from leapstream.serving.values import encode, flat

NAME = "mlflow"

FORMATS = frozenset({"dataframe_split", "dataframe_records", "instances", "inputs"})
"""The fields of a request, one of which has its rows."""

# The version whose answers this module's were compared with: clients ask which protocol a server has.
_VERSION = b"3.17.2"
_CODES = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    500: "INTERNAL_ERROR",
    501: "NOT_IMPLEMENTED",
    503: "TEMPORARILY_UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def failure_response(failure: Failure) -> Response:
    """A failure as ``{"error_code": …, "message": …}``; one of media types as text."""
    if failure.status == 415:
        return Response(failure.message.encode(), 415, TEXT)
    # A row that fails is a bad request to MLflow.
    status = 400 if failure.status == 422 else failure.status
    code = "INVALID_PARAMETER_VALUE" if failure.kind == "schema" else _CODES.get(status, "BAD_REQUEST")
    return Response(encode({"error_code": code, "message": failure.message}), status, headers=failure.headers)


def routes(context: Context) -> Iterator[Route]:
    """The request for the version; :mod:`~leapstream.serving.protocols.invocations` has the others."""

    def version(request: Request) -> Response:
        return Response(_VERSION)

    yield Route("GET", "/version", version, failure_response, NAME, open=True, operation=_GET_VERSION)


# ---- descriptions -----------------------------------------------------------------------------------------------------

FAILURE = Shared(
    "mlflow.Failure",
    {
        "type": "object",
        "properties": {"error_code": {"type": "string"}, "message": {"type": "string"}},
        "required": ["error_code", "message"],
    },
)
"""The schema of the answer to a request that fails."""

_GET_VERSION = Operation(
    "version",
    "The version of MLflow whose protocol is answered",
    {200: Content("The version, as bare text.", {"application/json": {}})},
    Content("", {"application/json": FAILURE}),
)


def body_schema(record: JsonSchema) -> JsonSchema:
    """The schema of a request as JSON, by that of a record."""
    values: JsonSchema = {"anyOf": [{"type": "array", "items": record}, {"type": "object"}, {"type": "array"}]}
    split = {
        "type": "object",
        "properties": {
            "columns": {"type": "array", "items": {"type": "string"}},
            "data": {"type": "array", "items": {"type": "array"}},
        },
        "required": ["columns", "data"],
    }
    forms: dict[str, JsonSchema] = {
        "dataframe_split": split,
        "dataframe_records": {"type": "array", "items": record},
        "instances": values,
        "inputs": values,
    }
    return {
        "oneOf": [
            {"type": "object", "properties": {name: form}, "required": [name], "title": name}
            for name, form in forms.items()
        ]
    }


ANSWER = Shared(
    "mlflow.Predictions",
    {
        "type": "object",
        "properties": {"predictions": {"type": "array", "items": {"type": "object"}}},
        "required": ["predictions"],
    },
)
"""The schema of an answer."""


# ---- requests ---------------------------------------------------------------------------------------------------------


def invoke_json(context: Context, request: Request, served: ServedModel, given: Any) -> Response:
    """Answer rows as JSON."""
    _check_parameters(request)
    fields = FORMATS.intersection(given) if type(given) is dict else ()
    if len(fields) != 1:
        raise RequestError(f"the body has to be an object with one of the fields {', '.join(sorted(FORMATS))}")
    if given.get("params"):
        raise RequestError("params are for models that have parameters, and this one has none")
    (field,) = fields
    names, rows = _READERS[field](served, given[field])
    return _answered(context, request, served, names, rows)


def invoke_csv(context: Context, request: Request, served: ServedModel) -> Response:
    """Answer rows as CSV, whose first line has the columns' names."""
    _check_parameters(request)
    lines = csv_rows(request.body)
    if not lines:
        raise RequestError("the body has no header")
    names, *texts = lines
    _check_names(names)
    check_values(request, len(texts) * len(names))
    inputs = served.model.schema.inputs
    parsers = [_parser(inputs[name]) if name in inputs else _ignored for name in names]
    rows = []
    for number, fields in enumerate(texts):
        if len(fields) != len(names):
            raise RequestError(f"row {number} has {len(fields)} values, and the header has {len(names)}")
        try:
            rows.append({name: parse(text) for name, parse, text in zip(names, parsers, fields, strict=True)})
        except ValueError as error:
            raise RequestError(f"row {number}: {error}") from None
    return _answered(context, request, served, names, rows)


def _check_parameters(request: Request) -> None:
    """Reject a content type with parameters, as MLflow does; those of its first version changed what a body means."""
    for parameter in request.header(b"content-type").split(";")[1:]:
        name, _, value = parameter.strip().partition("=")
        if (name.lower(), value.strip('"').lower()) != ("charset", "utf-8"):
            raise MediaTypeError(
                f"the content type may have the parameter charset=utf-8 alone, not {parameter.strip()!r}"
            )


def _answered(
    context: Context, request: Request, served: ServedModel, names: Sequence[str], rows: Sequence[dict[str, Any]]
) -> Response:
    """Answer rows, of which at least one has each of the columns ``names``."""
    check_values(request, len(rows) * len(names))
    known = served.once(_columns_of)
    converters = known.inputs
    columns = [(name, converters[name]) for name in names if name in converters]
    try:
        records = [{name: convert(row.get(name)) for name, convert in columns} for row in rows]
    except OverflowError as error:
        raise RequestError(f"a value does not fit its column: {error}") from None
    if not records and len(columns) < len(converters):
        raise SchemaError(f"there is no row, and no column {', '.join(repr(n) for n in converters if n not in names)}")
    # Like the Python function: only the prediction where the columns that other outputs need are not there.
    outputs = None if len(columns) == len(converters) else served.model.prediction_columns()
    answers = context.score(request, served, records, outputs=outputs)
    predictions = [answer for answer in answers if isinstance(answer, dict)]
    for name in known.tensors:
        for prediction in predictions:
            if isinstance(prediction.get(name), list):
                prediction[name] = list(flat(prediction[name]))
    return Response(_written({"predictions": predictions}))


def _written(value: Any) -> bytes:
    """The JSON of a value, with the words ``NaN`` and ``Infinity`` for numbers that JSON lacks."""
    text = encode(value)
    if b"null" not in text:
        return text
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=_base64).encode()


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


# ---- values -----------------------------------------------------------------------------------------------------------


Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class _Columns:
    """The columns of a model.

    Attributes:
        inputs: the function for the values of each input.
        tensors: the outputs that may have several dimensions: in a data frame they are lists of elements.
    """

    inputs: dict[str, Convert]
    tensors: tuple[str, ...]


def _columns_of(served: ServedModel) -> _Columns:
    schema = served.model.schema
    return _Columns(
        {f.name: _converter(f) for f in schema.inputs},
        tuple(f.name for f in (*schema.outputs, *schema.intermediate) if _may_be_deep(f.type)),
    )


def _may_be_deep(data_type: DataType) -> bool:
    return isinstance(data_type, TensorType) and (data_type.dimensions is None or len(data_type.dimensions) > 1)


def _converter(field: Field) -> Convert:
    """The function that makes a value of a column of its JSON, as a data frame of the column's type has it."""
    if isinstance(field.type, ScalarType) and field.type.base in (BasicType.FLOAT, BasicType.DOUBLE):
        return _float
    return _same


def _float(value: Any) -> Any:
    return math.nan if value is None else float(value) if type(value) is int else value


def _same(value: Any) -> Any:
    return value


# What pandas reads as missing.
_MISSING = frozenset(
    {"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA"}
    | {"NULL", "NaN", "None", "n/a", "nan", "null"}
)


def _parser(field: Field) -> Callable[[str], Any]:
    """The function that reads a column of CSV."""
    if not isinstance(field.type, ScalarType):
        raise RequestError(f"column {field.name!r} is {field.type}, which CSV cannot have")
    parse = parser(field.type.base)

    def read(text: str) -> Any:
        if text in _MISSING:
            return None
        try:
            return parse(text)
        except ValueError as error:
            raise ValueError(f"column {field.name!r}: {error}") from None

    return read


def _ignored(text: str) -> None:
    return None


# ---- the forms of rows ------------------------------------------------------------------------------------------------

Table = tuple[Sequence[str], Sequence[dict[str, Any]]]
"""The columns of a request and its rows, which may lack some of them."""


def _split(served: ServedModel, given: Any) -> Table:
    """``dataframe_split``: columns, and rows of values; an index is of no use."""
    names, data = (given.get("columns"), given.get("data")) if type(given) is dict else (None, None)
    if type(names) is not list or type(data) is not list:
        raise SchemaError("dataframe_split has to be an object with the lists columns and data")
    _check_names(names)
    return names, _zipped(names, data, "dataframe_split")


def _check_names(names: list[Any]) -> None:
    if not all(type(name) is str for name in names) or len(set(names)) < len(names):
        raise RequestError("the names of the columns have to be texts that differ")


def _zipped(names: Sequence[str], rows: list[Any], where: str) -> list[dict[str, Any]]:
    width = len(names)
    for number, row in enumerate(rows):
        if type(row) is not list or len(row) != width:
            raise RequestError(f"row {number} of {where} has to be a list of {width} values, one for each column")
    return [dict(zip(names, row, strict=True)) for row in rows]


def _records(served: ServedModel, given: Any) -> Table:
    """``dataframe_records``: an object of column to value for each row."""
    if type(given) is not list or not all(type(row) is dict for row in given):
        raise RequestError("dataframe_records has to be a list of objects of column to value")
    if not given:
        raise SchemaError("dataframe_records has no row, and so no columns")
    return list(dict.fromkeys(name for row in given for name in row)), given


def _tensors(served: ServedModel, given: Any) -> Table:
    """``instances`` and ``inputs``: an object of column to values; or a list of rows, which are objects or lists of values."""
    inputs = served.model.schema.inputs
    if type(given) is dict:
        return _columns(served, given)
    if type(given) is list and given and type(given[0]) is dict:
        return _records(served, given)
    if len(inputs) == 1:
        return _columns(served, {inputs.names[0]: given})
    if type(given) is not list or not given:
        raise SchemaError("instances and inputs have to be a list of rows, or an object of column to values")
    return inputs.names, _zipped(inputs.names, given, "the list")


def _columns(served: ServedModel, given: dict[str, Any]) -> Table:
    """The rows of columns of values; or the one row of single values."""
    inputs = served.model.schema.inputs
    used = {name: value for name, value in given.items() if name in inputs}
    several = {name: _depth(value) > _rank(inputs[name]) for name, value in used.items()}
    if not any(several.values()):
        return list(used), [used]
    sizes = {len(value) if several[name] else -1 for name, value in used.items()}
    if len(sizes) > 1:
        raise SchemaError("the columns of instances or inputs differ in their number of rows")
    return list(used), [dict(zip(used, row, strict=True)) for row in zip(*used.values(), strict=True)]


def _rank(field: Field) -> int:
    """The depth of the lists that are a single value of a column."""
    return 1 if isinstance(field.type, (ListType, TensorType)) else 0


def _depth(value: Any) -> int:
    depth = 0
    while type(value) is list:
        depth += 1
        value = value[0] if value else None
    return depth


_READERS: dict[str, Callable[[ServedModel, Any], Table]] = {
    "dataframe_split": _split,
    "dataframe_records": _records,
    "instances": _tensors,
    "inputs": _tensors,
}
