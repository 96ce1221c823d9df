"""A terminal gets no control characters of a bundle, whatever the command shows."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Run = Callable[..., Result]

EVIL = "[bold]\x1b]0;PWNED\x1b\\\x1b[2J\u202e\x9b31m\nok"


@pytest.fixture
def evil(tmp_path: Path) -> Path:
    path = tmp_path / "evil.zip"
    shape = {"inputs": [{"port": "input", "name": EVIL}], "outputs": [{"port": "output", "name": "o"}]}
    with zipfile.ZipFile(path, "w") as archive:
        bundle = {"name": EVIL, "uid": EVIL, "version": EVIL, "format": "json", "timestamp": EVIL}
        archive.writestr("bundle.json", json.dumps(bundle))
        archive.writestr("root/node.json", json.dumps({"name": EVIL, "shape": shape}))
        model = {"op": "math_unary", "attributes": {"operation": {"string": "abs"}}}
        archive.writestr("root/model.json", json.dumps(model))
    return path


def assert_printable(result: Result) -> None:
    assert not {"\x1b", "\u202e", "\x9b"} & set(result.output)


@pytest.mark.slow
def test_inspect_and_errors_show_escapes(run: Run, evil: Path, tmp_path: Path) -> None:
    shown = run("inspect", evil)
    assert shown.exit_code == 0 and r"[bold]\x1b]0;PWNED" in shown.output
    assert_printable(shown)
    assert run("ddl", evil).exit_code == 1
    assert_printable(run("ddl", evil))
    with zipfile.ZipFile(tmp_path / "entries.zip", "w") as archive:
        archive.writestr("bundle.json", '{"name": "m", "format": "json"}')
        archive.writestr("root/node.json", '{"name": "x"}')
        archive.writestr("root/model.json", '{"op": "pipeline"}')
        archive.writestr(f"root/{EVIL}.node/node.json", "{")
    failed = run("inspect", tmp_path / "entries.zip")
    assert failed.exit_code == 1
    assert_printable(failed)


def test_json_of_inspect_holds_the_names_and_shows_no_controls(run: Run, evil: Path) -> None:
    shown = run("inspect", evil, "--json")
    assert json.loads(shown.output)["name"] == EVIL
    assert_printable(shown)
