"""uvicorn's protocol with a shorter way for small requests.

uvicorn starts a task for each request, which costs several times what a prediction costs. A small request that has arrived whole
is answered here at once; every other request takes uvicorn's own way.
"""

from __future__ import annotations

from functools import lru_cache
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from leapstream.serving.application import Application
from leapstream.serving.scoring import LOOP_BODY


class ShortcutProtocol(HttpToolsProtocol):
    """A connection; ``application``, which subclasses have, answers the small requests."""

    application: Application

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The parts of the body of a request that may be answered at once, or None.
        self._held: list[bytes] | None = None
        self._size = 0

    def data_received(self, data: bytes) -> None:
        """Parse what arrived. A request that is not whole by then takes the long way, on which its time is limited."""
        super().data_received(data)
        if self._held is not None:
            self._release()

    def on_headers_complete(self) -> None:
        """Begin a request."""
        busy = self.cycle is not None and not self.cycle.response_complete
        if busy or self.expect_100_continue or self.flow.write_paused or self.parser.get_method() != b"POST":
            super().on_headers_complete()
            return
        self._held = []
        self._size = 0

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
        if not self.parser.should_upgrade():
            body = self._held[0] if len(self._held) == 1 else b"".join(self._held)
            answered = self.application.answer_small("POST", path, query, self.headers, body)
        if answered is None:
            self._release()
            super().on_message_complete()
            return
        self._held = None
        status, headers, body = answered
        text = [_status_line(status)]
        for name, value in headers:
            text += (name, b": ", value, b"\r\n")
        keep = self.parser.should_keep_alive()
        text.append(b"content-length: %d\r\n%b\r\n" % (len(body), b"" if keep else b"connection: close\r\n"))
        text.append(body)
        self.transport.write(b"".join(text))
        self.server_state.total_requests += 1
        if not keep:
            self.transport.close()
            return
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def _release(self) -> None:
        """Hand the request to uvicorn, with the part of its body that is there."""
        held, self._held = self._held, None
        super().on_headers_complete()
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
