"""A store on S3, against moto's server over HTTP."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fsspec
import pytest
from moto.server import ThreadedMotoServer
from typer.testing import CliRunner

from leapstream import load
from leapstream.cli import app
from leapstream.errors import SourceError, StoreError
from leapstream.sources import SourceOptions
from leapstream.store import ModelStore
from tests.store.conftest import LINEAR, RECORD

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    request = urllib.request.Request(f"{url}/models", b"", method="PUT")
    request.add_header("Content-Type", "application/octet-stream")
    request.add_header("Authorization", "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/s3/aws4_request")
    urllib.request.urlopen(request, timeout=10).close()
    yield url
    server.stop()


@pytest.fixture
def options(endpoint: str, tmp_path: Path) -> SourceOptions:
    storage = {"endpoint_url": endpoint, "key": "testing", "secret": "testing-secret"}
    return SourceOptions(cache_dir=tmp_path / "cache", timeout=10, storage_options=storage)


def test_versions_are_published_and_loaded(options: SourceOptions) -> None:
    store = ModelStore("s3://models/a", options)
    for _ in range(2):
        store.publish("loans", LINEAR, aliases=["live"])
    assert store.rollback("loans", "live").version == "1"
    again = ModelStore("s3://models/a", options)
    assert again.names() == ["loans"]
    assert [version.version for version in again.versions("loans")] == ["2", "1"]
    assert again.load("loans", "live", check=True).predict(RECORD) == load(LINEAR).predict(RECORD)
    again.remove("loans", "2")
    with pytest.raises(StoreError, match="no version or alias '2'; there are: 1, live"):
        ModelStore("s3://models/a", options).version("loans", "2")


def test_publishers_at_the_same_time_lose_nothing(options: SourceOptions) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: ModelStore("s3://models/b", options).publish("loans", LINEAR), range(8)))
    assert sorted(int(version.version) for version in found) == list(range(1, 9))


def test_a_bucket_that_is_not_there_is_an_error(options: SourceOptions) -> None:
    with pytest.raises(SourceError, match=r"s3://nobucket/x.*") as raised:
        ModelStore("s3://nobucket/x", options).publish("loans", LINEAR)
    assert "testing-secret" not in str(raised.value)


def test_commands_read_and_write_by_the_storage_options_that_they_are_given(
    endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAPSTREAM_CACHE_DIR", str(tmp_path))
    options = [
        f"--storage-options=endpoint_url={endpoint}",
        '--storage-options={"key": "testing", "secret": "secret-x"}',
    ]

    def run(*args: str | Path, code: int = 0) -> str:
        result = CliRunner().invoke(app, [*map(str, args)], catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result.output

    run("convert", LINEAR, "s3://models/c/linear.zip", *options)
    run("convert", "s3://models/c/linear.zip", "s3://models/c/linear", *options)
    assert "linear3" in run("inspect", "s3://models/c/linear", *options)
    frame = LINEAR.with_name("linear3.input.json")
    run("transform", "s3://models/c/linear", frame, "-o", "s3://models/c/scored.csv", *options)
    run("record", "s3://models/c/linear", frame, "-o", "s3://models/c/contract", *options)
    storage = {"endpoint_url": endpoint, "key": "testing", "secret": "secret-x"}
    model = load("s3://models/c/linear.zip", options=SourceOptions(cache_dir=tmp_path, storage_options=storage))
    assert model.predict(RECORD) == load(LINEAR).predict(RECORD)
    files = fsspec.filesystem("s3", skip_instance_cache=True, **storage)
    assert b"prediction" in files.cat_file("models/c/scored.csv").splitlines()[0]
    assert files.exists("models/c/contract/case.json")
    assert "secret-x" not in run("inspect", "s3://models/c/nothing", *options, code=1)
    assert "KEY=VALUE" in run("inspect", "s3://models/c/nothing", "--storage-options", "secret-x", code=2)
