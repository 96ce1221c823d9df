"""A server of S3's protocol (moto) that Flink's file system and fsspec both reach."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import fsspec
from moto.server import ThreadedMotoServer

from leapstream.sources import SourceOptions
from tests.flink.cluster import free_ports

_KEY, _SECRET = "testing", "testing-secret"


@dataclass
class S3:
    """A server that may be away for a while; its objects stay.

    Attributes:
        port: its port.
    """

    port: int
    _server: Any = field(default=None, repr=False)

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> dict[str, object]:
        """The settings of Flink's file system."""
        return {
            "s3.endpoint": self.endpoint,
            "s3.path.style.access": "true",
            "s3.access-key": _KEY,
            "s3.secret-key": _SECRET,
            "s3.endpoint.region": "us-east-1",
        }

    @property
    def options(self) -> SourceOptions:
        """The options of fsspec."""
        storage = {"endpoint_url": self.endpoint, "key": _KEY, "secret": _SECRET}
        return SourceOptions(timeout=20, storage_options=storage)

    def up(self) -> None:
        """Answer requests."""
        self._server = ThreadedMotoServer("127.0.0.1", self.port, verbose=False)
        self._server.start()

    def down(self) -> None:
        """Refuse connections until ``up``."""
        self._server.stop()

    def read(self, path: str) -> bytes:
        """The bytes of an object, ``bucket/key``."""
        return bytes(self._files.cat_file(path))

    def write(self, path: str, data: bytes) -> None:
        """Replace an object."""
        self._files.pipe_file(path, data)

    @property
    def _files(self) -> Any:
        return fsspec.filesystem("s3", **self.options.storage_options)

    def make_bucket(self, name: str) -> None:
        """Create a bucket."""
        request = urllib.request.Request(f"{self.endpoint}/{name}", b"", method="PUT")
        request.add_header("Content-Type", "application/octet-stream")
        request.add_header("Authorization", f"AWS4-HMAC-SHA256 Credential={_KEY}/20260101/us-east-1/s3/aws4_request")
        for _ in range(50):
            try:
                urllib.request.urlopen(request, timeout=10).close()
                return
            except urllib.error.URLError:
                time.sleep(0.1)
        raise RuntimeError(f"{self.endpoint} does not answer")


@contextmanager
def running_s3(*buckets: str) -> Iterator[S3]:
    """A server with some buckets."""
    (port,) = free_ports(1)
    server = S3(port)
    server.up()
    try:
        for bucket in buckets:
            server.make_bucket(bucket)
        yield server
    finally:
        server.down()
