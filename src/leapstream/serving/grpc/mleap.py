"""MLeap's gRPC service ``ml.combust.mleap.pb.Mleap``, as its server (``mleap-grpc-server``) has it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import grpc
from google.protobuf.message import Message

from leapstream.errors import LeapstreamError
from leapstream.serving.context import Context
from leapstream.serving.failures import RequestError, ServingError, failure_of
from leapstream.serving.grpc.methods import Method, StreamHandler, Watch
from leapstream.serving.http import Request
from leapstream.serving.mleap.flowing import FrameComputation, RowComputation, RowStream, flowing, stream_pace
from leapstream.serving.mleap.layouts import decode, encode, format_of
from leapstream.serving.mleap.messages import bundle_meta, model_message, spec_of
from leapstream.serving.mleap.streams import Stream, Streams
from leapstream.serving.mleap.transforming import backtrace, selection, transform_for
from leapstream.serving.proto import mleap_pb2 as pb

NAME = "mleap-grpc"

SERVICE = "ml.combust.mleap.pb.Mleap"
_INIT_SECONDS = 30.0
# MLeap's code for a request that it cannot read.
_STATUS = dict.fromkeys(("request", "schema", "bundle", "prediction"), grpc.StatusCode.FAILED_PRECONDITION)


def methods(context: Context) -> Iterator[Method]:
    """The methods of MLeap's clients."""
    loads = context.loads
    streams = Streams()
    context.models.listen(lambda name, served: streams.close(name) if served is None else None)
    context.keeper.in_use = streams.has_any
    context.keeper.when_ending.append(streams.drain)

    def load(request: Request, message: pb.LoadModelRequest) -> Message:
        spec = spec_of(message)
        loads.begin(spec, replace=message.force)
        return model_message(spec)

    def unload(request: Request, message: pb.UnloadModelRequest) -> Message:
        return model_message(loads.waiting(lambda: loads.unload(message.model_name), request))

    def get(request: Request, message: pb.GetModelRequest) -> Message:
        return model_message(loads.spec(message.model_name))

    def meta(request: Request, message: pb.GetBundleMetaRequest) -> Message:
        request.served = loads.wait_for(message.model_name, request)
        return bundle_meta(request.served)

    def transform(request: Request, message: pb.TransformFrameRequest) -> Message:
        served = loads.wait_for(message.model_name, request).chosen(request.headers)
        try:
            format = format_of(message.format)
            layout, rows = decode(message.frame, format)
            work = transform_for(served, layout, *selection(message.options))
            frame = encode(work.result, work.run(request, served, rows, context.most_rows), format)
        except LeapstreamError as error:
            return _failed(request, message, error)
        return pb.TransformFrameResponse(tag=message.tag, frame=frame)

    def create_frame_stream(request: Request, message: pb.CreateFrameStreamRequest) -> Message:
        loads.wait_for(message.model_name, request)
        answer = pb.FrameStream(
            model_name=_named(message).model_name, stream_name=message.stream_name, stream_config=message.stream_config
        )
        streams.create(message.model_name, message.stream_name, Stream(stream_pace(message.stream_config), answer))
        return answer

    def get_frame_stream(request: Request, message: pb.GetFrameStreamRequest) -> Message:
        loads.spec(message.model_name)
        found: pb.FrameStream = streams.get(message.model_name, message.stream_name, pb.FrameStream).description
        return found

    def create_row_stream(request: Request, message: pb.CreateRowStreamRequest) -> Message:
        served = loads.wait_for(message.model_name, request)
        rows = RowStream(context, served, _named(message))
        streams.create(message.model_name, message.stream_name, Stream(stream_pace(message.stream_config), rows))
        return rows.message

    def get_row_stream(request: Request, message: pb.GetRowStreamRequest) -> Message:
        loads.spec(message.model_name)
        found: RowStream = streams.get(message.model_name, message.stream_name, RowStream).description
        return found.message

    def transform_frames(request: Request, messages: Iterator[Any], watch: Watch) -> Iterator[Message]:
        first = next(messages, None)
        if first is None:
            return iter(())
        request.served = loads.wait_for(first.model_name, _init(request, first))
        stream = streams.get(first.model_name, first.stream_name, pb.FrameStream)
        return flowing(request, stream, first, FrameComputation(context, request, first), messages, watch)

    def transform_rows(request: Request, messages: Iterator[Any], watch: Watch) -> Iterator[Message]:
        first = next(messages, None)
        if first is None:
            return iter(())
        request.served = loads.wait_for(first.model_name, _init(request, first))
        stream = streams.get(first.model_name, first.stream_name, RowStream)
        return flowing(request, stream, first, RowComputation(stream.description, request, first), messages, watch)

    def stream(name: str, kind: type[Message], handler: StreamHandler) -> Method:
        return Method(f"/{SERVICE}/{name}", kind, NAME, stream_handler=handler, status=_STATUS)

    def unary(name: str, kind: type[Message], handler: Callable[[Request, Any], Message]) -> Method:
        return Method(f"/{SERVICE}/{name}", kind, NAME, handler, status=_STATUS)

    yield unary("LoadModel", pb.LoadModelRequest, load)
    yield unary("UnloadModel", pb.UnloadModelRequest, unload)
    yield unary("GetModel", pb.GetModelRequest, get)
    yield unary("GetBundleMeta", pb.GetBundleMetaRequest, meta)
    yield unary("Transform", pb.TransformFrameRequest, transform)
    yield unary("CreateFrameStream", pb.CreateFrameStreamRequest, create_frame_stream)
    yield unary("GetFrameStream", pb.GetFrameStreamRequest, get_frame_stream)
    yield unary("CreateRowStream", pb.CreateRowStreamRequest, create_row_stream)
    yield unary("GetRowStream", pb.GetRowStreamRequest, get_row_stream)
    yield stream("TransformFrameStream", pb.TransformFrameRequest, transform_frames)
    yield stream("TransformRowStream", pb.TransformRowRequest, transform_rows)


def _named(message: Any) -> Any:
    """The request, if it names the stream that it makes."""
    if not message.stream_name:
        raise RequestError("the stream has no name")
    return message


def _init(request: Request, first: Any) -> Request:
    """The request with the time that the first message of a stream gives it."""
    seconds = first.init_timeout.value / 1000 if first.HasField("init_timeout") else _INIT_SECONDS
    return replace(request, deadline=min(request.deadline, time.monotonic() + seconds))


def _failed(request: Request, message: pb.TransformFrameRequest, error: LeapstreamError) -> Message:
    """The answer to a transform that fails.

    Raises:
        ServingError: the call fails, since that says nothing about the frame.
    """
    if isinstance(error, ServingError) and error.kind != "request":
        raise error
    failure = failure_of(error, request.id)
    return pb.TransformFrameResponse(
        tag=message.tag, status=pb.STATUS_ERROR, error=failure.message, backtrace=backtrace(failure)
    )
