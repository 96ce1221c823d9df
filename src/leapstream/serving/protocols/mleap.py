"""MLeap's REST protocol, as its Spring Boot server (``mleap-spring-boot``) has it; the messages are those of ``mleap.proto``.

``POST /models`` (a ``LoadModelRequest``), ``GET`` and ``DELETE /models/{name}``, ``GET /models/{name}/meta``,
``POST /models/transform`` (a ``TransformFrameRequest``) and ``POST /models/{name}/transform`` (a leap frame) read and write
``application/json`` and ``application/x-protobuf``. The body of an error is empty. A transform that fails is answered with the
status code 200, and ``status`` is ``STATUS_ERROR``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal

import msgspec
from google.protobuf.message import Message

from leapstream.bundle.frame import FrameFormat
from leapstream.bundle.types import TensorType
from leapstream.serving.context import Context
from leapstream.serving.failures import Failure, MediaTypeError, RequestError
from leapstream.serving.http import Request, Response, Route
from leapstream.serving.loading import NAME_PATTERN
from leapstream.serving.mleap.layouts import decode, encode, format_of, layout_of
from leapstream.serving.mleap.messages import (
    bundle_meta,
    from_bytes,
    from_json,
    model_message,
    schema_of_json,
    spec_of,
    to_json,
)
from leapstream.serving.mleap.transforming import backtrace, transform_for
from leapstream.serving.operations import BINARY, Content, Operation, Parameter, Shared
from leapstream.serving.proto import mleap_pb2 as pb
from leapstream.serving.registry import ServedModel
from leapstream.serving.schemas import example_record
from leapstream.serving.values import encode as encode_json

NAME = "mleap"

JSON = b"application/json;charset=UTF-8"
PROTOBUF = b"application/x-protobuf;charset=UTF-8"
ACTUATOR = b"application/vnd.spring-boot.actuator.v3+json"
_PROTOBUF = "application/x-protobuf"
_LONGEST_TIMEOUT = 10**12
# MLeap's status codes where they are not those of the other protocols.
_STATUS = {"conflict": 400, "deadline": 500}


def failure_response(failure: Failure) -> Response:
    """A failure, which has no body."""
    return Response(b"", _STATUS.get(failure.kind, failure.status), JSON, failure.headers)


class _Options(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    select: tuple[str, ...] = ()
    select_mode: Literal["SELECT_MODE_UNKNOWN", "SELECT_MODE_STRICT", "SELECT_MODE_RELAXED"] = "SELECT_MODE_UNKNOWN"


class _TransformRequest(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The usual JSON of a ``TransformFrameRequest``; what else it may be, protobuf's own parser reads."""

    model_name: str = ""
    format: str = ""
    init_timeout: Any = None
    tag: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = 0
    frame: bytes = b""
    options: _Options | None = None


_decode_transform = msgspec.json.Decoder(_TransformRequest).decode


def routes(context: Context) -> Iterator[Route]:
    """The requests of MLeap's clients."""
    loads = context.loads

    def load(request: Request) -> Response:
        _set_deadline(request)
        answer = _writer(request)
        message = _read(request, pb.LoadModelRequest)
        spec = spec_of(message)
        loads.begin(spec, replace=message.force)
        return answer(model_message(spec), 202)

    def unload(request: Request, name: str) -> Response:
        _set_deadline(request)
        return _chosen(request)(model_message(loads.unload(name)), 200)

    def get(request: Request, name: str) -> Response:
        _set_deadline(request)
        return _chosen(request)(model_message(loads.spec(name)), 200)

    def meta(request: Request, name: str) -> Response:
        _set_deadline(request)
        request.served = loads.get(name)
        return _chosen(request)(bundle_meta(request.served), 200)

    def transform(request: Request) -> Response:
        _set_deadline(request)
        is_json = _is_json(request)
        given = _transform_json(request.body) if is_json else _transform_message(request.body)
        request.failure = _failed_transform(is_json, given.tag)
        format = format_of(given.format)
        options = given.options or _Options()
        select = options.select or None
        frame = transformed(
            request, given.model_name, given.frame, format, select, options.select_mode == "SELECT_MODE_RELAXED"
        )
        if is_json:
            return Response(encode_json(_Transformed(given.tag, frame=frame)), content_type=JSON)
        answer = pb.TransformFrameResponse(tag=given.tag, frame=frame)
        return Response(answer.SerializeToString(), content_type=PROTOBUF)

    def transform_frame(request: Request, name: str) -> Response:
        _set_deadline(request)
        is_json = _is_json(request)
        request.failure = _failed_frame_as_json if is_json else _failed_frame_as_bytes
        body = transformed(request, name, request.body, "json" if is_json else "binary", None, False)
        return Response(body, content_type=JSON if is_json else PROTOBUF)

    def transformed(
        request: Request, name: str, body: bytes, format: FrameFormat, select: tuple[str, ...] | None, relaxed: bool
    ) -> bytes:
        served = loads.get(name).chosen(request.headers)
        layout, rows = decode(body, format)
        work = transform_for(served, layout, select, relaxed)
        return encode(work.result, work.run(request, served, rows, context.most_rows), format)

    def links(request: Request) -> Response:
        paths = {"self": "/actuator", "health": "/actuator/health", "info": "/actuator/info"}
        return Response(
            encode_json({"_links": {name: {"href": path, "templated": False} for name, path in paths.items()}}),
            content_type=ACTUATOR,
        )

    def health(request: Request) -> Response:
        is_up = context.keeper.ready
        return Response(
            encode_json({"status": "UP" if is_up else "OUT_OF_SERVICE"}), 200 if is_up else 503, content_type=ACTUATOR
        )

    def info(request: Request) -> Response:
        return Response(b"{}", content_type=ACTUATOR)

    yield Route("POST", "/models", load, failure_response, NAME, operation=_LOAD)
    yield Route("POST", "/models/transform", transform, failure_response, NAME, operation=_TRANSFORM)
    yield Route(
        "POST",
        "/models/{name}/transform",
        transform_frame,
        failure_response,
        NAME,
        operation=_transform_frame_operation,
    )
    yield Route("GET", "/models/{name}", get, failure_response, NAME, operation=_GET)
    yield Route("DELETE", "/models/{name}", unload, failure_response, NAME, operation=_UNLOAD)
    yield Route("GET", "/models/{name}/meta", meta, failure_response, NAME, operation=_META)
    yield Route("GET", "/actuator", links, failure_response, NAME, operation=_LINKS)
    yield Route("GET", "/actuator/health", health, failure_response, NAME, open=True, operation=_HEALTH)
    yield Route("GET", "/actuator/info", info, failure_response, NAME, operation=_INFO)


# ---- descriptions -----------------------------------------------------------------------------------------------------------

FAILURE = Content("")
"""The form of the answer to a request that fails: it has no body."""

_TIMEOUT = Parameter("timeout", "Milliseconds that the request may take.", {"type": "integer", "minimum": 0}, "header")


def _message(kind: type[Message], description: str) -> Content:
    return Content(description, {"application/json": schema_of_json(kind), _PROTOBUF: BINARY})


_FRAME = Shared(
    "mleap.LeapFrame",
    {
        "type": "object",
        "description": "A leap frame, as MLeap writes it in JSON: columns with names and types, and rows of values.",
        "properties": {
            "schema": {
                "type": "object",
                "properties": {
                    "fields": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {"name": {"type": "string"}, "type": {"type": ["string", "object"]}},
                            "required": ["name", "type"],
                        },
                    }
                },
                "required": ["fields"],
            },
            "rows": {"type": "array", "items": {"type": "array"}},
        },
        "required": ["schema", "rows"],
    },
)


def _transform_frame_operation(served: ServedModel) -> Operation:
    schema = served.model.schema.inputs
    record = example_record(served)
    examples = {}
    if record is not None and all(
        not isinstance(f.type, TensorType) or len(f.type.dimensions or (0,)) == 1 for f in schema
    ):
        examples["application/json"] = json.loads(encode(layout_of(schema), [list(record.values())], "json"))
    failed = schema_of_json(pb.ErrorTransformResponse)
    return Operation(
        "transform_frame",
        f"Transform a leap frame with {served.name}",
        {
            200: Content(
                "The frame with the columns that the model adds; or the reason why the transform fails.",
                {"application/json": {"anyOf": [_FRAME, failed]}, _PROTOBUF: BINARY},
            )
        },
        FAILURE,
        (415,),
        parameters=(_TIMEOUT,),
        body=Content(
            "A leap frame, in MLeap's JSON or binary format.", {"application/json": _FRAME, _PROTOBUF: BINARY}, examples
        ),
    )


_ACTUATOR = {ACTUATOR.decode(): {"type": "object"}}

_LOAD = Operation(
    "load",
    "Load a model",
    {202: _message(pb.Model, "The model is being loaded.")},
    FAILURE,
    (403, 415),
    parameters=(_TIMEOUT,),
    body=Content(
        "The model, and the place of its bundle.",
        {
            "application/json": {
                "allOf": [schema_of_json(pb.LoadModelRequest)],
                "properties": {"modelName": {"pattern": f"^{NAME_PATTERN}$"}},
                "required": ["modelName", "uri"],
            },
            _PROTOBUF: BINARY,
        },
    ),
)
_UNLOAD = Operation(
    "unload",
    "Unload a model",
    {200: _message(pb.Model, "The model that was unloaded.")},
    FAILURE,
    (403, 404),
    parameters=(_TIMEOUT,),
)
_GET = Operation(
    "model", "A model", {200: _message(pb.Model, "The model.")}, FAILURE, (404, 500), parameters=(_TIMEOUT,)
)
_META = Operation(
    "meta",
    "The bundle of a model, and its columns",
    {200: _message(pb.BundleMeta, "The bundle.")},
    FAILURE,
    (404, 500),
    parameters=(_TIMEOUT,),
)
_TRANSFORM = Operation(
    "transform",
    "Transform a leap frame",
    {200: _message(pb.TransformFrameResponse, "The frame that results, or the reason why the transform fails.")},
    FAILURE,
    (415,),
    parameters=(_TIMEOUT,),
    body=_message(pb.TransformFrameRequest, "A leap frame, the name of a model, and the columns to select."),
)
_LINKS = Operation("actuator", "Spring Boot's management paths", {200: Content("Links.", _ACTUATOR)}, FAILURE)
_HEALTH = Operation(
    "health",
    "Spring Boot's health",
    {200: Content("Every model is loaded.", _ACTUATOR), 503: Content("A model is not loaded.", _ACTUATOR)},
    FAILURE,
)
_INFO = Operation("info", "Spring Boot's info", {200: Content("An empty object.", _ACTUATOR)}, FAILURE)


# ---- media types ------------------------------------------------------------------------------------------------------------


def _is_json(request: Request) -> bool:
    """True if a body is JSON, false if it is protobuf.

    Raises:
        MediaTypeError: it is neither.
    """
    media_type = request.media_type
    if media_type == "application/json":
        return True
    if media_type == _PROTOBUF:
        return False
    raise MediaTypeError("the body has to be application/json or application/x-protobuf")


def _as_json(message: Message, status: int) -> Response:
    return Response(encode_json(to_json(message)), status, JSON)


def _as_protobuf(message: Message, status: int) -> Response:
    return Response(message.SerializeToString(), status, PROTOBUF)


def _writer(request: Request) -> Callable[[Message, int], Response]:
    """The answer to a request with a body is of the body's type."""
    return _as_json if _is_json(request) else _as_protobuf


def _chosen(request: Request) -> Callable[[Message, int], Response]:
    """The answer to a request without a body is of the type that it accepts, else of the one that it says to have."""
    accepted = request.header(b"accept").lower()
    if "application/json" in accepted:
        return _as_json
    return _as_protobuf if _PROTOBUF in accepted or request.media_type == _PROTOBUF else _as_json


def _read(request: Request, kind: Any) -> Any:
    return from_json(kind, request.body) if _is_json(request) else from_bytes(kind, request.body)


def _set_deadline(request: Request) -> None:
    """Take the header ``timeout`` into account: milliseconds that the request may take."""
    given = request.headers.get(b"timeout")
    if given is None:
        return
    try:
        milliseconds = int(given)
    except ValueError:
        raise RequestError("the header timeout has to be a number of milliseconds") from None
    if milliseconds < 0:
        raise RequestError("the header timeout is negative")
    # A larger number than a float holds may stand there.
    request.deadline = min(request.deadline, time.monotonic() + min(milliseconds, _LONGEST_TIMEOUT) / 1000)


# ---- transforms -------------------------------------------------------------------------------------------------------------


class _Transformed(msgspec.Struct):
    """The JSON of a ``TransformFrameResponse``; bytes are written as base64."""

    tag: int = 0
    format: str = ""
    frame: bytes = b""
    status: str = "STATUS_OK"
    error: str = ""
    backtrace: str = ""


class _FailedTransform(msgspec.Struct):
    """The JSON of an ``ErrorTransformResponse``."""

    status: str
    error: str
    backtrace: str


def _transform_json(body: bytes) -> _TransformRequest:
    try:
        return _decode_transform(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _of_message(from_json(pb.TransformFrameRequest, body))


def _transform_message(body: bytes) -> _TransformRequest:
    return _of_message(from_bytes(pb.TransformFrameRequest, body))


def _of_message(message: pb.TransformFrameRequest) -> _TransformRequest:
    relaxed = message.options.select_mode == pb.SELECT_MODE_RELAXED
    return _TransformRequest(
        model_name=message.model_name,
        format=message.format,
        tag=message.tag,
        frame=message.frame,
        options=_Options(tuple(message.options.select), "SELECT_MODE_RELAXED" if relaxed else "SELECT_MODE_STRICT"),
    )


def _failed_transform(is_json: bool, tag: int) -> Callable[[Failure], Response]:
    """Makes the answer to a transform that fails."""

    def response(failure: Failure) -> Response:
        trace = backtrace(failure)
        if is_json:
            answer = _Transformed(tag, status="STATUS_ERROR", error=failure.message, backtrace=trace)
            return Response(encode_json(answer), content_type=JSON)
        message = pb.TransformFrameResponse(tag=tag, status=pb.STATUS_ERROR, error=failure.message, backtrace=trace)
        return Response(message.SerializeToString(), content_type=PROTOBUF)

    return response


def _failed_frame_as_json(failure: Failure) -> Response:
    return Response(
        encode_json(_FailedTransform("STATUS_ERROR", failure.message, backtrace(failure))), content_type=JSON
    )


def _failed_frame_as_bytes(failure: Failure) -> Response:
    message = pb.ErrorTransformResponse(status=pb.STATUS_ERROR, error=failure.message, backtrace=backtrace(failure))
    return Response(message.SerializeToString(), content_type=PROTOBUF)
