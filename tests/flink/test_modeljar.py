"""``model.jar``, the form of a version in a store that jobs of Flink load."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

import leapstream
from leapstream import LeapFrame
from leapstream.contract import record
from leapstream.errors import BackendError, StoreError
from leapstream.executors.jvm.jar import CompiledJar
from leapstream.executors.jvm.sources import abi
from leapstream.fetching.digests import sha256_of
from leapstream.flink import write_model_jar
from leapstream.store import ModelStore

from .conftest import LINEAR, ROOT

pytestmark = pytest.mark.flink


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recorded answers of the linear model."""
    folder = tmp_path_factory.mktemp("contract")
    whole = LeapFrame.read(ROOT / "bench" / "linear3.input.json")
    record(leapstream.load(LINEAR), LeapFrame(whole.schema, whole.rows[:20]), folder)
    return folder


def test_a_published_version_has_a_jar_of_generated_classes_alone(tmp_path: Path, contract: Path) -> None:
    store = ModelStore(tmp_path / "models")
    version = store.publish("loans", LINEAR, contract=contract, library="Spark 4.0.1", jar=write_model_jar)
    jar = tmp_path / "models" / "loans" / "1" / "model.jar"
    assert version.abi == abi()
    assert version.files["model.jar"].sha256 == sha256_of(jar)
    with zipfile.ZipFile(jar) as archive:
        names = archive.namelist()
    assert "leapstream/models/predict/Stored.class" in names
    assert "leapstream/generated/contract.bin" in names
    assert not [name for name in names if name.startswith(("leapstream/runtime/", "leapstream/flink/"))]
    described = CompiledJar.read(jar)
    assert described is not None and described.models[0].outputs == {"prediction": "DOUBLE"}
    manifest = json.loads((tmp_path / "models" / "loans" / "1" / "manifest.json").read_text())
    definition = leapstream.load(LINEAR).definition
    assert manifest["lineage"] == {
        "source": LINEAR,
        "library": "Spark 4.0.1",
        "mleap": definition.version,
        "created": definition.timestamp,
        "contractRows": 20,
    }


def test_the_same_model_and_contract_give_the_same_jar(tmp_path: Path, contract: Path) -> None:
    jars = [tmp_path / name for name in ("one.jar", "two.jar")]
    for jar in jars:
        write_model_jar(leapstream.load(LINEAR), contract, jar)
    assert jars[0].read_bytes() == jars[1].read_bytes()


def test_a_model_that_differs_from_its_contract_in_java_gets_no_jar(tmp_path: Path, contract: Path) -> None:
    changed = tmp_path / "contract"
    changed.mkdir()
    for name in ("case.json", "input.json"):
        (changed / name).write_bytes((contract / name).read_bytes())
    expected = LeapFrame.read(contract / "expected.json")
    rows = [(*row[:-1], row[-1] + 1e-6) if i == 3 else row for i, row in enumerate(expected.rows)]
    LeapFrame(expected.schema, rows).write(changed / "expected.json")
    with pytest.raises(StoreError, match=r"differs from its contract \(jvm\): row 3 .* another prediction"):
        write_model_jar(leapstream.load(LINEAR), changed, tmp_path / "model.jar")


def test_a_model_that_java_cannot_run_gets_no_jar(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "models")

    def write(model: object, contract: Path | None, target: Path) -> int:
        raise BackendError("it has a graph")

    with pytest.raises(BackendError, match="it has a graph"):
        store.publish("loans", LINEAR, jar=write)
    assert store.versions("loans") == [] if store.names() else True
