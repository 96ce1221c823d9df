from __future__ import annotations

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from leapstream import load
from leapstream.bundle.frame import LeapFrame
from leapstream.contract import record
from leapstream.errors import SourceError, StoreError
from leapstream.fetching.digests import sha256_of
from leapstream.sources import SourceOptions
from leapstream.store import ModelStore
from tests.store.conftest import BENCH, FOREST, LINEAR, RECORD


def altered(store: ModelStore, path: str, change: Any) -> None:
    """Replace a file of a store by a change of its content."""
    data = store._place.read(path, 1 << 30)
    assert data is not None
    store._place.replace(path, change(data))


def frame(name: str) -> LeapFrame:
    """The first rows of the input of a model."""
    whole = LeapFrame.read(BENCH / f"{name}.input.json")
    return LeapFrame(whole.schema, whole.rows[:20])


def reopened(store: ModelStore) -> ModelStore:
    return ModelStore(store._uri, store._options)


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recorded answers of the linear model."""
    folder = tmp_path_factory.mktemp("contract")
    record(load(LINEAR), frame("linear3"), folder)
    return folder


# ---- versions and aliases -----------------------------------------------------------------------------------------------


def test_versions_are_numbered(store: ModelStore) -> None:
    published = [store.publish("loans", LINEAR) for _ in range(3)]
    assert [version.version for version in published] == ["1", "2", "3"]
    assert store.names() == ["loans"]
    assert [version.reference for version in store.versions("loans")] == ["loans@3", "loans@2", "loans@1"]


def test_a_version_says_what_is_in_it(store: ModelStore) -> None:
    published = store.publish("loans", LINEAR, note="the first")
    version = reopened(store).version("loans", "1")
    assert version == published
    assert version.bundle.sha256 == sha256_of(LINEAR) and version.bundle.size == LINEAR.stat().st_size
    assert version.inputs == tuple((name, "double not null") for name in RECORD)
    assert version.outputs == (("prediction", "double not null"),)
    assert version.note == "the first" and version.source == str(LINEAR)


def test_latest_is_the_highest_version(store: ModelStore) -> None:
    for version in ("v1.9", "v1.10", "v1.2"):
        store.publish("loans", LINEAR, version=version)
    assert store.version("loans").version == "v1.10"


def test_an_alias_moves(store: ModelStore) -> None:
    store.publish("loans", LINEAR, aliases=["live", "champion"])
    store.publish("loans", LINEAR, aliases=["live"])
    assert {alias.alias: alias.version for alias in store.aliases("loans")} == {"champion": "1", "live": "2"}
    store.set_alias("loans", "live", "champion")
    assert reopened(store).version("loans", "live").version == "1"


def test_an_alias_that_is_removed_stands_for_nothing(store: ModelStore) -> None:
    store.publish("loans", LINEAR, aliases=["live"])
    store.remove_alias("loans", "live")
    with pytest.raises(StoreError, match="no version or alias 'live'; there are: 1"):
        store.version("loans", "live")


def test_rollbacks_go_back_version_by_version(store: ModelStore) -> None:
    for _ in range(3):
        store.publish("loans", LINEAR, aliases=["live"])
    assert [store.rollback("loans", "live").version for _ in range(2)] == ["2", "1"]
    with pytest.raises(StoreError, match="no earlier version"):
        store.rollback("loans", "live")
    store.set_alias("loans", "live", "3")
    assert store.rollback("loans", "live").version == "1"


def test_the_history_has_every_change(store: ModelStore) -> None:
    store.publish("loans", LINEAR, aliases=["live"])
    store.publish("loans", LINEAR, aliases=["live"])
    store.rollback("loans", "live")
    store.remove("loans", "2")
    changes = [(change.action, change.version, change.alias) for change in store.history("loans")]
    assert changes == [
        ("publish", "1", ""),
        ("alias", "1", "live"),
        ("publish", "2", ""),
        ("alias", "2", "live"),
        ("rollback", "1", "live"),
        ("remove", "2", ""),
    ]


def test_a_model_is_loaded_by_its_alias(store: ModelStore) -> None:
    store.publish("loans", LINEAR, aliases=["live"])
    store.publish("loans", FOREST)
    assert store.load("loans", "live").predict(RECORD) == load(LINEAR).predict(RECORD)
    assert store.load("loans").predict({"features": [1.0, 2.0, 3.0]})


def test_directories_and_models_are_published(store: ModelStore, tmp_path: Path) -> None:
    from leapstream import save

    model = load(LINEAR)
    save(model, tmp_path / "bundle")
    store.publish("loans", tmp_path / "bundle")
    store.publish("loans", model)
    for version in ("1", "2"):
        assert store.load("loans", version).predict(RECORD) == model.predict(RECORD)


def test_a_removed_version_is_gone(store: ModelStore) -> None:
    store.publish("loans", LINEAR, aliases=["live"])
    store.publish("loans", LINEAR)
    with pytest.raises(StoreError, match="the alias 'live' stands for it"):
        store.remove("loans", "1")
    store.remove("loans", "2")
    assert [version.version for version in store.versions("loans")] == ["1"]
    with pytest.raises(StoreError, match="no version '2'"):
        store.remove("loans", "2")


# ---- several versions at once ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with three versions of a model, and a fourth with other columns."""
    folder = tmp_path_factory.mktemp("published")
    for bundle in (LINEAR, LINEAR, LINEAR, FOREST):
        ModelStore(folder).publish("loans", bundle)
    return folder


@pytest.fixture
def three(published: Path, tmp_path: Path) -> ModelStore:
    """A copy of this store, in which the third version is live."""
    store = ModelStore(shutil.copytree(published, tmp_path / "three"))
    store.set_alias("loans", "live", "3")
    return store


def test_an_object_store_has_aliases_of_several_versions(store: ModelStore) -> None:
    for _ in range(2):
        store.publish("loans", LINEAR)
    store.set_alias("loans", "live", {"1": 90, "2": 10})
    assert str(reopened(store).alias("loans", "live")) == "1=90,2=10"


def test_an_alias_stands_for_versions_by_weights_and_for_shadows(three: ModelStore) -> None:
    three.set_alias("loans", "live", {"1": 90, "2": 10}, shadow=["3"])
    alias = reopened(three).alias("loans", "live")
    assert alias is not None and alias.is_split
    assert dict(alias.weights) == {"1": 90, "2": 10} and alias.shadows == ("3",)
    selection = reopened(three).select("loans", "live")
    assert [(version.version, weight) for version, weight in selection.versions] == [("1", 90), ("2", 10)]
    assert [version.version for version in selection.shadow] == ["3"]
    # A reader of one version gets that of the most weight.
    assert reopened(three).version("loans", "live").version == alias.version == "1"


def test_the_file_of_an_alias_of_one_version_stays_as_it_was(three: ModelStore) -> None:
    def content(alias: str) -> Any:
        data = three._place.read(f"loans/{alias}.json", 1 << 16)
        assert data is not None
        return json.loads(data)

    sha256 = three.version("loans", "1").sha256
    three.set_alias("loans", "one", {"1": 5})
    assert content("one") == {
        "format": 1,
        "alias": "one",
        "version": "1",
        "sha256": sha256,
        "changed": content("one")["changed"],
    }
    three.set_alias("loans", "two", {"1": 5}, shadow=["2"])
    assert content("two") == {
        "format": 2,
        "alias": "two",
        "versions": [{"version": "1", "sha256": sha256, "weight": 5}],
        "shadow": [{"version": "2", "sha256": three.version("loans", "2").sha256}],
        "changed": content("two")["changed"],
    }


def test_rollbacks_go_back_to_weights_and_shadows(three: ModelStore) -> None:
    three.set_alias("loans", "live", {"2": 90, "3": 10}, shadow=["1"])
    three.set_alias("loans", "live", {"2": 90, "3": 10}, shadow=["1"])
    three.set_alias("loans", "live", {"2": 50, "3": 50})
    found = [str(reopened(three).rollback("loans", "live")) for _ in range(2)]
    assert found == ["2=90,3=10 with shadow 1", "3"]
    assert [change.versions for change in three.history("loans")][-2:] == found


def test_versions_of_a_split_are_not_removed(three: ModelStore) -> None:
    three.set_alias("loans", "live", {"1": 90, "2": 10}, shadow=["3"])
    for version in ("1", "2", "3"):
        with pytest.raises(StoreError, match="the alias 'live' stands for it"):
            three.remove("loans", version)


def test_versions_behind_one_alias_have_one_signature(three: ModelStore) -> None:
    for shadow in ((), ("4",)):
        weights = {"3": 90} if shadow else {"3": 90, "4": 10}
        with pytest.raises(StoreError, match="loans@4 and loans@3 cannot be behind one alias: the inputs differ"):
            three.set_alias("loans", "live", weights, shadow=shadow)
    assert three.version("loans", "live").version == "3"


@pytest.mark.parametrize(
    ("weights", "shadow", "reason"),
    [
        ({}, (), "from one to 16 versions"),
        ({str(n): 1 for n in range(17)}, (), "from one to 16 versions"),
        ({"1": 0}, (), "has to be an integer from 1 to 1000000"),
        ({"1": 1.5}, (), "has to be an integer"),
        ({"1": True}, (), "has to be an integer"),
        ({"1": 1_000_001}, (), "has to be an integer"),
        ({"1": 1}, ("1",), "version 1 is there twice"),
        ({"1": 1}, ("2", "2"), "version 2 is there twice"),
        ({"3": 1, "live": 1}, (), "version 3 of loans is there twice"),
        ({"9": 1}, (), "no version or alias '9'"),
    ],
)
def test_weights_are_checked(three: ModelStore, weights: Any, shadow: tuple[str, ...], reason: str) -> None:
    with pytest.raises(StoreError, match=reason):
        three.set_alias("loans", "live", weights, shadow=shadow)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": 3}, "has format 3, and this version of leapstream reads 1 and 2"),
        ({"versions": []}, "from one to 16 versions"),
        ({"versions": [{"version": "1", "sha256": ""}]}, "'weight' has to be an integer"),
        ({"versions": 1}, "'versions' has to be a list"),
        ({"shadow": [1]}, "an object is expected"),
        ({"shadow": [{"version": "3", "sha256": "0" * 64}]}, "loans@3 was altered after the alias 'live' was set"),
        ({"shadow": [{"version": "../2", "sha256": "0" * 64}]}, "version '../2'"),
    ],
)
def test_a_damaged_alias_is_rejected(three: ModelStore, change: Any, reason: str) -> None:
    three.set_alias("loans", "live", {"1": 90, "2": 10})
    altered(three, "loans/live.json", lambda data: json.dumps({**json.loads(data), **change}).encode())
    with pytest.raises(StoreError, match=reason):
        reopened(three).select("loans", "live")


# ---- nothing is lost or half there --------------------------------------------------------------------------------------


def test_a_version_does_not_change(store: ModelStore) -> None:
    store.publish("loans", LINEAR, version="7")
    with pytest.raises(StoreError, match="loans@7 exists, and versions do not change"):
        store.publish("loans", FOREST, version="7")
    assert store.load("loans", "7").predict(RECORD)


def test_publishers_at_the_same_time_lose_nothing(store: ModelStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: reopened(store).publish("loans", LINEAR, aliases=["live"]), range(24)))
    versions = sorted(int(version.version) for version in found)
    assert versions == list(range(1, 25))
    assert [version.version for version in store.versions("loans")] == [str(n) for n in reversed(versions)]
    assert store.version("loans", "live").version in map(str, versions)
    assert len(store.history("loans")) == 48


def test_of_two_publishers_of_one_version_one_fails(store: ModelStore) -> None:
    def publish(_: int) -> str:
        try:
            return reopened(store).publish("loans", LINEAR, version="7").version
        except StoreError as error:
            return str(error)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(publish, range(8)))
    assert found.count("7") == 1
    assert all("exists, and" in other or "is being published" in other for other in found if other != "7")


@pytest.mark.slow
def test_processes_that_publish_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    code = (
        "import sys; from leapstream.store import ModelStore\n"
        "for _ in range(5): ModelStore(sys.argv[1]).publish('m', sys.argv[2])"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "models"), str(LINEAR)]
    processes = [subprocess.Popen(command) for _ in range(4)]
    assert [process.wait(120) for process in processes] == [0] * 4
    assert len(ModelStore(tmp_path / "models").versions("m")) == 20


def test_a_killed_publisher_leaves_nothing_that_is_seen(store: ModelStore) -> None:
    store.publish("loans", LINEAR)
    store._place.create("loans/2/claim.json", b"{}")
    store._place.upload(LINEAR, "loans/2/bundle.zip")
    assert store.version("loans").version == "1"
    assert [version.version for version in store.versions("loans")] == ["1"]
    assert store.publish("loans", LINEAR).version == "3"
    with pytest.raises(StoreError, match="its publisher was killed; 'leapstream store remove'"):
        store.publish("loans", LINEAR, version="2")
    store.remove("loans", "2")
    assert store.publish("loans", LINEAR, version="2").version == "2"


def test_a_publisher_that_fails_gives_its_version_up(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def upload(source: Path, path: str) -> None:
        raise SourceError("disk full")

    monkeypatch.setattr(store._place, "upload", upload)
    with pytest.raises(SourceError, match="disk full"):
        store.publish("loans", LINEAR, version="7")
    monkeypatch.undo()
    assert store.publish("loans", LINEAR, version="7").version == "7"


# ---- contracts ----------------------------------------------------------------------------------------------------------


def test_a_contract_goes_with_the_version(store: ModelStore, contract: Path) -> None:
    version = store.publish("loans", LINEAR, contract=contract)
    assert sorted(version.contract) == ["case.json", "expected.json", "input.json"]
    store.load("loans", check=True)


def test_a_bundle_that_breaks_its_contract_is_not_published(store: ModelStore, contract: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    record(load(FOREST), frame("forest3-20x5"), other)
    expected = json.loads((contract / "expected.json").read_text())
    expected["rows"][3][-1] += 1
    broken = tmp_path / "broken"
    record(load(LINEAR), frame("linear3"), broken)
    (broken / "expected.json").write_text(json.dumps(expected))
    for folder, reason in ((broken, "differs from its contract .*row 3"), (other, "contract")):
        with pytest.raises(StoreError, match=reason):
            store.publish("loans", LINEAR, contract=folder)
    with pytest.raises(StoreError, match="it is not a contract"):
        store.publish("loans", LINEAR, contract=BENCH)
    assert store.names() == []


def test_a_contract_that_was_altered_fails_the_version(store: ModelStore, contract: Path) -> None:
    store.publish("loans", LINEAR, contract=contract)
    altered(store, "loans/1/contract/expected.json", lambda data: data[:-1] + b" ")
    assert store.load("loans").predict(RECORD)
    with pytest.raises(StoreError, match=r"loans/1/contract/expected\.json is missing, or its checksum is another"):
        store.load("loans", check=True)


@pytest.mark.parametrize(
    "case", [{"error_rows": [{}]}, {"error_rows": 1}, {"tolerance": {}}, {"nonfinite": [{"row": "x"}]}]
)
def test_a_malformed_contract_is_rejected(store: ModelStore, contract: Path, tmp_path: Path, case: Any) -> None:
    for file in ("input.json", "expected.json"):
        (tmp_path / file).write_bytes((contract / file).read_bytes())
    (tmp_path / "case.json").write_text(json.dumps(case))
    with pytest.raises(StoreError, match="malformed contract"):
        store.publish("loans", LINEAR, contract=tmp_path)


# ---- damage -------------------------------------------------------------------------------------------------------------


def test_a_bundle_that_was_altered_is_not_loaded(store: ModelStore) -> None:
    store.publish("loans", LINEAR)
    altered(store, "loans/1/bundle.zip", lambda data: data[:-1] + b"x")
    with pytest.raises(SourceError, match="sha256 is"):
        store.load("loans")


def test_a_manifest_that_was_altered_after_its_alias_is_rejected(store: ModelStore) -> None:
    store.publish("loans", LINEAR, aliases=["live"])
    altered(store, "loans/1/manifest.json", lambda data: data + b" ")
    with pytest.raises(StoreError, match="was altered after the alias 'live' was set"):
        reopened(store).version("loans", "live")


def test_a_bundle_without_the_signature_of_its_manifest_is_rejected(store: ModelStore) -> None:
    store.publish("loans", LINEAR)
    altered(store, "loans/1/manifest.json", lambda data: data.replace(b"feature1", b"feature9"))
    with pytest.raises(StoreError, match="has not the signature of its manifest"):
        reopened(store).load("loans")


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        (b"{", "Expecting"),
        (b"[" * 100_000, "recursion"),
        (b"[]", "an object is expected"),
        (b"{}", "format None"),
        (b'{"format": 2}', "format 2"),
        (b'{"format": 1, "name": 5}', "'name' has to be a text"),
        (b'{"format": 1, "name": "loans", "version": "1", "published": "yesterday"}', "has to be a time"),
        (b'{"format": 1, "name": "loans", "version": "1", "published": "2026-01-01T00:00:00+00:00"}', "'files'"),
    ],
)
def test_a_damaged_manifest_is_rejected(store: ModelStore, manifest: bytes, reason: str) -> None:
    store._place.replace("loans/1/manifest.json", manifest)
    with pytest.raises(StoreError, match=reason):
        store.version("loans", "1")


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "contract/../../x", "a/b/c", ""])
def test_a_manifest_cannot_name_files_elsewhere(store: ModelStore, path: str) -> None:
    store.publish("loans", LINEAR)

    def other(data: bytes) -> bytes:
        content = json.loads(data)
        content["files"][path] = content["files"]["bundle.zip"]
        return json.dumps(content).encode()

    altered(store, "loans/1/manifest.json", other)
    with pytest.raises(StoreError, match="is malformed"):
        reopened(store).version("loans", "1")


def test_a_manifest_of_another_version_is_rejected(store: ModelStore) -> None:
    store.publish("loans", LINEAR)
    data = store._place.read("loans/1/manifest.json", 1 << 20)
    assert data is not None
    store._place.replace("loans/2/manifest.json", data)
    with pytest.raises(StoreError, match=r"manifest\.json of loans@2: it is that of loans@1"):
        store.version("loans", "2")


def test_a_huge_manifest_is_not_read(store: ModelStore) -> None:
    store._place.replace("loans/1/manifest.json", b" " * ((8 << 20) + 1))
    with pytest.raises(SourceError, match="more than 8388608 bytes"):
        store.version("loans", "1")


# ---- names --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "..", "a/b", "a@b", "_a", ".a", "a b", "ä", "a" * 101, "a\n"])
def test_names_are_checked(store: ModelStore, name: str) -> None:
    with pytest.raises(StoreError, match="it has to start with a letter or digit"):
        store.publish(name, LINEAR)
    with pytest.raises(StoreError):
        store.publish("loans", LINEAR, version=name)
    with pytest.raises(StoreError):
        store.publish("loans", LINEAR, aliases=[name])
    with pytest.raises(StoreError):
        store.version("loans", name)
    assert store.names() == []


def test_an_alias_and_a_version_have_different_names(store: ModelStore) -> None:
    store.publish("loans", LINEAR, version="v1", aliases=["live"])
    with pytest.raises(StoreError, match="there is an alias of this name"):
        store.publish("loans", LINEAR, version="live")
    with pytest.raises(StoreError, match="there is a version of this name"):
        store.set_alias("loans", "v1", "latest")
    for alias in ("latest", "7"):
        with pytest.raises(StoreError, match="cannot be a number or 'latest'"):
            store.set_alias("loans", alias, "v1")
    with pytest.raises(StoreError, match="cannot be 'latest'"):
        store.publish("loans", LINEAR, version="latest")


def test_a_model_that_is_not_there_is_named(store: ModelStore) -> None:
    store.publish("loans", LINEAR)
    with pytest.raises(StoreError, match="no model 'churn'; there are: loans"):
        store.version("churn")
    with pytest.raises(StoreError, match="model 'loans' has no version or alias '9'; there are: 1"):
        store.version("loans", "9")


def test_a_store_that_cannot_be_one_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot have a query"):
        ModelStore("s3://models?x=1")
    with pytest.raises(StoreError, match="not in an archive"):
        ModelStore(f"jar:file:{tmp_path}/x.zip").names()
    with pytest.raises(SourceError, match="unknown"):
        ModelStore("unknown://models", SourceOptions(retries=0)).names()


def test_secrets_are_not_shown() -> None:
    store = ModelStore("s3://user:secret@models/x")
    assert "secret" not in repr(store) and "secret" not in store.uri
