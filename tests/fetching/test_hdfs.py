"""HDFS: the native client, which this machine lacks, and WebHDFS against a small server of its REST interface."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from leapstream.errors import SourceError
from leapstream.sources import SourceOptions, resolve

FILES = {
    "/models/m.zip": b"content",
    "/models/x/bundle.json": b"{}",
    "/models/x/root/model.json": b"model",
    "/models/secret.zip": b"secret",
}


class _NameNode(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        path, query = unquote(url.path.removeprefix("/webhdfs/v1")), parse_qs(url.query)
        operation = query["op"][0]
        if path == "/models/secret.zip":
            self.refuse(403, "AccessControlException")
        elif not any(name == path or name.startswith(path + "/") for name in FILES):
            self.refuse(404, "FileNotFoundException")
        elif operation == "GETFILESTATUS":
            self.answer(200, {"FileStatus": self.status(path, "")})
        elif operation == "LISTSTATUS":
            below = sorted({name[len(path) + 1 :].split("/")[0] for name in FILES if name.startswith(path + "/")})
            self.answer(200, {"FileStatuses": {"FileStatus": [self.status(f"{path}/{name}", name) for name in below]}})
        elif "datanode" not in query:
            self.send_response(307)
            self.send_header("Location", f"http://{self.headers['Host']}{self.path}&datanode=1")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            offset, length = int(query["offset"][0]), int(query["length"][0])
            self.answer(200, FILES[path][offset : offset + length])

    def status(self, path: str, suffix: str) -> dict[str, object]:
        kind = "FILE" if path in FILES else "DIRECTORY"
        length = len(FILES.get(path, b""))
        return {"type": kind, "length": length, "modificationTime": 1_700_000_000_000, "pathSuffix": suffix}

    def refuse(self, status: int, exception: str) -> None:
        self.answer(status, {"RemoteException": {"exception": exception, "message": f"{exception} of the server"}})

    def answer(self, status: int, content: object) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True


@pytest.fixture
def namenode() -> Iterator[str]:
    server = _Server(("127.0.0.1", 0), _NameNode)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"webhdfs://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_webhdfs_gives_a_file(namenode: str, options: SourceOptions) -> None:
    assert resolve(f"{namenode}/models/m.zip", options=options).read_bytes() == b"content"


def test_webhdfs_gives_a_directory(namenode: str, options: SourceOptions) -> None:
    path = resolve(f"{namenode}/models/x", options=options)
    assert (path / "root" / "model.json").read_bytes() == b"model"


@pytest.mark.parametrize(("name", "reason"), [("none.zip", "not found"), ("secret.zip", "permission denied")])
def test_webhdfs_says_why_a_file_cannot_be_had(namenode: str, options: SourceOptions, name: str, reason: str) -> None:
    with pytest.raises(SourceError, match=f"/models/{name}: {reason}"):
        resolve(f"{namenode}/models/{name}", options=options)


@pytest.mark.slow
def test_hdfs_without_a_hadoop_client_says_what_is_missing(cache: Path, tmp_path: Path) -> None:
    # In a process of its own, as the driver may start a JVM where it finds one.
    code = f"""
from leapstream.errors import SourceError
from leapstream.sources import SourceOptions, resolve
try:
    resolve("hdfs://127.0.0.1:9/models/m.zip", options=SourceOptions(cache_dir={str(cache)!r}, retries=0))
except SourceError as error:
    print(error)
"""
    given = {name: value for name, value in os.environ.items() if name not in ("CLASSPATH", "ARROW_LIBHDFS_DIR")}
    environment = {**given, "HADOOP_HOME": str(tmp_path), "JAVA_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert "hdfs://127.0.0.1:9/models/m.zip: the Hadoop client is missing" in done.stdout
    assert "webhdfs://" in done.stdout
