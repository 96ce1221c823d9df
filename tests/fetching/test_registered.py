"""Bundles in MLflow's registry, with the real library and a store on this machine."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
import yaml
from mlflow import MlflowClient

import leapstream
import leapstream.mlflow
from leapstream import BundleError, Model, SourceError
from leapstream.fetching.options import SourceOptions
from leapstream.fetching.resolver import resolve
from tests.mlflows import mlflow_store

pytestmark = pytest.mark.slow

BENCH = Path(__file__).parents[1] / "bench"


@pytest.fixture(scope="module")
def linear() -> Model:
    return leapstream.load(BENCH / "linear3.zip")


@pytest.fixture(scope="module", autouse=True)
def registry(linear: Model, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry with two versions of a model, of which the alias ``champion`` names the first."""
    with mlflow_store(tmp_path_factory.mktemp("mlflow")) as uri:
        for model in (linear, leapstream.load(BENCH / "forest3-20x5.zip")):
            leapstream.mlflow.log_model(model, "m", registered_model_name="m")
        MlflowClient().set_registered_model_alias("m", "champion", "1")
        yield uri


@pytest.fixture
def options(tmp_path: Path) -> SourceOptions:
    return SourceOptions(cache_dir=tmp_path / "cache")


@pytest.mark.parametrize(
    ("uri", "name"), [("models:/m@champion", "linear3"), ("models:/m/1", "linear3"), ("models:/m/latest", "forest")]
)
def test_a_registered_model_is_a_bundle(uri: str, name: str, options: SourceOptions) -> None:
    assert leapstream.load(uri, options=options).name.startswith(name)


def test_a_logged_model_is_a_bundle(linear: Model, options: SourceOptions) -> None:
    info = leapstream.mlflow.log_model(linear, "logged")
    assert info.model_uri.startswith("models:/m-")
    assert leapstream.load(info.model_uri, options=options).schema == linear.schema


def test_a_version_is_fetched_once(options: SourceOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    first = resolve("models:/m@champion", options=options)
    monkeypatch.setattr(mlflow.artifacts, "download_artifacts", None)
    assert resolve("models:/m/1", options=options) == first
    # An entry that somebody altered is fetched again.
    first.write_bytes(b"altered")
    with pytest.raises(SourceError, match="models:/m/1"):
        resolve("models:/m/1", options=options)


def test_an_alias_is_looked_up_each_time(options: SourceOptions) -> None:
    client = MlflowClient()
    client.set_registered_model_alias("m", "moving", "1")
    first = resolve("models:/m@moving", options=options)
    client.set_registered_model_alias("m", "moving", "2")
    assert resolve("models:/m@moving", options=options) != first


def test_the_checksum_and_the_size_are_verified(options: SourceOptions, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"models:/m@champion: sha256 is [0-9a-f]{64}, but 0{64}"):
        resolve("models:/m@champion", sha256="0" * 64, options=options)
    with pytest.raises(SourceError, match="models:/m@champion: its bundle is larger than max_size = 10"):
        resolve("models:/m@champion", options=SourceOptions(cache_dir=tmp_path / "other", max_size=10))


@pytest.mark.parametrize("uri", ["models:/nothing/1", "models:/m@nobody", "models:/", "models:/m/1/2"])
def test_a_model_that_is_not_there_is_named(uri: str, options: SourceOptions) -> None:
    with pytest.raises(SourceError, match=uri):
        resolve(uri, options=options)


def test_a_model_of_another_flavor_is_rejected(linear: Model, tmp_path: Path, options: SourceOptions) -> None:
    for flavors, reason in (
        ({"sklearn": {}}, "it has no flavor 'leapstream', but sklearn"),
        ({"leapstream": {"data": "../other.zip"}}, "outside of the model's directory"),
    ):
        leapstream.mlflow.save_model(linear, tmp_path / reason[:3])
        described = tmp_path / reason[:3] / "MLmodel"
        described.write_text(yaml.safe_dump({**yaml.safe_load(described.read_text()), "flavors": flavors}))
        version = mlflow.register_model(described.parent.as_uri(), "other").version
        with pytest.raises(BundleError, match=reason):
            resolve(f"models:/other/{version}", options=options)


def test_without_mlflow_the_extra_is_named() -> None:
    code = "import sys; sys.modules['mlflow'] = None; import leapstream; leapstream.load('models:/m/1')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "SourceError: models:/m/1: needs MLflow: pip install 'leapstream[mlflow]'" in done.stderr
