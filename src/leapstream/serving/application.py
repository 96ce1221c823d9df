"""The ASGI application: reads requests within their limits, hands them to the protocols, and counts them."""

from __future__ import annotations

import asyncio
import os
import re
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from leapstream.model import Model
from leapstream.serving import openapi
from leapstream.serving.context import Context
from leapstream.serving.drift import DriftMonitor
from leapstream.serving.failures import (
    BusyError,
    DeadlineError,
    Failure,
    RequestError,
    ServingError,
    TooLargeError,
    failure_of,
)
from leapstream.serving.http import Request, Response, Route, StreamedResponse
from leapstream.serving.identifiers import RequestIds
from leapstream.serving.keeper import Keeper
from leapstream.serving.loading import warmed
from leapstream.serving.loads import Loads
from leapstream.serving.logs import log_failure
from leapstream.serving.metrics import Metrics, metrics_directory
from leapstream.serving.protocols import PROTOCOLS, health, plain
from leapstream.serving.registry import ModelRegistry, ServedModel
from leapstream.serving.routing import Router
from leapstream.serving.scoring import LOOP_BODY, NotYetError, TooLongForLoopError
from leapstream.serving.settings import Settings

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

Answered = tuple[int, list[tuple[bytes, bytes]], bytes]
"""The status, headers and body of a response; the headers lack ``content-length``."""

LONG = "leapstream.long"
"""The key of a scope whose request is known to take too long for the event loop."""

_INFLATE_PIECE = 1 << 20
_TRACE_PARENT = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class Companion(Protocol):
    """A server of other protocols."""

    def start(self) -> None:
        """Answer from now on."""

    def stop(self) -> None:
        """Answer what is in flight, and no more."""


class Application:
    """An ASGI 3 application that serves models; :func:`app` makes one.

    Attributes:
        context: what the protocols share.
        routes: the kinds of requests that it answers.
        companions: what else begins to answer when the models are loaded, and ends with the server.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self.companions: list[Companion] = []
        settings = context.settings
        self.routes = [route for protocol in PROTOCOLS for route in protocol.routes(context)]
        self.routes += openapi.routes(context, tuple(self.routes))
        self._router = Router(self.routes)
        self._limits = settings.limits
        # NumPy and numba release the interpreter's lock, so that more threads than cores are of use only for waiting ones.
        self._threads = ThreadPoolExecutor(max(2, os.cpu_count() or 1), thread_name_prefix="leapstream-serving")
        self._active = 0
        self._ids = RequestIds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or take part in the start and the end of the server."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._start)
        except Exception as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.context.keeper.stop()
        for companion in self.companions:
            await asyncio.get_running_loop().run_in_executor(self._threads, companion.stop)
        self._threads.shutdown(wait=False, cancel_futures=True)
        await send({"type": "lifespan.shutdown.complete"})

    def _start(self) -> None:
        self.context.keeper.start()
        for companion in self.companions:
            companion.start()

    # ---- a request ----------------------------------------------------------------------------------------------------

    def answer_small(
        self, method: str, path: str, query: bytes, given: dict[bytes, bytes], body: bytes
    ) -> Answered | None:
        """Answer a request at once, without a task of its own.

        Returns:
            ``None`` if that would take too long for the event loop, or is not possible for another reason; then the request has
            to be given to the application as any other.

        Raises:
            TooLongForLoopError: it would take too long, as the model's cost tells.
        """
        try:
            route, arguments = self._router.find(method, path)
        except ServingError:
            return None
        if (
            len(body) > LOOP_BODY
            or route.blocking
            or self._active >= self._limits.max_concurrent
            or b"content-encoding" in given
            or (route.is_streamed is not None and route.is_streamed(given))
        ):
            return None
        request = self._request(method, path, query, given)
        request.body = body
        started = time.perf_counter()
        failed = None
        try:
            self._authorize(route, given)
            response = route.handler(request, *arguments)
        except TooLongForLoopError:
            raise
        except NotYetError:
            return None
        except Exception as error:
            response, failed = self._failed(request, route, error)
        self._count(request, route, started, failed, response.status)
        return response.status, self._headers(response, request), response.body

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        request = self._request(scope["method"], _path(scope), scope["query_string"], headers)
        request.root = scope.get("root_path", "")
        started = time.perf_counter()
        failed: str | None = None
        route: Route | None = None
        self._active += 1
        response: Response | StreamedResponse
        try:
            if self._active > self._limits.max_concurrent:
                raise BusyError(f"the server answers {self._limits.max_concurrent} requests at once")
            route, arguments = self._router.find(request.method, request.path)
            self._authorize(route, headers)
            if route.is_streamed is not None and route.is_streamed(headers):
                assert route.stream_handler is not None
                response = await route.stream_handler(request, self._parts(headers, receive), *arguments)
            else:
                request.body = await self._body(headers, receive)
                request.in_loop = not scope.get(LONG)
                started = time.perf_counter()
                response = await self._answer(route, request, arguments)
        except _GoneError:
            self._active -= 1
            return
        except Exception as error:
            response, failed = self._failed(request, route, error)
        try:
            await self._send(response, request, send)
        finally:
            self._active -= 1
            self._count(request, route, started, failed, response.status)

    def _request(self, method: str, path: str, query: bytes, headers: dict[bytes, bytes]) -> Request:
        given = headers.get(b"x-request-id")
        request_id = self._ids.of(None if given is None else given.decode("latin-1"))
        return Request(method, path, query, headers, b"", request_id, time.monotonic() + self._limits.timeout)

    def _authorize(self, route: Route, headers: Mapping[bytes, bytes]) -> None:
        if not route.open:
            message = "the request needs the header Authorization: Bearer with the server's token"
            self.context.settings.authorize(headers, message)

    async def _answer(self, route: Route, request: Request, arguments: tuple[str, ...]) -> Response:
        while True:
            try:
                return await self._handle(route, request, arguments)
            except NotYetError as wait:
                done, _ = await asyncio.wait([asyncio.wrap_future(wait.done)], timeout=request.remaining())
                if not done:
                    raise self._late() from None
                request.in_loop = True

    async def _handle(self, route: Route, request: Request, arguments: tuple[str, ...]) -> Response:
        if request.in_loop and not route.blocking and len(request.body) <= LOOP_BODY:
            try:
                return route.handler(request, *arguments)
            except TooLongForLoopError:
                pass
        request.in_loop = False
        work = asyncio.get_running_loop().run_in_executor(self._threads, route.handler, request, *arguments)
        try:
            return await asyncio.wait_for(work, request.remaining())
        except asyncio.TimeoutError:
            raise self._late() from None

    def _late(self) -> DeadlineError:
        return DeadlineError(f"the request's time is over; the server gives one {self._limits.timeout:g} s at most")

    def _failed(self, request: Request, route: Route | None, error: Exception) -> tuple[Response, str]:
        """The answer to a request that failed, and the kind of its failure."""
        failure = failure_of(error, request.id)
        self._log(request, route, failure, error)
        answer = request.failure or (plain.failure_response if route is None else route.failure)
        return answer(failure), failure.kind

    def _count(self, request: Request, route: Route | None, started: float, failed: str | None, status: int) -> None:
        protocol = _protocol(request, route)
        seconds = time.perf_counter() - started
        self.context.metrics.count(protocol, request.served, request.rows, seconds, failed)
        spans = self.context.spans
        if spans is not None and not (route is not None and route.protocol == health.NAME):
            attributes: dict[str, Any] = {"http.request.method": request.method, "http.response.status_code": status}
            name = request.method
            if route is not None:
                attributes["http.route"] = route.path
                name += f" {route.path}"
            spans.record(request, name, attributes, seconds, failed, is_ours=status >= 500)

    # ---- bodies -------------------------------------------------------------------------------------------------------

    def _check_size(self, size: int) -> None:
        if size > self._limits.max_body:
            raise TooLargeError(f"the body is larger than {self._limits.max_body} bytes")

    async def _body(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body") and b"content-encoding" not in headers:
            body: bytes = message.get("body", b"")
            self._check_size(len(body))
            return body

        async def rest() -> bytes:
            return b"".join([part async for part in self._parts(headers, receive, message)])

        try:
            return await asyncio.wait_for(rest(), self._limits.timeout)
        except asyncio.TimeoutError:
            raise DeadlineError(f"the body did not arrive within {self._limits.timeout:g} s") from None

    async def _parts(
        self, headers: Mapping[bytes, bytes], receive: Receive, message: Message | None = None
    ) -> AsyncIterator[bytes]:
        """The parts of a body as they arrive, decompressed and within the limit."""
        total = 0
        inflater = _inflater(headers)
        while True:
            message = await receive() if message is None else message
            if message["type"] == "http.disconnect":
                raise _GoneError
            for part in _inflated(inflater, message.get("body", b"")):
                total += len(part)
                self._check_size(total)
                yield part
            if not message.get("more_body"):
                break
            message = None
        if inflater is not None and not inflater.eof:
            raise RequestError("the compressed body is cut off")

    # ---- answers ------------------------------------------------------------------------------------------------------

    def _headers(self, response: Response | StreamedResponse, request: Request) -> list[tuple[bytes, bytes]]:
        content_type, request_id = (b"content-type", response.content_type), (b"x-request-id", request.id.encode())
        if request.served is None:
            headers = [content_type, request_id, *response.headers]
        else:
            headers = [content_type, request_id, request.served.header, *response.headers]
        trace = request.headers.get(b"traceparent")
        if trace is not None and _TRACE_PARENT.fullmatch(trace):
            headers.append((b"traceparent", trace))
        return headers

    async def _send(self, response: Response | StreamedResponse, request: Request, send: Send) -> None:
        headers = self._headers(response, request)
        start = {"type": "http.response.start", "status": response.status, "headers": headers}
        if isinstance(response, StreamedResponse):
            await send(start)
            async for part in response.parts:
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
            return
        headers.append((b"content-length", b"%d" % len(response.body)))
        await send(start)
        await send({"type": "http.response.body", "body": response.body})

    def _log(self, request: Request, route: Route | None, failure: Failure, error: Exception) -> None:
        fields = {
            "request": request.id,
            "method": request.method,
            "path": request.path,
            "protocol": _protocol(request, route),
            "status": failure.status,
            "kind": failure.kind,
            "error": failure.message,
        }
        trace = request.header(b"traceparent")
        if trace:
            fields["traceparent"] = trace
        log_failure("request", fields, error)


def _protocol(request: Request, route: Route | None) -> str:
    return request.protocol or ("none" if route is None else route.protocol)


def _path(scope: Scope) -> str:
    """The path within this application, which may be mounted under another one's path."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] if root and path.startswith(f"{root}/") else path


class _GoneError(Exception):
    """The client went away before its request was whole."""


def _inflater(headers: Mapping[bytes, bytes]) -> Any:
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    if encoding == b"identity":
        return None
    if encoding not in (b"gzip", b"deflate"):
        raise RequestError("the body's Content-Encoding has to be gzip, deflate or identity")
    # 32 more than the window's size: the header tells gzip from zlib.
    return zlib.decompressobj(zlib.MAX_WBITS | 32)


def _inflated(inflater: Any, data: bytes) -> Any:
    """The decompressed data, in pieces, so that a limit can stop them."""
    if inflater is None:
        yield data
        return
    try:
        while data:
            piece = inflater.decompress(data, _INFLATE_PIECE)
            data = inflater.unconsumed_tail
            yield piece
    except zlib.error as error:
        raise RequestError(f"the body is not compressed as its header says: {error}") from None


def app(
    models: Mapping[str, Model] | ModelRegistry,
    *,
    settings: Settings | None = None,
    keeper: Keeper | None = None,
    tracer_provider: Any = None,
) -> Application:
    """An ASGI application that answers requests with the predictions of models.

    Args:
        models: the models by the names that requests have for them, or a registry of them.
        settings: limits, token, and what requests may do.
        keeper: loads models when the application starts, and on requests; by default one with nothing to load.
        tracer_provider: OpenTelemetry's, which gets a span for each request; by default there are none.
    """
    settings = settings or Settings()
    if isinstance(models, ModelRegistry):
        registry = models
    else:
        registry = ModelRegistry()
        for name, model in models.items():
            registry.put(warmed(ServedModel(name, "1", model)))
    keeper = keeper or Keeper(registry, settings)
    directory = metrics_directory()
    drift = DriftMonitor(registry, settings.drift, directory)
    metrics = Metrics(registry, [drift], directory)
    keeper.when_rejected = metrics.count_rejected
    spans = None
    if tracer_provider is not None:
        from leapstream.serving.tracing import Spans

        spans = Spans(tracer_provider)
    return Application(Context(registry, settings, keeper, metrics, Loads(registry, keeper), drift, spans))
