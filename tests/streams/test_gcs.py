"""A live model of a store on Google Cloud Storage, which Flink's own file system reads from an emulator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from gcp_storage_emulator.handlers import buckets
from gcp_storage_emulator.server import create_server

from leapstream.flink.compiler import write_runtime_jar
from leapstream.sources import SourceOptions
from leapstream.store import ModelStore
from tests.flink.cluster import Cluster, running_cluster
from tests.flink.versions import INPUTS, NAME, Versions
from tests.streams.jobs import session
from tests.streams.parts import GS_PLUGIN

# Google's libraries announce, at their import, what they will stop supporting.
pytestmark = [
    pytest.mark.filterwarnings("ignore:You are using a Python version:FutureWarning"),
    pytest.mark.filterwarnings("ignore:grpcio < :FutureWarning"),
]


class GcsVersions(Versions):
    """A model in a store on an emulator, whose version N predicts N."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        options = SourceOptions(cache_dir=folder, timeout=20, storage_options={"token": "anon"})
        self.store = ModelStore("gs://models/streams", options)

    @property
    def uri(self) -> str:
        """The place of the model, as Flink names it."""
        return f"gs://models/streams/{NAME}"


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of an emulator with the bucket ``models``."""
    with create_server("127.0.0.1", 0, in_memory=True) as server:
        buckets.create_bucket("models", server._storage)
        url = f"http://127.0.0.1:{server._api._httpd.server_port}"
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
        yield url


@pytest.fixture
def settings(emulator: str) -> dict[str, object]:
    """The settings of Flink's file system for an emulator, without credentials."""
    return {
        "gs.storage.root.url": f"{emulator}/",
        "gs.auth.null.enable": "true",
        "gs.auth.service.account.enable": "false",
    }


@pytest.fixture
def gcs_cluster(settings: dict[str, object], tmp_path: Path) -> Iterator[Cluster]:
    """A cluster that reads Google Cloud Storage."""
    with running_cluster(tmp_path / "cluster", settings=settings, plugins=[GS_PLUGIN]) as running:
        yield running


def test_a_job_follows_a_model_on_google_cloud_storage(
    gcs_cluster: Cluster, settings: dict[str, object], tmp_path: Path
) -> None:
    versions = GcsVersions(tmp_path / "models")
    versions.publish(1, aliases=["live"])
    versions.publish(2)
    write_runtime_jar(tmp_path / "runtime.jar")
    table_env = session(gcs_cluster, {"parallelism.default": 1}, file_systems=settings)
    inputs = ", ".join(f"{name} DOUBLE" for name in INPUTS)
    table_env.execute_sql(f"ADD JAR '{tmp_path / 'runtime.jar'}'")
    table_env.execute_sql(
        f"CREATE TEMPORARY TABLE Applications ({inputs}) WITH ('connector' = 'datagen', 'rows-per-second' = '100')"
    )
    table_env.execute_sql(
        f"CREATE TEMPORARY MODEL loans INPUT ({inputs}) OUTPUT (prediction DOUBLE, model_version STRING) WITH "
        f"('provider' = 'mleap', 'store' = '{versions.uri}', 'reload-interval' = '100 ms')"
    )
    scored = f"ML_PREDICT(TABLE Applications, MODEL loans, DESCRIPTOR({', '.join(INPUTS)}))"
    found: set[tuple[float, str]] = set()
    with table_env.execute_sql(f"SELECT prediction, model_version FROM {scored}").collect() as rows:
        for row in rows:
            if not found:
                versions.go_live(2)
            found.add(tuple(row))
            if len(found) == 2:
                break
    assert found == {(1.0, "1"), (2.0, "2")}
