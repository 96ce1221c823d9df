"""A real HTTP server whose answers a test sets; child processes of a test use it too."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Web:
    """The files of a test server, the faults that it simulates, and the requests that it got."""

    files: dict[str, bytes] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    failures: list[int] = field(default_factory=list)
    status: dict[str, int] = field(default_factory=dict)
    truncate: bool = False
    chunk_pause: float = 0.0
    requests: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)
    port: int = 0

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def put(self, path: str, content: bytes, etag: str | None = None) -> str:
        self.files[path] = content
        if etag is not None:
            self.etags[path] = f'"{etag}"'
        return self.url(path)


def start(web: Web) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            path = self.path.partition("?")[0]
            with web.lock:
                web.requests[self.command] += 1
                failure = web.failures.pop(0) if web.failures else web.status.get(path)
            content = web.files.get(path)
            if failure is not None or content is None:
                self.send_response(failure or 404)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            if path in web.etags:
                self.send_header("ETag", web.etags[path])
            self.end_headers()
            if not body:
                return
            if web.truncate:
                self.wfile.write(content[: len(content) // 2])
                self.close_connection = True
                return
            if web.chunk_pause:
                for start in range(0, len(content), 4096):
                    self.wfile.write(content[start : start + 4096])
                    self.wfile.flush()
                    time.sleep(web.chunk_pause)
                return
            self.wfile.write(content)

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that hangs up is what several tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    web.port = server.server_port
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server
