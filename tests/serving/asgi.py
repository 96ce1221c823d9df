"""Gives requests to an ASGI application without a web server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leapstream.serving import Application


@dataclass(frozen=True)
class Answer:
    """The answer of an application."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    application: Application,
    method: str,
    path: str,
    body: bytes | Sequence[bytes] | Iterator[bytes] | Any = b"",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Ask an application; a body that is not bytes is sent as JSON, and one in parts is sent part by part.

    The parts of an iterator are taken when the application asks for them.
    """
    given = {"content-type": "application/json", **(headers or {})}
    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
    }
    return asyncio.run(_ask(application, scope, _parts(body)))


def _parts(body: Any) -> Iterable[bytes]:
    if isinstance(body, Iterator):
        return body
    if isinstance(body, bytes):
        return [body]
    if isinstance(body, (list, tuple)) and body and all(isinstance(part, bytes) for part in body):
        return list(body)
    return [json.dumps(body).encode()]


async def _ask(application: Application, scope: dict[str, Any], parts: Iterable[bytes]) -> Answer:
    later = parts if isinstance(parts, Iterator) else None
    waiting = list(parts) if later is None else []
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        nonlocal later
        if later is not None:
            part = next(later, None)
            later = None if part is None else later
            return {"type": "http.request", "body": part or b"", "more_body": part is not None}
        if not waiting:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    await application(scope, receive, send)
    start = sent[0]
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], headers, b"".join(message.get("body", b"") for message in sent[1:]))
