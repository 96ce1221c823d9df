"""uvicorn's protocol with a shorter way for small requests.

uvicorn starts a task for each request, which costs several times what a prediction costs. A small request that has arrived whole
is answered here at once; every other request takes uvicorn's own way.
"""

from __future__ import annotations

from asyncio import TimerHandle
from functools import lru_cache
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from leapstream.serving.application import LONG, Application
from leapstream.serving.scoring import LOOP_BODY, TooLongForLoopError


class ShortcutProtocol(HttpToolsProtocol):
    """A connection; ``application``, which subclasses have, answers the small requests."""

    application: Application

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The parts of the body of a request that may be answered at once, or None.
        self._held: list[bytes] | None = None
        self._size = 0
        self._given: dict[bytes, bytes] = {}
        self._seen = 0.0
        self._idle: TimerHandle | None = None

    # ---- the connection -----------------------------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        """Begin to watch how long the connection is idle: one timer for all of its requests."""
        super().connection_made(transport)
        self._seen = self.loop.time()
        self._idle = self.loop.call_later(self.timeout_keep_alive, self._close_if_idle)

    def connection_lost(self, exc: Exception | None) -> None:
        """Watch it no longer."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what arrived. A request that is not whole by then takes the long way, on which its time is limited."""
        self._seen = self.loop.time()
        if self.timeout_keep_alive_task is None and not self._is_busy():
            # The same as uvicorn does, less the timer that it would cancel and make again for each request.
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserError:
                self.send_400_response("Invalid HTTP request received.")
                return
            except httptools.HttpParserUpgrade:
                self._unsupported_upgrade_warning()
        else:
            super().data_received(data)
        if self._held is not None:
            self._release()

    def _is_busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _close_if_idle(self) -> None:
        left = self._seen + self.timeout_keep_alive - self.loop.time()
        if self._is_busy():
            left = self.timeout_keep_alive
        if left > 0:
            self._idle = self.loop.call_later(left, self._close_if_idle)
        else:
            self._idle = None
            self.timeout_keep_alive_handler()

    # ---- a request ----------------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Begin a request; uvicorn's own description of it is made when it takes the long way."""
        self.url = b""
        self.expect_100_continue = False
        self._given = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; of one that repeats, the last. What stands behind the body is none."""
        if self._held is None:
            self._given[name.lower()] = value

    def on_headers_complete(self) -> None:
        """Decide on the way that the request may take."""
        given = self._given
        if (
            self._is_busy()
            or self.flow.write_paused
            or self.parser.get_method() != b"POST"
            or given.get(b"expect", b"").lower() == b"100-continue"
        ):
            self._begin()
            return
        self._held = []
        self._size = 0

    def _begin(self) -> None:
        """Tell uvicorn of the request."""
        url = self.url
        super().on_message_begin()
        self.url = url
        for name, value in self._given.items():
            super().on_header(name, value)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the request's body."""
        if self._held is None:
            super().on_body(body)
            return
        self._held.append(body)
        self._size += len(body)
        if self._size > LOOP_BODY:
            self._release()

    def on_message_complete(self) -> None:
        """Answer the request, if that takes little time."""
        if self._held is None:
            super().on_message_complete()
            return
        path, query = _parts(self.url)
        answered = None
        is_long = False
        if not self.parser.should_upgrade():
            body = self._held[0] if len(self._held) == 1 else b"".join(self._held)
            try:
                answered = self.application.answer_small("POST", path, query, self._given, body)
            except TooLongForLoopError:
                is_long = True
        if answered is None:
            self._release()
            self.scope[LONG] = is_long  # type: ignore[literal-required]
            super().on_message_complete()
            return
        self._held = None
        status, headers, body = answered
        text = [_status_line(status)]
        for name, value in headers:
            text += (name, b": ", value, b"\r\n")
        # uvicorn keeps no connection of HTTP/1.0, and a client would wait for the end of this one.
        keep = self.parser.should_keep_alive() and self.parser.get_http_version() != "1.0"
        text.append(b"content-length: %d\r\n%b\r\n" % (len(body), b"" if keep else b"connection: close\r\n"))
        text.append(body)
        self.transport.write(b"".join(text))
        self.server_state.total_requests += 1
        if not keep:
            self.transport.close()

    def _release(self) -> None:
        """Hand the request to uvicorn, with the part of its body that is there."""
        held, self._held = self._held, None
        self._begin()
        for part in held or ():
            super().on_body(part)


def shortcut(application: Application) -> type[ShortcutProtocol]:
    """The protocol for the connections to an application."""
    return type("ShortcutProtocol", (ShortcutProtocol,), {"application": application})


@lru_cache(4096)
def _parts(url: bytes) -> tuple[str, bytes]:
    """The path, without escapes, and the query of a URL."""
    parsed = httptools.parse_url(url)
    return unquote(parsed.path.decode("ascii")), parsed.query or b""


@lru_cache
def _status_line(status: int) -> bytes:
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()
