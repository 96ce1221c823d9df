"""MLeap's gRPC service ``ml.combust.mleap.pb.Mleap``, as its server (``mleap-grpc-server``) has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import grpc
from google.protobuf.message import Message

from leapstream.errors import LeapstreamError
from leapstream.serving.context import Context
from leapstream.serving.failures import ServingError, failure_of
from leapstream.serving.grpc.methods import Method
from leapstream.serving.http import Request
from leapstream.serving.mleap.layouts import decode, encode, format_of
from leapstream.serving.mleap.messages import bundle_meta, model_message, spec_of
from leapstream.serving.mleap.transforming import backtrace, selection, transform_for
from leapstream.serving.proto import mleap_pb2 as pb

NAME = "mleap-grpc"

SERVICE = "ml.combust.mleap.pb.Mleap"
# MLeap's code for a request that it cannot read.
_STATUS = dict.fromkeys(("request", "schema", "bundle", "prediction"), grpc.StatusCode.FAILED_PRECONDITION)


def methods(context: Context) -> Iterator[Method]:
    """The methods of MLeap's clients."""
    loads = context.loads

    def load(request: Request, message: pb.LoadModelRequest) -> Message:
        spec = spec_of(message)
        loads.begin(spec, replace=message.force)
        return model_message(spec)

    def unload(request: Request, message: pb.UnloadModelRequest) -> Message:
        loads.wait_for(message.model_name, request)
        return model_message(loads.unload(message.model_name))

    def get(request: Request, message: pb.GetModelRequest) -> Message:
        return model_message(loads.spec(message.model_name))

    def meta(request: Request, message: pb.GetBundleMetaRequest) -> Message:
        request.served = loads.wait_for(message.model_name, request)
        return bundle_meta(request.served)

    def transform(request: Request, message: pb.TransformFrameRequest) -> Message:
        served = loads.wait_for(message.model_name, request)
        try:
            format = format_of(message.format)
            layout, rows = decode(message.frame, format)
            work = transform_for(served, layout, *selection(message.options))
            frame = encode(work.result, work.run(request, served, rows, context.most_rows), format)
        except LeapstreamError as error:
            return _failed(request, message, error)
        return pb.TransformFrameResponse(tag=message.tag, frame=frame)

    def unary(name: str, kind: type[Message], handler: Callable[[Request, Any], Message]) -> Method:
        return Method(f"/{SERVICE}/{name}", kind, NAME, handler, status=_STATUS)

    yield unary("LoadModel", pb.LoadModelRequest, load)
    yield unary("UnloadModel", pb.UnloadModelRequest, unload)
    yield unary("GetModel", pb.GetModelRequest, get)
    yield unary("GetBundleMeta", pb.GetBundleMetaRequest, meta)
    yield unary("Transform", pb.TransformFrameRequest, transform)


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
