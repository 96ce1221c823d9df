from __future__ import annotations

import json
from pathlib import Path

import pytest

from leapstream.errors import ConfigError
from leapstream.serving.loading import ModelSpec
from leapstream.serving.mleap.startup import startup_models

REQUEST = {
    "modelName": "lin",
    "uri": "file:/models/linear.zip",
    "config": {"memoryTimeout": 525600000, "diskTimeout": 9000},
}


def test_a_file_holds_a_request(tmp_path: Path) -> None:
    (tmp_path / "lin.json").write_text(json.dumps(REQUEST))
    spec = ModelSpec("lin", "file:/models/linear.zip", memory_timeout=525600.0, disk_timeout=9.0)
    assert startup_models(tmp_path / "lin.json") == [spec]


def test_all_files_of_a_folder_hold_requests(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / f"{name}.json").write_text(json.dumps({"modelName": name, "uri": "x.zip"}))
    (tmp_path / "folder").mkdir()
    assert startup_models(tmp_path) == [ModelSpec("a", "x.zip"), ModelSpec("b", "x.zip")]


@pytest.mark.parametrize("text", ["", "{", '{"modelName": "a b", "uri": "x"}', '{"no": 1}'])
def test_a_file_that_holds_no_request_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(ConfigError, match=r"bad\.json: "):
        startup_models(tmp_path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no\.json: No such file"):
        startup_models(tmp_path / "no.json")
