"""The plain protocol: a record or a list of records in, predictions out, as JSON, JSON lines or Arrow.

``POST /v1/models/{name}:predict?outputs=a,b&on_error=row`` answers a record with its outputs, and a list with a list of the same
length: ``null`` for a record that the model drops, ``{"error": …}`` for one that fails if ``on_error`` is ``row``. JSON lines are
answered line by line while they arrive; an Arrow stream is answered by one with a row for each row.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from leapstream.errors import LeapstreamError, PredictionError, SchemaError
from leapstream.serving.context import Context
from leapstream.serving.failures import Failure, MediaTypeError, RequestError, TooLargeError, details_of, failure_of
from leapstream.serving.http import Request, Response, Route, StreamedResponse, media_type
from leapstream.serving.operations import BINARY, Content, Operation, Parameter, Shared
from leapstream.serving.registry import LATEST, SPLIT_KEY, ServedModel
from leapstream.serving.schemas import computed_columns, outputs_schema, record_schema
from leapstream.serving.scoring import Answer, OnError, TooLongForLoopError, check_rows, score_record
from leapstream.serving.values import decode, encode, encode_exactly

NAME = "plain"

JSON_LINES = b"application/jsonl"
ARROW = b"application/vnd.apache.arrow.stream"
_LINES = frozenset({"application/jsonl", "application/x-ndjson", "application/jsonlines", "application/x-jsonlines"})
_ARROW = frozenset({ARROW.decode(), "application/vnd.apache.arrow.file"})
# Lines are scored in groups: one by one, hand-overs between event loop and thread would cost more than predictions.
_LINES_AT_ONCE = 1024


def failure_response(failure: Failure) -> Response:
    """A failure as ``{"error": {"kind": …, "message": …, …}}``."""
    body = {"error": {"kind": failure.kind, "message": failure.message, **failure.details}}
    return Response(encode(body), status=failure.status, headers=failure.headers)


def routes(context: Context) -> Iterator[Route]:
    """The requests of the plain protocol."""

    def models(request: Request) -> Response:
        return Response(encode({"models": [described(served) for served in context.models]}))

    def model(request: Request, name: str) -> Response:
        live = context.models.get(name)
        versions = [served.version for served in context.models.versions(name)]
        answer = {**described(live), "versions": versions}
        rejected = context.keeper.rejected().get(name)
        if rejected is not None:
            since = datetime.fromtimestamp(rejected.since, timezone.utc).isoformat(timespec="seconds")
            answer["rejected"] = {"version": rejected.version, "error": rejected.error, "since": since}
        return Response(encode(answer))

    def predict(request: Request, name: str, version: str | None = None) -> Response:
        served = context.models.get(name, version)
        if served.group is not None and version in (None, LATEST):
            served = served.chosen(request.headers)
        outputs, on_error = _options(request.query)
        kind = request.media_type
        if kind in _ARROW:
            return _arrow(context, request, served, outputs, on_error)
        if kind and kind != "application/json" and not kind.endswith("+json"):
            raise MediaTypeError(f"{kind} is not read here; there are JSON, JSON lines and Arrow streams")
        given = decode(request.body)
        if type(given) is dict:
            try:
                answer: Answer = score_record(request, served, given, outputs)
            except PredictionError as error:
                if on_error == "raise":
                    raise
                answer = error
            return Response(encode_exactly(_shown(served, answer, outputs, on_error)))
        if type(given) is not list:
            raise RequestError(
                "the body has to be a record, which is an object of column to value, or a list of records"
            )
        answers = context.score(request, served, given, outputs=outputs, on_error=on_error)
        return Response(encode_exactly([_shown(served, answer, outputs, on_error) for answer in answers]))

    async def predict_lines(
        request: Request, parts: AsyncIterator[bytes], name: str, version: str | None = None
    ) -> StreamedResponse:
        served = context.models.get(name, version)
        if served.group is not None and version in (None, LATEST):
            served = served.chosen(request.headers)
        outputs, on_error = _options(request.query)

        async def answered() -> AsyncIterator[bytes]:
            row = 0
            try:
                async for lines in _groups(_lines(parts, context.settings.limits.max_body)):
                    # A group is a request of its own: a stream may take as long as its rows come in.
                    piece = replace(request, deadline=request.deadline + 1e9)
                    work = partial(_answer_lines, context, piece, served, lines, row, outputs, on_error)
                    try:
                        text = work()
                    except TooLongForLoopError:
                        piece.in_loop = False
                        text = await asyncio.to_thread(work)
                    row += len(lines)
                    request.served, request.rows = served, row
                    yield text
            except LeapstreamError as error:
                # The status is sent already: the last line says that the stream ends here.
                yield failure_response(failure_of(error, request.id)).body + b"\n"

        return StreamedResponse(answered(), JSON_LINES)

    yield Route("GET", "/v1/models", models, failure_response, NAME, operation=_MODELS)
    yield Route("GET", "/v1/models/{name}", model, failure_response, NAME, operation=_MODEL)
    for path in ("/v1/models/{name}:predict", "/v1/models/{name}/versions/{version}:predict"):
        yield Route(
            "POST",
            path,
            predict,
            failure_response,
            NAME,
            operation=_predict_operation,
            is_streamed=_is_lines,
            stream_handler=predict_lines,
        )


def described(served: ServedModel) -> dict[str, Any]:
    """A model as JSON, for clients: name, version, columns."""
    schema = served.model.schema
    return {
        "name": served.name,
        "version": served.version,
        "bundle": served.model.name,
        "loaded": served.loaded.isoformat(timespec="seconds"),
        "inputs": {f.name: str(f.type) for f in schema.inputs},
        "outputs": {f.name: str(f.type) for f in schema.outputs},
        "profile": served.profile is not None,
        **({} if served.group is None else {"split": served.group.as_json()}),
    }


# ---- descriptions -----------------------------------------------------------------------------------------------------

_JSON = "application/json"
_COLUMNS = {"type": "object", "additionalProperties": {"type": "string"}}
_DESCRIBED = Shared(
    "Model",
    {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "version": {"type": "string"},
            "bundle": {"type": "string", "description": "The name in the bundle."},
            "loaded": {"type": "string", "format": "date-time"},
            "inputs": {**_COLUMNS, "description": "The type of each column that a record needs."},
            "outputs": {**_COLUMNS, "description": "The type of each column that an answer has."},
            "profile": {"type": "boolean", "description": "Its drift is known."},
            "split": {
                "type": "object",
                "description": "The versions that are live together.",
                "properties": {
                    "versions": {
                        "type": "object",
                        "additionalProperties": {"type": "integer", "minimum": 1},
                        "description": "The weight of each version that answers.",
                    },
                    "shadow": {"type": "array", "items": {"type": "string"}, "description": "Computed beside."},
                },
                "required": ["versions", "shadow"],
            },
        },
        "required": ["name", "version", "bundle", "loaded", "inputs", "outputs", "profile"],
    },
)
_ERROR = Shared(
    "Error",
    {
        "type": "object",
        "properties": {
            "kind": {"type": "string"},
            "message": {"type": "string"},
            "model": {"type": "string"},
            "node": {"type": "string"},
            "op": {"type": "string"},
            "column": {"type": "string"},
            "row": {"type": "integer"},
        },
        "required": ["kind", "message"],
    },
)
_FAILURE = Shared("Failure", {"type": "object", "properties": {"error": _ERROR}, "required": ["error"]})

FAILURE = Content("", {_JSON: _FAILURE})
"""The form of the answer to a request that fails."""

_MODELS = Operation(
    "models",
    "The models, with their versions and columns",
    {
        200: Content(
            "The models.",
            {
                _JSON: {
                    "type": "object",
                    "properties": {"models": {"type": "array", "items": _DESCRIBED}},
                    "required": ["models"],
                }
            },
        )
    },
    FAILURE,
)
_MODEL = Operation(
    "model",
    "A model, with its versions and columns",
    {
        200: Content(
            "The model, the versions that requests can name, the live one first, and one that could not go live.",
            {
                _JSON: {
                    "allOf": [_DESCRIBED],
                    "type": "object",
                    "properties": {
                        "versions": {"type": "array", "items": {"type": "string"}},
                        "rejected": {
                            "type": "object",
                            "properties": {
                                "version": {"type": "string"},
                                "error": {"type": "string"},
                                "since": {"type": "string", "format": "date-time"},
                            },
                            "required": ["version", "error", "since"],
                        },
                    },
                    "required": ["versions"],
                }
            },
        )
    },
    FAILURE,
    (404,),
)


def _predict_operation(served: ServedModel) -> Operation:
    record, outputs = record_schema(served), outputs_schema(served)
    columns = [f.name for f in computed_columns(served) if f.name and "," not in f.name]
    missing: Any = {"type": "object", "additionalProperties": {"type": "null"}}
    answer = {"anyOf": [outputs, {"type": "null"}, missing, _FAILURE]}
    return Operation(
        "predict",
        f"Predict with {served.name}",
        {
            200: Content(
                "The outputs of the record, or a list with those of each record; null for a record that the model drops.",
                {
                    _JSON: {"anyOf": [answer, {"type": "array", "items": answer}]},
                    JSON_LINES.decode(): {"type": "string"},
                    ARROW.decode(): BINARY,
                },
            )
        },
        FAILURE,
        (404, 415, 422),
        description="A value of another type than the schema has is cast as Spark casts it, where that is possible.",
        parameters=(
            Parameter(
                "outputs",
                "The columns to compute; by default the model's final outputs.",
                {"type": "array", "items": {"enum": columns}, "minItems": 1, "uniqueItems": True},
            ),
            Parameter(
                "on_error",
                "For a row that fails: raise fails the request, null gives missing outputs, row gives an error in its place.",
                {"enum": ["raise", "null", "row"], "default": "raise"},
            ),
            Parameter(
                SPLIT_KEY.decode(),
                "The key by which the version is chosen if several are live; without it the choice is random.",
                {"type": "string"},
                "header",
            ),
        ),
        body=Content(
            "A record, or a list of records; records in lines; or an Arrow stream.",
            {
                _JSON: {"anyOf": [record, {"type": "array", "items": record}]},
                JSON_LINES.decode(): {"type": "string"},
                ARROW.decode(): BINARY,
            },
        ),
    )


def _is_lines(headers: Mapping[bytes, bytes]) -> bool:
    return media_type(headers) in _LINES


def _options(query: bytes) -> tuple[tuple[str, ...] | None, OnError]:
    """The outputs that are asked for, and what becomes of rows that fail."""
    if not query:
        return None, "raise"
    try:
        given = parse_qs(query.decode("ascii"), keep_blank_values=True, strict_parsing=True, max_num_fields=16)
    except ValueError as error:
        raise RequestError(f"the query cannot be read: {error}") from None
    unknown = given.keys() - {"outputs", "on_error"}
    if unknown:
        raise RequestError(f"there is no option {sorted(unknown)[0]!r}; there are outputs and on_error")
    on_error = given.get("on_error", ["raise"])[-1]
    if on_error not in ("raise", "null", "row"):
        raise RequestError(f"on_error is {on_error!r}, and has to be raise, null or row")
    outputs = given.get("outputs")
    names = None if outputs is None else tuple(name for text in outputs for name in text.split(",") if name)
    if names == ():
        raise RequestError("the option outputs names no column")
    return names, on_error  # type: ignore[return-value]


def _shown(served: ServedModel, answer: Answer, outputs: tuple[str, ...] | None, on_error: OnError) -> Any:
    """An answer as JSON's types."""
    if not isinstance(answer, PredictionError):
        return answer
    if on_error == "null":
        return dict.fromkeys(served.model.schema.outputs.names if outputs is None else outputs)
    return {"error": {"kind": "prediction", "message": str(answer), **details_of(answer)}}


# ---- JSON lines -------------------------------------------------------------------------------------------------------


async def _lines(parts: AsyncIterator[bytes], longest: int) -> AsyncIterator[list[bytes]]:
    """The whole lines of each part that arrives."""
    rest = b""
    async for part in parts:
        *lines, rest = (rest + part).split(b"\n")
        if len(rest) > longest:
            raise TooLargeError(f"a line is longer than {longest} bytes")
        if lines:
            yield [line for line in lines if line.strip()]
    if rest.strip():
        yield [rest]


async def _groups(arriving: AsyncIterator[list[bytes]]) -> AsyncIterator[list[bytes]]:
    async for lines in arriving:
        for start in range(0, len(lines), _LINES_AT_ONCE):
            yield lines[start : start + _LINES_AT_ONCE]


def _answer_lines(
    context: Context,
    request: Request,
    served: ServedModel,
    lines: list[bytes],
    first: int,
    outputs: tuple[str, ...] | None,
    on_error: OnError,
) -> bytes:
    check_rows(request, served, len(lines), _LINES_AT_ONCE)
    records = []
    for row, line in enumerate(lines, first):
        try:
            record = decode(line)
        except RequestError as error:
            raise RequestError(f"line {row + 1}: {error}") from None
        if type(record) is not dict:
            raise RequestError(f"line {row + 1} is not a record, which is an object of column to value")
        records.append(record)
    try:
        answers = context.score(request, served, records, outputs=outputs, on_error=on_error)
    except PredictionError as error:
        raise error.at_row(first + (error.row or 0)) from None
    return b"".join(
        encode_exactly(_shown(served, _moved(answer, first), outputs, on_error)) + b"\n" for answer in answers
    )


def _moved(answer: Answer, first: int) -> Answer:
    return answer.at_row(first + (answer.row or 0)) if isinstance(answer, PredictionError) else answer


# ---- Arrow ------------------------------------------------------------------------------------------------------------


def _arrow(
    context: Context, request: Request, served: ServedModel, outputs: tuple[str, ...] | None, on_error: OnError
) -> Response:
    if request.in_loop:
        raise TooLongForLoopError
    import pyarrow as pa

    from leapstream.bundle.limits import Limits
    from leapstream.frames.files import arrow_table

    limits = Limits(
        max_total_size=context.settings.limits.max_body * 4, max_file_size=context.settings.limits.max_body * 4
    )
    table = arrow_table("the body", request.body, limits)
    check_rows(request, served, table.num_rows, context.most_rows)
    results = served.model.predict_rows(table, outputs=outputs)
    if results.errors and on_error == "raise":
        raise results.errors[min(results.errors)]
    answer = results.frame
    if len(results.rows) < table.num_rows:
        # A row for each row: those that the model drops have missing values.
        places = {row: place for place, row in enumerate(results.rows.tolist())}
        answer = answer.take(pa.array([places.get(row) for row in range(table.num_rows)], pa.int64()))
    if on_error == "row":
        if "error" in answer.column_names:
            raise SchemaError(
                f"model {served.name!r} has an output 'error': on_error=row cannot add a column of this name"
            )
        texts = [str(results.errors[row]) if row in results.errors else None for row in range(table.num_rows)]
        answer = answer.append_column("error", pa.array(texts, pa.string()))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, answer.schema) as writer:
        writer.write_table(answer)
    return Response(sink.getvalue().to_pybytes(), content_type=ARROW)
