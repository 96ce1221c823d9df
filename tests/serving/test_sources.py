from __future__ import annotations

import json
from pathlib import Path

import pytest

from leapstream.errors import ConfigError, LeapstreamError, SourceError
from leapstream.serving.loading import ModelSpec
from leapstream.serving.sources import ConfigFolder, StoredName, StoreModels, Wanted
from leapstream.store import ModelStore
from tests.serving.versions import adding


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    """Two versions of one model, the first of which is live, and a version of another one."""
    store = ModelStore(tmp_path / "store")
    store.publish("loans", adding(1), aliases=["live"])
    store.publish("loans", adding(2))
    store.publish("churn", adding(3))
    return store


def versions(wanted: Wanted) -> dict[str, str | None]:
    return {name: spec.version for name, spec in wanted.items() if isinstance(spec, ModelSpec)}


def error_of(wanted: Wanted, name: str) -> LeapstreamError:
    error = wanted[name]
    assert isinstance(error, LeapstreamError)
    return error


# ---- stores -------------------------------------------------------------------------------------------------------------


def test_all_models_that_have_the_alias_are_wanted(store: ModelStore) -> None:
    assert versions(StoreModels(store.uri).wanted()) == {"churn": "1", "loans": "2"}
    assert versions(StoreModels(store.uri, alias="live").wanted()) == {"loans": "1"}


def test_models_can_be_chosen(store: ModelStore) -> None:
    names = [StoredName.parsed(given) for given in ("loans@live", "new=loans", "old=loans@1")]
    wanted = StoreModels(store.uri, [name for name in names if name]).wanted()
    assert versions(wanted) == {"loans": "1", "new": "2", "old": "1"}


def test_a_chosen_model_that_is_not_there_is_an_error(store: ModelStore) -> None:
    wanted = StoreModels(store.uri, [StoredName("loans", "loans", "challenger"), StoredName("churn", "churn")]).wanted()
    assert versions(wanted) == {"churn": "1"}
    assert "no version or alias 'challenger'" in str(error_of(wanted, "loans"))


def test_an_alias_that_moves_is_followed(store: ModelStore) -> None:
    models = StoreModels(store.uri, alias="live")
    models.wanted()
    store.set_alias("loans", "live", "2")
    store.set_alias("churn", "live", "1")
    assert versions(models.wanted()) == {"churn": "1", "loans": "2"}


def test_a_damaged_model_does_not_hide_the_others(store: ModelStore, tmp_path: Path) -> None:
    (tmp_path / "store" / "churn" / "1" / "manifest.json").write_text("{")
    wanted = StoreModels(store.uri).wanted()
    assert versions(wanted) == {"loans": "2"} and "manifest.json" in str(error_of(wanted, "churn"))


@pytest.mark.parametrize(
    "given", ["loans.zip", "models/loans", "file:/loans", "a=models/loans.zip", "loans@", "s3://x/y"]
)
def test_places_of_bundles_are_not_models_of_a_store(given: str) -> None:
    assert StoredName.parsed(given) is None


# ---- folders of configurations ------------------------------------------------------------------------------------------


def configured(folder: Path, **files: str) -> Wanted:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    return ConfigFolder(folder).wanted()


def test_each_file_is_a_model_of_its_name(tmp_path: Path) -> None:
    wanted = configured(
        tmp_path / "models",
        loans_conf='bundle = "loans.zip"\nversion = 3\nmemoryTimeout = 10min\ncontract = contracts/loans\n',
        churn_json=json.dumps({"bundle": "s3://models/churn.zip", "sha256": "0" * 64}),
    )
    loans = ModelSpec(
        "loans",
        str(tmp_path / "models" / "loans.zip"),
        version="3",
        memory_timeout=600.0,
        contract=str(tmp_path / "models" / "contracts" / "loans"),
    )
    assert wanted == {"loans": loans, "churn": ModelSpec("churn", "s3://models/churn.zip", sha256="0" * 64)}


def test_a_file_can_name_a_model_of_a_store(tmp_path: Path, store: ModelStore) -> None:
    wanted = configured(
        tmp_path / "models",
        loans_conf='store = "../store"\n',
        old_conf='store = "../store"\nmodel = "loans@live"\nmemoryTimeout = 5\n',
    )
    assert versions(wanted) == {"loans": "2", "old": "1"}


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "..data").mkdir()
    (tmp_path / ".hidden.conf").write_text("{")
    (tmp_path / "folder.conf").mkdir()
    assert configured(tmp_path, README_md="# models") == {}


MUCH_OF_LITTLE = "a0 = aaaaaaaaaa\n" + "".join(f"a{i + 1} = ${{a{i}}}${{a{i}}}\n" for i in range(20))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("bundle = [", "loans.conf"),
        ("[1, 2]", "expected an object, found list"),
        (MUCH_OF_LITTLE, "its substitutions make more than"),
        ("{}", "it needs bundle, or store and model"),
        ('bundel = "x.zip"', "no option 'bundel'; there are bundle"),
        ("bundle = 5", "bundle has to be a text, and is 5"),
        ('bundle = "x.zip", model = "y"', "it needs bundle, or store and model"),
        ('bundle = "x.zip", memoryTimeout = soon', "memoryTimeout is 'soon'"),
        ('bundle = "x.zip", version = "a b"', "version 'a b' of a model"),
        ('store = "s", bundle = "x.zip"', "bundle is of no use beside store"),
        ('store = "s", model = "a/b"', "model is 'a/b'"),
        ('store = "s"', "there is no model 'loans'"),
        ("a" * (1 << 20) + "aaa", "more than 1048576 bytes"),
    ],
)
def test_a_malformed_file_is_an_error_of_its_model(tmp_path: Path, text: str, reason: str) -> None:
    wanted = configured(tmp_path, loans_conf=text, churn_conf='bundle = "x.zip"')
    assert versions(wanted) == {"churn": None}
    error = error_of(wanted, "loans")
    assert isinstance(error, (ConfigError, SourceError)) and reason in str(error)


def test_two_files_of_one_name_are_an_error(tmp_path: Path) -> None:
    wanted = configured(tmp_path, loans_conf='bundle = "x.zip"', loans_json='{"bundle": "x.zip"}')
    assert "two files are for the model 'loans'" in str(error_of(wanted, "loans"))


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        ConfigFolder(tmp_path / "nowhere").wanted()
