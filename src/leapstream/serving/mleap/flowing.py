"""The frames and rows that flow through MLeap's streams: from a message to its answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol

from google.protobuf.message import Message

from leapstream.bundle.types import DataType, Schema, TensorType, with_nullable
from leapstream.serving.context import Context
from leapstream.serving.failures import Failure, RequestError, failure_of
from leapstream.serving.http import Request
from leapstream.serving.logs import LOG
from leapstream.serving.mleap.layouts import Layout, decode, encode, format_of, layout_of
from leapstream.serving.mleap.messages import schema_message, schema_of
from leapstream.serving.mleap.streams import Flow, Pace, Stream, Throttle
from leapstream.serving.mleap.transforming import FrameTransform, backtrace, selection, transform_for
from leapstream.serving.proto import mleap_pb2 as pb
from leapstream.serving.registry import ServedModel


class Computation(Protocol):
    """Computes the answer to a message of a stream."""

    def answer(self, message: Any) -> tuple[Message, int]:
        """The answer, and the number of rows that were scored.

        Raises:
            LeapstreamError: it cannot be computed.
        """

    def failed(self, message: Any, failure: Failure) -> Message:
        """The answer to a message whose answer cannot be computed."""


def flowing(
    request: Request,
    stream: Stream,
    first: Any,
    computation: Computation,
    messages: Iterator[Any],
    watch: Callable[[Callable[[], None]], None],
) -> Iterator[Message]:
    """The answers of a stream for the messages of a call.

    Args:
        request: the call.
        stream: the stream.
        first: the first message, which says how the call's messages flow.
        computation: computes the answers.
        messages: the messages after the first.
        watch: takes a function to be called when the call is over.
    """

    def compute(message: Any) -> tuple[Message, int]:
        try:
            return computation.answer(message)
        except Exception as error:
            failure = failure_of(error, request.id)
            if failure.kind == "internal":
                fields = {"request": request.id, "error": failure.message}
                LOG.error("element of a stream failed", extra={"fields": fields}, exc_info=error)
            return computation.failed(message, failure), 0

    flow = Flow(stream, flow_pace(first.flow_config), compute)
    watch(flow.end)
    for answer, rows in flow.run(messages):
        request.rows += rows
        yield answer


# ---- frames -----------------------------------------------------------------------------------------------------------------


class FrameComputation:
    """Transforms the frames of a call.

    Raises:
        RequestError: the first message's format is unknown.
    """

    def __init__(self, context: Context, request: Request, first: pb.TransformFrameRequest) -> None:
        self._context = context
        self._request = request
        self._model = first.model_name
        self._format = format_of(first.format)
        self._options = first.options

    def answer(self, message: pb.TransformFrameRequest) -> tuple[Message, int]:
        """The answer to a frame, and the number of its rows."""
        piece = _piece(self._context, self._request)
        served = self._context.loads.wait_for(self._model, piece).chosen(piece.headers)
        layout, rows = decode(message.frame, self._format)
        options = message.options if message.HasField("options") else self._options
        work = transform_for(served, layout, *selection(options))
        frame = encode(work.result, work.run(piece, served, rows, self._context.most_rows), self._format)
        return pb.TransformFrameResponse(tag=message.tag, frame=frame), piece.rows

    def failed(self, message: pb.TransformFrameRequest, failure: Failure) -> Message:
        """The answer to a frame that fails."""
        return pb.TransformFrameResponse(
            tag=message.tag, status=pb.STATUS_ERROR, error=failure.message, backtrace=backtrace(failure)
        )


# ---- rows -------------------------------------------------------------------------------------------------------------------


class RowStream:
    """The rows that a stream takes and gives.

    Args:
        context: what the protocols share.
        served: the model's version when the stream is made; a later one takes its place if it gives the same columns.
        request: says which.

    Attributes:
        message: the message about the stream.

    Raises:
        RequestError: the schema of the request is none.
        SchemaError: it does not fit the model, or a selected column is not there.
    """

    def __init__(self, context: Context, served: ServedModel, request: pb.CreateRowStreamRequest) -> None:
        self._context = context
        self._model = request.model_name
        self.given = layout_of(schema_of(request.spec.schema))
        self._selection = selection(request.spec.options)
        self.result = self._work(served).result
        self.message = pb.RowStream(
            model_name=request.model_name,
            stream_name=request.stream_name,
            stream_config=request.stream_config,
            spec=request.spec,
            output_schema=schema_message(self.result.schema),
        )
        self.message.spec.options.SetInParent()

    def run(self, request: Request, row: Sequence[Any]) -> Sequence[Any] | None:
        """The answer to a row; ``None`` if the model drops it."""
        piece = _piece(self._context, request)
        served = self._context.loads.wait_for(self._model, piece).chosen(piece.headers)
        work = self._work(served)
        if work.result is not self.result:
            check_alike("the rows of the model's new version", work.result.schema, self.result.schema)
        return work.run_row(row)

    def _work(self, served: ServedModel) -> FrameTransform:
        return transform_for(served, self.given, *self._selection)


class RowComputation:
    """Transforms the rows of a call.

    Raises:
        RequestError: the first message's format or schemas are not those of the stream.
    """

    def __init__(self, stream: RowStream, request: Request, first: pb.TransformRowRequest) -> None:
        self._stream = stream
        self._request = request
        given = _layout(first.input_schema, stream.given, "the input schema")
        result = _layout(first.output_schema, stream.result, "the output schema")
        format = format_of(first.format)
        if format == "avro":
            raise RequestError("rows are JSON or binary")
        self._read = given.row_of_json if format == "json" else given.row_of_bytes
        self._write = result.json_of_row if format == "json" else result.bytes_of_row

    def answer(self, message: pb.TransformRowRequest) -> tuple[Message, int]:
        """The answer to a row; it has none if the model drops the row."""
        found = self._stream.run(self._request, self._read(message.row))
        return pb.TransformRowResponse(tag=message.tag, row=b"" if found is None else self._write(found)), 1

    def failed(self, message: pb.TransformRowRequest, failure: Failure) -> Message:
        """The answer to a row that fails."""
        return pb.TransformRowResponse(
            tag=message.tag, status=pb.STATUS_ERROR, error=failure.message, backtrace=backtrace(failure)
        )


def _piece(context: Context, request: Request) -> Request:
    """A part of a call that has the time of a request: a stream may last as long as its elements come."""
    return replace(request, deadline=time.monotonic() + context.settings.limits.timeout, rows=0)


def _layout(message: pb.Schema, expected: Layout, what: str) -> Layout:
    """The layout of the rows in messages; that of the stream if the call does not say."""
    if not message.fields:
        return expected
    schema = schema_of(message)
    check_alike(what, schema, expected.schema)
    return layout_of(schema)


def check_alike(what: str, schema: Schema, expected: Schema) -> None:
    """Make sure that rows of a schema are rows of another one, missing values and dimensions of tensors apart.

    Raises:
        RequestError: they are not.
    """
    if [(f.name, _plain(f.type)) for f in schema] != [(f.name, _plain(f.type)) for f in expected]:
        raise RequestError(f"{what} is {schema}, and the stream has {expected}")


def _plain(data_type: DataType) -> DataType:
    if isinstance(data_type, TensorType):
        return TensorType(data_type.base)
    return with_nullable(data_type, True)


# ---- pace -------------------------------------------------------------------------------------------------------------------


def stream_pace(config: pb.StreamConfig) -> Pace:
    """The pace of a stream."""
    pace = flow_pace(config)
    return replace(pace, buffer=config.buffer_size.value) if config.HasField("buffer_size") else pace


def flow_pace(config: pb.StreamConfig | pb.FlowConfig) -> Pace:
    """The pace of a flow."""
    throttle = config.throttle
    return Pace(
        parallelism=max(1, config.parallelism.value),
        idle_timeout=config.idle_timeout.value / 1000 if config.HasField("idle_timeout") else None,
        delay=config.transform_delay.value / 1000,
        throttle=Throttle(
            throttle.elements,
            throttle.duration / 1000,
            throttle.maximum_burst,
            throttle.mode == pb.THROTTLE_ENFORCING,
        )
        if config.HasField("throttle")
        else None,
    )
