from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from leapstream.cli.app import app
from leapstream.serving import loading, server
from leapstream.serving.loading import ModelSpec
from leapstream.serving.server import ServeOptions
from leapstream.serving.sources import StoredName


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[ServeOptions]:
    """The options of the servers that the command starts, none of which runs."""
    options: list[ServeOptions] = []
    monkeypatch.setattr(server, "serve", options.append)
    return options


def serve(*arguments: Any, environment: dict[str, str] | None = None) -> Any:
    return CliRunner().invoke(app, ["serve", *map(str, arguments)], env=environment)


def test_the_environment_variables_of_mleap_are_read(started: list[ServeOptions], tmp_path: Path) -> None:
    (tmp_path / "lin.json").write_text(json.dumps({"modelName": "lin", "uri": "linear.zip"}))
    environment = {"MLEAP_HTTP_PORT": "65327", "MLEAP_HTTP_HOSTNAME": "0.0.0.0", "MLEAP_MODEL_CONFIG": str(tmp_path)}
    assert serve(environment=environment).exit_code == 0
    assert (started[0].host, started[0].port, started[0].models) == ("0.0.0.0", 65327, [ModelSpec("lin", "linear.zip")])


def test_options_come_before_the_environment(started: list[ServeOptions]) -> None:
    serve("a=x.zip", "--port", 1, environment={"MLEAP_HTTP_PORT": "65327"})
    assert started[0].port == 1


def test_models_of_both_kinds_are_served(started: list[ServeOptions], tmp_path: Path) -> None:
    (tmp_path / "lin.json").write_text(json.dumps({"modelName": "lin", "uri": "linear.zip"}))
    serve("a=x.zip", "--mleap-config", tmp_path / "lin.json")
    assert [spec.name for spec in started[0].models] == ["a", "lin"]


@pytest.mark.slow
def test_without_a_model_requests_have_to_be_allowed_to_load_one(started: list[ServeOptions]) -> None:
    answer = serve()
    assert (answer.exit_code, started) == (2, [])
    assert "nothing to serve" in answer.output
    assert serve("--allow-load", "file:/models/").exit_code == 0


@pytest.mark.slow
def test_sagemakers_directory_is_served_if_nothing_is_named(
    started: list[ServeOptions], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "opt" / "ml" / "model"
    place.mkdir(parents=True)
    monkeypatch.setattr(loading, "SAGEMAKER_BUNDLE", place)
    assert serve().exit_code == 2
    (place / "bundle.json").write_text("{}")
    environment = {"SAGEMAKER_BIND_TO_PORT": "9000", "MLEAP_HTTP_PORT": "65327"}
    assert serve(environment=environment).exit_code == 0
    assert (started[0].models, started[0].port) == ([ModelSpec("model", str(place))], 9000)
    serve("a=x.zip")
    assert [spec.name for spec in started[1].models] == ["a"]


def test_models_of_a_store_are_named_beside_bundles(started: list[ServeOptions]) -> None:
    assert serve("--store", "s3://models", "loans@live", "new=churn", "other.zip", "--keep", 3).exit_code == 0
    assert started[0].stored == [StoredName("loans", "loans", "live"), StoredName("new", "churn")]
    assert [spec.name for spec in started[0].models] == ["other"]
    assert (started[0].store, started[0].alias, started[0].keep) == ("s3://models", "latest", 3)


@pytest.mark.slow
def test_stores_and_folders_are_looked_at_again_and_bundles_are_not(
    started: list[ServeOptions], tmp_path: Path
) -> None:
    for arguments in (("--store", "s"), ("--config", tmp_path), ("a.zip",), ("--config", tmp_path, "--reload", "5s")):
        serve(*arguments)
    assert [options.reload for options in started] == [30.0, 30.0, 0.0, 5.0]
