"""Google Cloud Storage, against an emulator that speaks its JSON API over HTTP."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from gcp_storage_emulator.handlers import buckets
from gcp_storage_emulator.server import Server, create_server

from leapstream.errors import SourceError
from leapstream.sources import SourceOptions, loader_for, resolve

from .conftest import entries, leftovers

# Google's libraries announce, at their import, what they will stop supporting.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:You are using a Python version:FutureWarning"),
    pytest.mark.filterwarnings("ignore:grpcio < :FutureWarning"),
]

Put = Callable[[str, bytes], None]

DIRECTORY = {"bundle.json": b"{}", "root/model.json": b"model", "root/tree0/tree.json": b"tree"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with create_server("127.0.0.1", 0, in_memory=True) as server:
        yield server


@pytest.fixture
def put(server: Server, monkeypatch: pytest.MonkeyPatch) -> Put:
    server.wipe()
    buckets.create_bucket("models", server._storage)
    host = f"http://127.0.0.1:{server._api._httpd.server_port}"
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", host)

    def upload(name: str, content: bytes) -> None:
        url = f"{host}/upload/storage/v1/b/models/o?uploadType=media&name={quote(name, safe='')}"
        headers = {"Content-Type": "application/octet-stream"}
        urllib.request.urlopen(urllib.request.Request(url, content, headers), timeout=10).close()

    return upload


@pytest.fixture
def gcs(options: SourceOptions) -> SourceOptions:
    return replace(options, timeout=10, storage_options={"token": "anon"})


def test_an_object_is_fetched(put: Put, gcs: SourceOptions) -> None:
    put("a/m.zip", b"content")
    assert resolve("gs://models/a/m.zip", options=gcs).read_bytes() == b"content"


def test_the_gcs_loader_reads_a_path_within_its_bucket(put: Put, gcs: SourceOptions) -> None:
    put("a/m.zip", b"content")
    assert loader_for("gcs", gcs_bucket="models", options=gcs).resolve("a/m.zip").read_bytes() == b"content"


def test_a_new_version_of_an_object_is_seen(put: Put, gcs: SourceOptions) -> None:
    put("a/m.zip", b"content")
    resolve("gs://models/a/m.zip", options=gcs)
    put("a/m.zip", b"CONTENT")
    assert resolve("gs://models/a/m.zip", options=gcs).read_bytes() == b"CONTENT"


def test_an_unchanged_object_is_one_entry(put: Put, gcs: SourceOptions, cache: Path) -> None:
    put("a/m.zip", b"content")
    assert resolve("gs://models/a/m.zip", options=gcs) == resolve("gs://models/a/m.zip", options=gcs)
    assert len(entries(cache)) == 1


@pytest.mark.parametrize("uri", ["gs://models/nowhere.zip", "gs://nobucket/m.zip"])
def test_a_missing_object_is_named(put: Put, gcs: SourceOptions, uri: str) -> None:
    with pytest.raises(SourceError, match=f"{uri}: not found"):
        resolve(uri, options=gcs)


@pytest.mark.parametrize("uri", ["gs://models/a/x", "gs://models/a/x/"])
def test_a_directory_is_fetched_whole_and_alone(put: Put, gcs: SourceOptions, uri: str) -> None:
    for name, content in DIRECTORY.items():
        put(f"a/x/{name}", content)
    put("a/x2/bundle.json", b"the sibling's")
    path = resolve(uri, options=gcs)
    assert {str(p.relative_to(path)): p.read_bytes() for p in path.rglob("*") if p.is_file()} == DIRECTORY


def test_a_changed_file_makes_a_new_directory(put: Put, gcs: SourceOptions) -> None:
    for name, content in DIRECTORY.items():
        put(f"x/{name}", content)
    first = resolve("gs://models/x", options=gcs)
    assert resolve("gs://models/x", options=gcs) == first
    put("x/root/model.json", b"MODEL")
    assert (resolve("gs://models/x", options=gcs) / "root/model.json").read_bytes() == b"MODEL"
    assert (first / "root/model.json").read_bytes() == b"model"


@pytest.mark.parametrize("limits", [{"max_size": 6}, {"max_files": 2}])
def test_a_directory_over_the_limits_is_rejected(
    put: Put, gcs: SourceOptions, cache: Path, limits: dict[str, int]
) -> None:
    for name, content in DIRECTORY.items():
        put(f"x/{name}", content)
    with pytest.raises(SourceError, match=next(iter(limits))):
        resolve("gs://models/x/", options=replace(gcs, **limits))  # type: ignore[arg-type]
    assert leftovers(cache) == entries(cache) == []


def test_a_directory_without_bundle_json_is_rejected_before_it_is_fetched(put: Put, gcs: SourceOptions) -> None:
    put("x/other.bin", b"content")
    with pytest.raises(SourceError, match=r"holds no bundle\.json"):
        resolve("gs://models/x/", options=gcs)
