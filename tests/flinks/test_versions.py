"""The table of docs/flink-versions.md is what each version of Flink does, in an environment of its own."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import leapstream
from leapstream import LeapFrame
from leapstream.drift import profile
from leapstream.flink import StoredModel, Target, compile_jar, write_model_jar
from leapstream.store import ModelStore

ROOT = Path(__file__).resolve().parents[2]
LINEAR = ROOT / "tests" / "bench" / "linear3.zip"
PAGE = ROOT / "docs" / "flink-versions.md"


def table() -> dict[tuple[str, str], bool]:
    """The page's table: for a check and a version, true where it works."""
    lines = re.findall(r"^\| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    head, _, *body = [[cell.strip() for cell in line.split("|")] for line in lines]
    return {
        (re.sub(r"[`*]", "", row[0]), version): cell.startswith("yes")
        for row in body
        for version, cell in zip(head[1:], row[1:], strict=True)
    }


TABLE = table()


@pytest.fixture(scope="session")
def jars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Jars of a linear model, its bundle, and a store that has it with a profile."""
    folder = tmp_path_factory.mktemp("jars")
    model = leapstream.load(LINEAR)
    sample = LeapFrame(model.schema.inputs, [(float(n), n / 2, 3.0) for n in range(50)])
    store = ModelStore(folder / "models")
    store.publish("linear", model, aliases=["live"], jar=write_model_jar, profile=profile(model, sample))
    scores = Target("Scores", model, outputs=("prediction", "features"))
    live = StoredModel(str(folder / "models" / "linear"))
    follows = Target("Live", model, outputs=("prediction", "model_version"), stored=live)
    compile_jar([Target("Predict", model), scores, follows], folder / "functions.jar")
    compile_jar([Target("Linear", model, "model")], folder / "models.jar")
    (folder / "linear.zip").write_bytes(LINEAR.read_bytes())
    return folder


@cache
def results(python: str, jars: Path, target: Path) -> dict[str, str]:
    """The result of each check with a version's Python."""
    command = [python, "-W", "ignore", str(Path(__file__).with_name("checks.py")), str(jars), str(target)]
    # The PyFlink of this process has put its own places there.
    environment = {name: value for name, value in os.environ.items() if "FLINK" not in name and name != "PYTHONPATH"}
    # Flink starts its Python workers with the python on PATH.
    environment["PATH"] = f"{Path(python).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=800, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(target.read_text()))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("version", sorted({version for _, version in TABLE}))
@pytest.mark.parametrize("name", sorted({name for name, _ in TABLE}))
def test_a_version_does_what_the_page_says(
    name: str, version: str, jars: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    here = f"{version}." in importlib.metadata.version("apache-flink")
    python = Path(sys.executable) if here else ROOT / f".venv-flink-{version}" / "bin" / "python"
    if not python.exists():
        pytest.skip("make test-flinks makes an environment of each version")
    found = results(str(python), jars, jars / f"{version}.json")[name]
    if TABLE[name, version]:
        assert not found
    else:
        assert found, f"{name} works in Flink {version}, which the page denies"
