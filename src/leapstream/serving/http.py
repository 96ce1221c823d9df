"""Requests and responses of the protocols, apart from any web server."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from leapstream.serving.operations import ModelOperation, Operation

if TYPE_CHECKING:
    from leapstream.serving.failures import Failure
    from leapstream.serving.registry import ServedModel

Headers: TypeAlias = Sequence[tuple[bytes, bytes]]

JSON = b"application/json"
TEXT = b"text/plain; charset=utf-8"


@dataclass(slots=True)
class Request:
    """A request whose body has arrived.

    Attributes:
        method: the HTTP method.
        path: the path, with its escapes decoded.
        query: what stands behind the path's question mark, as sent.
        headers: by name in lower case; of a header that repeats, the last.
        body: the whole body, decompressed.
        id: what the logs call the request.
        deadline: when its time is over, on the clock of :func:`time.monotonic`.
        in_loop: true while it is handled in the event loop, where nothing may take long.
        served: the model that answers, once it is known; for the metrics.
        rows: the number of rows that were scored.
        root: the path under which the application is mounted; empty if it is not.
        failure: makes the answer if the request fails from now on; by default the route's function does.
        protocol: the protocol that answers, once it is known, if it is not the route's; for the metrics and logs.
    """

    method: str
    path: str
    query: bytes
    headers: Mapping[bytes, bytes]
    body: bytes
    id: str
    deadline: float
    in_loop: bool = True
    served: ServedModel | None = None
    rows: int = 0
    root: str = ""
    failure: Callable[[Failure], Response] | None = None
    protocol: str | None = None

    def header(self, name: bytes) -> str:
        """A header's value, or an empty text."""
        return self.headers.get(name, b"").decode("latin-1")

    @property
    def media_type(self) -> str:
        """The media type of the body, in lower case and without parameters; empty if the request does not tell."""
        return media_type(self.headers)

    def remaining(self) -> float:
        """The seconds that are left; 0 if the time is over."""
        return max(0.0, self.deadline - time.monotonic())


@dataclass(slots=True)
class Response:
    """An answer.

    Attributes:
        body: the whole body.
        status: the status code.
        content_type: the header of this name.
        headers: further headers, by name in lower case.
    """

    body: bytes
    status: int = 200
    content_type: bytes = JSON
    headers: Headers = ()


@dataclass(slots=True)
class StreamedResponse:
    """An answer in parts, each of which is sent when it is there."""

    parts: AsyncIterator[bytes]
    content_type: bytes
    headers: Headers = ()
    status: int = 200


def media_type(headers: Mapping[bytes, bytes]) -> str:
    """The media type of a body by its headers, in lower case and without parameters; empty if they do not tell."""
    return _media_type(headers.get(b"content-type", b""))


@lru_cache(256)
def _media_type(header: bytes) -> str:
    return header.partition(b";")[0].strip().lower().decode("latin-1")


Handler: TypeAlias = Callable[..., Response]
StreamHandler: TypeAlias = Callable[..., Awaitable["Response | StreamedResponse"]]


@dataclass(frozen=True)
class Route:
    """A kind of request that a protocol answers.

    Attributes:
        method: the HTTP method.
        path: the path; ``{name}`` stands for a part without slashes, which the handler gets as an argument.
        handler: answers a :class:`Request`. It runs in the event loop if the request is small, else in a thread, and may run
            again there (see :class:`leapstream.serving.scoring.TooLongForLoopError`); it changes nothing before it scores.
        failure: makes the answer to a request that fails.
        protocol: the protocol's name, for logs and metrics.
        open: answered without a token.
        blocking: always handled in a thread, since it reads or writes files.
        operation: describes it in the OpenAPI document; a function, if the description depends on the model that the path names;
            ``None`` for one that is of no use to clients.
        is_streamed: tells from the headers that ``stream_handler`` answers the request; ``None`` if it never does.
        stream_handler: a coroutine function of the request, whose body is empty, the parts of its body, and the path's parts.
    """

    method: str
    path: str
    handler: Handler
    failure: Callable[[Failure], Response]
    protocol: str
    open: bool = False
    blocking: bool = False
    operation: Operation | ModelOperation | None = None
    is_streamed: Callable[[Mapping[bytes, bytes]], bool] | None = None
    stream_handler: StreamHandler | None = None
