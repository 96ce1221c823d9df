"""Calls of a gRPC server in this process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import Message

from leapstream.serving import Application
from leapstream.serving.grpc.server import GrpcServer
from leapstream.serving.grpc.services import SERVICES

SECONDS = 30


@dataclass(frozen=True)
class Caller:
    """A client of a server."""

    channel: grpc.Channel

    def one(
        self, path: str, message: Message, answer: type[Any], *, metadata: Sequence[Any] = (), timeout: float = SECONDS
    ) -> Any:
        """Call a method that answers a message with a message."""
        call = self.channel.unary_unary(path, lambda m: m.SerializeToString(), answer.FromString)
        return call(message, timeout=timeout, metadata=metadata)

    def many(self, path: str, messages: Iterable[Message], answer: type[Any], timeout: float = SECONDS) -> Any:
        """Call a method that answers a stream with a stream."""
        call = self.channel.stream_stream(path, lambda m: m.SerializeToString(), answer.FromString)
        return call(iter(messages), timeout=timeout)


@contextmanager
def calling(application: Application) -> Iterator[Caller]:
    """A client of a gRPC server for the models of an application, until the block ends."""
    context = application.context
    methods = [method for service in SERVICES for method in service.methods(context)]
    server = GrpcServer(context, methods, "127.0.0.1", 0, drain=0)
    server.start()
    try:
        options = [("grpc.max_receive_message_length", -1)]
        with grpc.insecure_channel(f"127.0.0.1:{server.port}", options) as channel:
            yield Caller(channel)
    finally:
        server.stop()


def code_of(error: Any) -> grpc.StatusCode:
    """The status code of a call that failed."""
    code: grpc.StatusCode = error.value.code()
    return code
