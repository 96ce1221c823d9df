"""The command line as tests call it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from leapstream.cli import app

BENCH = Path(__file__).parents[1] / "bench"
LINEAR = str(BENCH / "linear3.zip")
FOREST = str(BENCH / "forest3-20x5.zip")
LINEAR_INPUT = str(BENCH / "linear3.input.json")


@pytest.fixture
def run() -> Callable[..., Result]:
    """Runs ``leapstream`` with some arguments in this process."""

    def invoke(*args: str | Path) -> Result:
        return CliRunner().invoke(app, [str(arg) for arg in args], catch_exceptions=False)

    return invoke


@pytest.fixture
def serve() -> Iterator[Callable[[dict[str, Any]], str]]:
    """Answers requests as a JobManager would; returns its URL."""
    servers: list[ThreadingHTTPServer] = []

    def start(found: dict[str, Any]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer = found.get(self.path)
                body = answer if isinstance(answer, str) else json.dumps(answer)
                self.send_response(200 if answer is not None else 404)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
