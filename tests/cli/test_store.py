from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.testing import Result

from leapstream import BackendError, Model, load
from leapstream.executors.jvm import Jvm
from tests.cli.conftest import LINEAR, LINEAR_INPUT

Run = Callable[..., Result]


@pytest.fixture
def store(run: Run, tmp_path: Path) -> str:
    """A store with two versions of a model, the second of which is live."""
    place = f"{tmp_path}/models"
    for note in ("first", "second"):
        assert run("publish", LINEAR, f"{place}/loans", "--alias", "live", "--note", note, "--no-jar").exit_code == 0
    return place


def test_publish_prints_the_version(run: Run, tmp_path: Path) -> None:
    target = f"{tmp_path}/models/loans"
    assert run("publish", LINEAR, target, "--no-jar").stdout == "loans@1\n"
    published = json.loads(run("publish", LINEAR, target, "--version", "v2", "--no-jar", "--json").stdout)
    assert (published["version"], published["bundle"]) == ("v2", f"{target}/v2/bundle.zip")


def test_publish_says_that_there_is_no_jar_where_flink_is_missing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Jvm, "unavailable", lambda self: "it needs the flink extra")
    result = run("publish", LINEAR, f"{tmp_path}/models/loans")
    assert (result.stdout, result.exit_code) == ("loans@1\n", 0)
    assert "loans@1 has no model.jar, so Flink runs it in Python alone: it needs the flink extra" in result.stderr


def test_a_model_that_the_jvm_cannot_run_is_read_once(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_model_jar(model: Model, contract: Path | None, target: Path) -> int:
        raise BackendError("it has a graph of TensorFlow")

    def counted_load(*given: Any, **options: Any) -> Model:
        reads.append(given)
        return load(*given, **options)

    reads: list[Any] = []
    module = ModuleType("leapstream.flink.modeljar")
    monkeypatch.setattr(module, "write_model_jar", write_model_jar, raising=False)
    monkeypatch.setitem(sys.modules, "leapstream.flink", ModuleType("leapstream.flink"))
    monkeypatch.setitem(sys.modules, "leapstream.flink.modeljar", module)
    monkeypatch.setattr(Jvm, "unavailable", lambda self: None)
    monkeypatch.setattr("leapstream.store.models.load", counted_load)
    result = run("publish", LINEAR, f"{tmp_path}/models/loans")
    assert (result.stdout, result.exit_code, len(reads)) == ("loans@1\n", 0, 1)
    assert "loans@1 has no model.jar, so Flink runs it in Python alone: it has a graph of TensorFlow" in result.stderr
    assert not (tmp_path / "models/loans/1/model.jar").exists()


@pytest.mark.slow
def test_publish_records_a_contract(run: Run, tmp_path: Path) -> None:
    target = f"{tmp_path}/models/loans"
    run("record", LINEAR, LINEAR_INPUT, "-o", tmp_path / "contract")
    assert run("publish", LINEAR, target, "--contract", tmp_path / "contract", "--no-jar").exit_code == 0
    assert run("store", "check", target).stdout == "loans@1: checksum, signature, its contract: ok\n"


def test_publish_takes_a_profile(run: Run, tmp_path: Path) -> None:
    profile = tmp_path / "profile.json"
    made = run("profile", LINEAR, LINEAR_INPUT, "-o", profile)
    assert made.exit_code == 0 and f"{profile}: 4 columns of " in made.stdout
    published = run("publish", LINEAR, f"{tmp_path}/models/loans", "--profile", profile, "--no-jar", "--json")
    assert json.loads(published.stdout)["profile"] is True


def test_list_shows_models_with_versions_and_aliases(run: Run, store: str) -> None:
    assert run("store", "list", store).stdout.splitlines()[1].split() == ["loans", "2,", "1", "live=2"]
    listed = json.loads(run("store", "list", store, "--json").stdout)
    assert listed == [{"name": "loans", "versions": ["2", "1"], "aliases": {"live": "2"}}]


def test_show_shows_the_versions_of_a_model(run: Run, store: str) -> None:
    lines = run("store", "show", f"{store}/loans").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["version", "2", "1"]
    assert lines[1].endswith("live     second")
    shown = json.loads(run("store", "show", f"{store}/loans", "--json").stdout)
    assert [version["note"] for version in shown["versions"]] == ["second", "first"]


def test_show_shows_a_version(run: Run, store: str) -> None:
    shown = json.loads(run("store", "show", f"{store}/loans@live", "--json").stdout)
    assert shown["version"] == "2" and shown["outputs"] == {"prediction": "double not null"}
    assert "prediction double not null" in run("store", "show", f"{store}/loans@1").stdout


def test_aliases_move_and_go_back(run: Run, store: str) -> None:
    assert run("store", "rollback", f"{store}/loans", "live").stdout == "loans@live is version 1\n"
    assert run("store", "alias", f"{store}/loans@latest", "live").stdout == "loans@live is version 2\n"
    assert run("store", "unalias", f"{store}/loans", "live").exit_code == 0
    actions = [change["action"] for change in json.loads(run("store", "history", f"{store}/loans", "--json").stdout)]
    assert actions == ["publish", "alias", "publish", "alias", "rollback", "alias", "unalias"]
    assert run("store", "history", f"{store}/loans").stdout.count("\n") == 8


def test_versions_alias_and_rollback_need_not_be_called_after_store(run: Run, store: str) -> None:
    versions = [
        version["version"] for version in json.loads(run("versions", f"{store}/loans", "--json").stdout)["versions"]
    ]
    moved = [
        json.loads(run("alias", f"{store}/loans@{versions[-1]}", "short", "--json").stdout),
        json.loads(run("alias", f"{store}/loans@{versions[0]}", "short", "--json").stdout),
        json.loads(run("rollback", f"{store}/loans", "short", "--json").stdout),
    ]
    found = [m["aliases"]["short"] for m in moved]
    assert found == [versions[-1], versions[0], versions[-1]]


def test_an_alias_stands_for_several_versions(run: Run, store: str) -> None:
    run("publish", LINEAR, f"{store}/loans", "--no-jar")
    moved = run("store", "alias", f"{store}/loans", "live", "--weights", "2=90,1=10", "--shadow", "3")
    assert moved.stdout == "loans@live is version 2=90,1=10 with shadow 3\n"
    assert "live=(2=90,1=10 with shadow 3)" in run("store", "list", store).stdout
    lines = run("store", "show", f"{store}/loans").stdout.splitlines()
    assert [part in line for part, line in zip(("(shadow)", "live (90 of 100)", "live (10 of"), lines[1:], strict=True)]
    listed = json.loads(run("store", "list", store, "--json").stdout)
    assert listed[0]["aliases"] == {"live": {"versions": {"2": 90, "1": 10}, "shadow": ["3"]}}
    assert "2=90,1=10 with shadow 3" in run("store", "history", f"{store}/loans").stdout
    changes = json.loads(run("store", "history", f"{store}/loans", "--json").stdout)
    assert (changes[-1]["version"], changes[-1]["weights"], changes[-1]["shadow"]) == ("2", {"2": 90, "1": 10}, ["3"])
    checked = run("store", "check", f"{store}/loans@live").stdout
    assert [line.split(":")[0] for line in checked.splitlines()] == ["loans@2", "loans@1", "loans@3"]
    assert run("store", "rollback", f"{store}/loans", "live").stdout == "loans@live is version 2\n"


def test_remove_removes_a_version(run: Run, store: str) -> None:
    assert run("store", "remove", f"{store}/loans@1").exit_code == 0
    assert "2" in run("store", "list", store).stdout
    result = run("store", "remove", f"{store}/loans@1")
    assert result.exit_code == 1 and "no version '1'" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("publish", LINEAR, "loans"), "give STORE/NAME"),
        (("publish", LINEAR, "models/loans@2"), "give the version by --version"),
        (("publish", LINEAR, "models/@"), "give STORE/NAME"),
        (("store", "alias", "models/loans", "live"), "give a version, such as loans@latest"),
        (("store", "alias", "models/loans@2", "live", "--weights", "1=1"), "give the versions by --weights alone"),
        (("store", "alias", "models/loans", "live", "--weights", "1"), "give VERSION=WEIGHT,VERSION=WEIGHT"),
        (("store", "show", "models/loans"), "there is no model 'loans'; there are: none"),
    ],
)
def test_what_names_no_model_is_rejected(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 1 and reason in result.stderr
    assert not list(tmp_path.iterdir())
