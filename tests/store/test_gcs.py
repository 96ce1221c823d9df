"""A store on Google Cloud Storage, against an emulator that speaks its JSON API over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from gcp_storage_emulator.handlers import buckets
from gcp_storage_emulator.server import create_server

from leapstream import load
from leapstream.errors import StoreError
from leapstream.sources import SourceOptions
from leapstream.store import ModelStore
from tests.store.conftest import LINEAR, RECORD

# Google's libraries announce, at their import, what they will stop supporting.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:You are using a Python version:FutureWarning"),
    pytest.mark.filterwarnings("ignore:grpcio < :FutureWarning"),
]


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SourceOptions]:
    with create_server("127.0.0.1", 0, in_memory=True) as server:
        buckets.create_bucket("models", server._storage)
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server._api._httpd.server_port}")
        yield SourceOptions(cache_dir=tmp_path / "cache", timeout=10, storage_options={"token": "anon"})


def test_versions_are_published_and_loaded(options: SourceOptions) -> None:
    store = ModelStore("gs://models/a", options)
    for _ in range(2):
        store.publish("loans", LINEAR, aliases=["live"])
    assert store.rollback("loans", "live").version == "1"
    again = ModelStore("gs://models/a", options)
    assert [version.version for version in again.versions("loans")] == ["2", "1"]
    assert again.load("loans", "live", check=True).predict(RECORD) == load(LINEAR).predict(RECORD)
    again.remove("loans", "2")
    with pytest.raises(StoreError, match="no version or alias '2'; there are: 1, live"):
        ModelStore("gs://models/a", options).version("loans", "2")
