"""S3, against moto's server over HTTP."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from moto.server import ThreadedMotoServer

from leapstream.errors import SourceError
from leapstream.sources import SourceOptions, loader_for, resolve

from .conftest import entries

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def endpoint(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    urllib.request.urlopen(urllib.request.Request(f"{server}/moto-api/reset", method="POST"), timeout=10).close()
    put(server, "models", b"")
    return server


def put(endpoint: str, path: str, content: bytes) -> None:
    request = urllib.request.Request(f"{endpoint}/{path}", content, method="PUT")
    request.add_header("Content-Type", "application/octet-stream")
    # Any well-formed signature will do for moto; it is its own way to tell S3 from the other services.
    request.add_header("Authorization", "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/s3/aws4_request")
    urllib.request.urlopen(request, timeout=10).close()


def test_an_object_is_fetched_from_the_endpoint_of_the_environment(endpoint: str, options: SourceOptions) -> None:
    put(endpoint, "models/a/m.zip", b"content")
    assert resolve("s3://models/a/m.zip", options=options).read_bytes() == b"content"


def test_an_object_is_fetched_from_the_endpoint_of_the_options(
    endpoint: str, options: SourceOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    put(endpoint, "models/a/m.zip", b"content")
    given = replace(options, storage_options={"endpoint_url": endpoint})
    assert loader_for("s3", options=given).resolve("s3://models/a/m.zip").read_bytes() == b"content"


def test_a_new_version_of_an_object_is_seen(endpoint: str, options: SourceOptions, cache: Path) -> None:
    put(endpoint, "models/m.zip", b"content")
    assert resolve("s3://models/m.zip", options=options) == resolve("s3://models/m.zip", options=options)
    assert len(entries(cache)) == 1
    put(endpoint, "models/m.zip", b"CONTENT")
    assert resolve("s3://models/m.zip", options=options).read_bytes() == b"CONTENT"


@pytest.mark.parametrize("uri", ["s3://models/nowhere.zip", "s3://nobucket/m.zip"])
def test_a_missing_object_is_named(endpoint: str, options: SourceOptions, uri: str) -> None:
    with pytest.raises(SourceError, match=f"{uri}: not found"):
        resolve(uri, options=options)


def test_a_directory_is_fetched(endpoint: str, options: SourceOptions) -> None:
    put(endpoint, "models/x/bundle.json", b"{}")
    put(endpoint, "models/x/root/model.json", b"model")
    put(endpoint, "models/x/root/empty", b"")
    path = resolve("s3://models/x/", options=options)
    assert (path / "bundle.json").read_bytes() == b"{}"
    assert (path / "root/model.json").read_bytes() == b"model"
    assert (path / "root/empty").read_bytes() == b""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["root/../../evil", "../evil", "./evil", "root//evil", "root\\..\\evil", "C:evil"])
def test_an_object_name_that_leaves_the_directory_is_rejected(
    endpoint: str, options: SourceOptions, cache: Path, name: str
) -> None:
    put(endpoint, "models/x/bundle.json", b"{}")
    put(endpoint, f"models/x/{quote(name, safe='/').replace('.', '%2E')}", b"evil")
    with pytest.raises(SourceError, match="unsafe object name"):
        resolve("s3://models/x/", options=options)
    assert not list(cache.rglob("*evil*"))
