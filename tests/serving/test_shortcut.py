from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
import uvicorn
from uvicorn.server import ServerState

from leapstream import load
from leapstream.serving import Application, app
from leapstream.serving.shortcut import shortcut
from tests.serving.conftest import BENCH, RECORD

pytestmark = pytest.mark.network

BODY = json.dumps(RECORD).encode()
HEAD = b"POST /v1/models/linear:predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
WHOLE = HEAD + b"content-length: %d\r\n\r\n" % len(BODY) + BODY
ANSWER = b'{"prediction":-0.625}'


@pytest.fixture
def linear() -> Application:
    return app({"linear": load(BENCH / "linear3.zip")})


def talk(
    application: Application,
    conversation: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    keep_alive: float = 60,
) -> None:
    """Have a conversation over a connection to the application."""

    async def run() -> None:
        config = uvicorn.Config(
            application, http=shortcut(application), log_config=None, date_header=False, server_header=False, ws="none"
        )
        config.load()
        config.timeout_keep_alive = keep_alive  # type: ignore[assignment]
        state = ServerState()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: config.http_protocol_class(config=config, server_state=state, app_state={}),  # type: ignore[call-arg]
            "127.0.0.1",
            0,
        )
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        try:
            await asyncio.wait_for(conversation(reader, writer), 20)
        finally:
            writer.close()
            server.close()
            await asyncio.sleep(0)

    asyncio.run(run())


async def answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """The next answer."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name: value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
    return int(lines[0].split()[1]), headers, await reader.readexactly(int(headers["content-length"]))


@pytest.mark.parametrize(
    "parts",
    [
        [WHOLE],
        [WHOLE[:20], WHOLE[20:-5], WHOLE[-5:]],
        [HEAD + b"transfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)],
        [HEAD + b"transfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\nx-request-id: late\r\n\r\n" % (len(BODY), BODY)],
        [HEAD + b"content-length: %d\r\nexpect: 100-continue\r\n\r\n" % len(BODY), BODY],
    ],
    ids=["at once", "in parts", "in chunks", "with trailers", "when asked to continue"],
)
def test_a_body_may_arrive_in_each_way(linear: Application, parts: list[bytes]) -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            for part in parts:
                writer.write(part)
                await asyncio.sleep(0.02)
            if b"expect" in parts[0]:
                assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            status, headers, body = await answer(reader)
            assert (status, body) == (200, ANSWER)
            assert headers["x-request-id"] != "late"

    talk(linear, conversation)


def test_requests_in_a_row_are_answered_in_their_order(linear: Application) -> None:
    get = b"GET /v1/models/linear HTTP/1.1\r\nhost: x\r\n\r\n"
    large = json.dumps([RECORD] * 2000).encode()
    lines = HEAD + b"content-length: %d\r\n\r\n" % len(large) + large

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(WHOLE + get + WHOLE + lines + WHOLE)
        bodies = [(await answer(reader))[2] for _ in range(5)]
        assert bodies[0] == bodies[2] == bodies[4] == ANSWER
        assert json.loads(bodies[1])["name"] == "linear" and len(json.loads(bodies[3])) == 2000

    talk(linear, conversation)


@pytest.mark.parametrize(
    "request_of_client",
    [
        WHOLE.replace(b"host: x", b"connection: close"),
        WHOLE.replace(b"HTTP/1.1", b"HTTP/1.0"),
        WHOLE.replace(b"HTTP/1.1", b"HTTP/1.0").replace(b"host: x", b"connection: keep-alive"),
    ],
    ids=["told to", "of HTTP/1.0", "of HTTP/1.0, asked to stay"],
)
def test_the_connection_ends_if_the_client_wants_that(linear: Application, request_of_client: bytes) -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(request_of_client)
        _, headers, body = await answer(reader)
        assert headers["connection"] == "close" and body == ANSWER
        assert await reader.read() == b""

    talk(linear, conversation)


def test_what_is_no_http_is_told(linear: Application) -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(WHOLE)
        await answer(reader)
        writer.write(b"\x00\x01 nothing\r\n\r\n")
        assert (await answer(reader))[0] == 400
        assert await reader.read() == b""

    talk(linear, conversation)


@pytest.mark.parametrize("first", [b"", WHOLE[:20], WHOLE, b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n"])
def test_an_idle_connection_ends(linear: Application, first: bytes) -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        if first.endswith((b"}", b"\r\n\r\n")):
            assert (await answer(reader))[0] == 200
        assert await reader.read() == b""

    talk(linear, conversation, keep_alive=0.1)


@pytest.mark.slow
def test_a_connection_that_is_used_goes_on(linear: Application) -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(5):
            await asyncio.sleep(0.3)
            writer.write(WHOLE)
            assert (await answer(reader))[2] == ANSWER

    talk(linear, conversation, keep_alive=1)


def test_a_request_that_takes_long_is_decoded_once_in_the_event_loop(
    linear: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = linear.context.models.get("linear")
    served.cost = 1.0
    ways: list[bool] = []
    found = linear._router.find("POST", "/v1/models/linear:predict")
    route = found[0]
    handler = route.handler

    def watched(request: object, *parts: str) -> object:
        ways.append(request.in_loop)  # type: ignore[attr-defined]
        return handler(request, *parts)

    object.__setattr__(route, "handler", watched)

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(WHOLE)
        assert (await answer(reader))[2] == ANSWER

    talk(linear, conversation)
    assert ways == [True, False]
