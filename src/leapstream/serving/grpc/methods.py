"""Methods of gRPC services, and the status codes of calls that fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import grpc
from google.protobuf.message import Message

from leapstream.serving.failures import Failure
from leapstream.serving.http import Request
from leapstream.serving.logs import log_failure

Watch: TypeAlias = "Callable[[Callable[[], None]], None]"
"""Takes a function, and calls it when the call is over: answered, cancelled, or cut off."""

UnaryHandler: TypeAlias = "Callable[[Request, Any], Message]"
"""Answers a message with a message; it runs in a thread, and may wait."""

StreamHandler: TypeAlias = "Callable[[Request, Iterator[Any], Watch], Iterator[Message]]"
"""Answers a stream of messages with a stream of messages."""

STATUS: Mapping[str, grpc.StatusCode] = {
    "request": grpc.StatusCode.INVALID_ARGUMENT,
    "schema": grpc.StatusCode.INVALID_ARGUMENT,
    "prediction": grpc.StatusCode.INVALID_ARGUMENT,
    "bundle": grpc.StatusCode.INVALID_ARGUMENT,
    "media_type": grpc.StatusCode.INVALID_ARGUMENT,
    "source": grpc.StatusCode.UNAVAILABLE,
    "backend": grpc.StatusCode.UNIMPLEMENTED,
    "unknown_model": grpc.StatusCode.NOT_FOUND,
    "unauthorized": grpc.StatusCode.UNAUTHENTICATED,
    "forbidden": grpc.StatusCode.PERMISSION_DENIED,
    "conflict": grpc.StatusCode.ALREADY_EXISTS,
    "too_large": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "busy": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "not_ready": grpc.StatusCode.UNAVAILABLE,
    "deadline": grpc.StatusCode.DEADLINE_EXCEEDED,
}
"""The status code of each kind of failure; ``INTERNAL`` for all others."""


@dataclass(frozen=True)
class Method:
    """A method of a service.

    Attributes:
        path: ``/package.Service/Method``.
        request: the class of the messages that it takes.
        handler: answers a message with a message; ``None`` for a method of streams.
        stream_handler: answers a stream with a stream; ``None`` for any other method.
        protocol: the protocol's name, for logs and metrics.
        open: answered without a token.
        status: status codes in place of those of :data:`STATUS`.
    """

    path: str
    request: type[Message]
    protocol: str
    handler: UnaryHandler | None = None
    stream_handler: StreamHandler | None = None
    open: bool = False
    status: Mapping[str, grpc.StatusCode] = field(default_factory=dict, hash=False)

    def code(self, kind: str) -> grpc.StatusCode:
        """The status code of a kind of failure."""
        return self.status.get(kind) or STATUS.get(kind, grpc.StatusCode.INTERNAL)


def log_call(request: Request, protocol: str, failure: Failure, error: Exception) -> None:
    """Log that a call failed, or a message of its stream."""
    fields = {
        "request": request.id,
        "path": request.path,
        "protocol": protocol,
        "kind": failure.kind,
        "error": failure.message,
    }
    log_failure("call", fields, error)
