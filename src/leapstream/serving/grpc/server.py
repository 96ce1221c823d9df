"""The gRPC server: threads that hand calls to the services, within the limits of requests, and count them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import grpc
from google.protobuf.message import DecodeError

from leapstream.errors import ConfigError
from leapstream.serving.context import Context
from leapstream.serving.failures import BusyError, RequestError, failure_of
from leapstream.serving.grpc.methods import Method, log_call
from leapstream.serving.grpc.turns import TurnsExecutor
from leapstream.serving.http import Request
from leapstream.serving.identifiers import RequestIds
from leapstream.serving.scoring import LOOP_BODY, NotYetError, TooLongForLoopError

# A stream keeps its thread as long as it is open; some are left for single calls.
_THREADS = 64
_MOST_STREAMS = 48
# The metadata by which a call and its line in the log find each other.
_REQUEST_ID = "x-request-id"
# The failures that are the server's own.
_OURS = frozenset({"backend", "deadline", "internal", "not_ready", "source"})


class GrpcServer:
    """A server of the models of a context.

    Args:
        context: what the protocols share.
        methods: the methods of all services.
        host, port: where to listen; port 0 takes any that is free.
        drain: seconds that calls in flight have to end.
        certificate, key: files in PEM format, for TLS.

    Attributes:
        port: where it listens, once it has started.
    """

    def __init__(
        self,
        context: Context,
        methods: Iterable[Method],
        host: str,
        port: int,
        *,
        drain: float = 30.0,
        certificate: str | None = None,
        key: str | None = None,
    ) -> None:
        self._context = context
        self._drain = drain
        limits = context.settings.limits
        self._timeout = limits.timeout
        self._ids = RequestIds("g")
        self._streams = threading.Semaphore(_MOST_STREAMS)
        self._calls = TurnsExecutor(_THREADS, "leapstream-grpc")
        self._server = grpc.server(
            self._calls,
            handlers=self._services(methods),
            options=[
                # The workers of a server listen on one port.
                ("grpc.so_reuseport", 1),
                ("grpc.max_receive_message_length", limits.max_body),
                ("grpc.max_send_message_length", -1),
            ],
            maximum_concurrent_rpcs=limits.max_concurrent,
        )
        self._address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._pair = None if certificate is None or key is None else (key, certificate)
        self.port = port

    def start(self) -> None:
        """Answer calls from now on.

        Raises:
            ConfigError: the address cannot be had.
        """
        try:
            if self._pair is None:
                self.port = self._server.add_insecure_port(self._address)
            else:
                key, certificate = (Path(file).read_bytes() for file in self._pair)
                credentials = grpc.ssl_server_credentials([(key, certificate)])
                self.port = self._server.add_secure_port(self._address, credentials)
        except RuntimeError:
            raise ConfigError(f"cannot listen on {self._address} for gRPC") from None
        self._server.start()

    def stop(self) -> None:
        """Take no further calls, and end those that are still there after the time to drain."""
        self._server.stop(self._drain).wait()
        self._calls.shutdown()

    # ---- a call -------------------------------------------------------------------------------------------------------

    def _services(self, methods: Iterable[Method]) -> list[grpc.GenericRpcHandler]:
        services: dict[str, dict[str, grpc.RpcMethodHandler]] = {}
        for method in methods:
            _, service, name = method.path.split("/")
            services.setdefault(service, {})[name] = self._handler(method)
        return [grpc.method_handlers_generic_handler(service, found) for service, found in services.items()]

    def _handler(self, method: Method) -> grpc.RpcMethodHandler:
        if method.handler is not None:
            # Messages are read here, since grpcio reads them in the thread that all calls wait for.
            return grpc.unary_unary_rpc_method_handler(self._unary(method, method.handler), None, _serialized)
        assert method.stream_handler is not None
        return grpc.stream_stream_rpc_method_handler(
            self._stream(method, method.stream_handler), method.request.FromString, _serialized
        )

    def _unary(self, method: Method, handler: Callable[[Request, Any], Any]) -> Callable[[bytes, Any], Any]:
        def answer(data: bytes, call: grpc.ServicerContext) -> Any:
            with self._counted(method, call) as request:
                if len(data) <= LOOP_BODY:
                    request.in_loop = True
                    try:
                        return handler(request, _parsed(method, data))
                    except (TooLongForLoopError, NotYetError):
                        pass
                self._calls.step_aside()
                request.in_loop = False
                return self._context.loads.waiting(lambda: handler(request, _parsed(method, data)), request)

        return answer

    def _stream(self, method: Method, handler: Callable[..., Iterator[Any]]) -> Callable[[Any, Any], Iterator[Any]]:
        def answers(messages: Iterator[Any], call: grpc.ServicerContext) -> Iterator[Any]:
            self._calls.step_aside()
            with self._counted(method, call) as request:
                if not self._streams.acquire(blocking=False):
                    raise BusyError(f"the server has {_MOST_STREAMS} streams at once")
                try:
                    yield from handler(request, messages, call.add_callback)
                finally:
                    self._streams.release()

        return answers

    @contextmanager
    def _counted(self, method: Method, call: grpc.ServicerContext) -> Iterator[Request]:
        """Count a call, and end it with the status code of its failure."""
        started = time.perf_counter()
        remaining = call.time_remaining()
        seconds = self._timeout if remaining is None else min(remaining, self._timeout)
        given = next((value for name, value in call.invocation_metadata() if name == _REQUEST_ID), None)
        request_id = self._ids.of(given)
        call.set_trailing_metadata(((_REQUEST_ID, request_id),))
        request = Request(
            "POST", method.path, b"", _Metadata(call), b"", request_id, time.monotonic() + seconds, in_loop=False
        )
        failed: str | None = None
        try:
            if not method.open:
                message = "the call needs the metadata authorization: Bearer with the server's token"
                self._context.settings.authorize(request.headers, message)
            yield request
            _name_version(call, request)
        except Exception as error:
            failure = failure_of(error, request.id)
            failed = failure.kind
            _name_version(call, request)
            log_call(request, method.protocol, failure, error)
            _abort(call, method.code(failure.kind), failure.message)
        finally:
            seconds = time.perf_counter() - started
            self._context.metrics.count(method.protocol, request.served, request.rows, seconds, failed)
            if self._context.spans is not None:
                attributes = {"rpc.system.name": "grpc", "rpc.method": method.path[1:]}
                is_ours = failed in _OURS
                self._context.spans.record(request, method.path[1:], attributes, seconds, failed, is_ours=is_ours)


class _Metadata(Mapping[bytes, bytes]):
    """The metadata of a call as headers; read when someone asks, since that takes longer than most predictions."""

    def __init__(self, call: grpc.ServicerContext) -> None:
        self._call = call

    @cached_property
    def _found(self) -> dict[bytes, bytes]:
        return {name.encode(): _bytes(value) for name, value in self._call.invocation_metadata()}

    def __getitem__(self, name: bytes) -> bytes:
        return self._found[name]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def _parsed(method: Method, data: bytes) -> Any:
    try:
        return method.request.FromString(data)
    except DecodeError as error:
        raise RequestError(f"the message is not a {method.request.DESCRIPTOR.name}: {error}") from None


def _serialized(message: Any) -> bytes:
    data: bytes = message.SerializeToString()
    return data


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


def _name_version(call: grpc.ServicerContext, request: Request) -> None:
    """Say in the metadata which version of a model has answered, as the header of REST does."""
    if request.served is not None:
        name, version = request.served.header
        call.set_trailing_metadata(((_REQUEST_ID, request.id), (name.decode(), version.decode())))


def _abort(call: grpc.ServicerContext, code: grpc.StatusCode, message: str) -> NoReturn:
    call.abort(code, message)
    raise AssertionError  # abort raises
