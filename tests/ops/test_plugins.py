"""Ops of other packages, found through entry points."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from leapstream import UnsupportedOpError
from leapstream.ops import registry
from leapstream.ops.base import REGISTRY, find_op

EXAMPLE = Path(__file__).parents[2] / "examples" / "own-op"

USE = """
import sys
import leapstream
from leapstream.bundle.definition import ModelDef, NodeDef, Socket
from leapstream.bundle import values
from leapstream.ops.pipeline import read_node
from leapstream.model import Model

attributes = {"size": values.scalar("int", 2), "low": values.scalar("double", -1.0)}
node = NodeDef("clip", (Socket("input", "x"),), (Socket("output", "y"),), ModelDef("acme_clipper", attributes))
model = Model.from_node(read_node(node, "bundle 'b'"))
assert "acme_ops" in sys.modules
for format in ("json", "protobuf"):
    leapstream.save(model, sys.argv[1], format=format)
    print(leapstream.load(sys.argv[1]).predict([{"x": [-3.0, 0.5]}, {"x": [2.0, -0.5]}]))

import numpy as np
from acme_ops.estimators import ClipTransformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

x = np.array([[-3.0, 0.5], [2.0, -0.5], [0.25, 4.0]])
pipeline = make_pipeline(ClipTransformer(), LinearRegression()).fit(x, [1.0, 2.0, 3.0])
found = leapstream.from_sklearn(pipeline, x).predict({"features": x})["prediction"]
print(np.allclose(found, pipeline.predict(x)))
"""


@pytest.mark.slow
def test_the_example_package_adds_an_op_and_an_estimator(tmp_path: Path) -> None:
    # A copy, as the build leaves files beside the sources.
    source = tmp_path / "own-op"
    subprocess.run(["cp", "-r", str(EXAMPLE), str(source)], check=True)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*install, "--target", str(tmp_path / "site"), str(source)], check=True)
    places = [str(tmp_path / "site"), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [sys.executable, "-c", USE, str(tmp_path / "b.zip")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [*["[{'y': [-1.0, 0.5]}, {'y': [1.0, -0.5]}]"] * 2, "True"]


def offer(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """Pretend that an installed package has an entry point."""
    points = EntryPoints([EntryPoint(name, value, registry.ENTRY_POINTS)])
    monkeypatch.setattr(registry, "entry_points", lambda **wanted: points.select(**wanted))


def test_an_op_that_cannot_be_imported_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, "broken", "no_such_module:Op")
    with pytest.raises(UnsupportedOpError, match="bundle 'b': op 'broken' .* cannot be loaded: No module named"):
        find_op("broken", "bundle 'b'")


def test_an_entry_point_that_is_no_op_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, "strange", "json:JSONDecoder")
    with pytest.raises(UnsupportedOpError, match="is not an Op with op = 'strange'"):
        find_op("strange", "bundle 'b'")
    assert "strange" not in REGISTRY


def test_names_of_other_packages_are_suggested(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, "acme_clipper", "acme_ops:Clipper")
    with pytest.raises(UnsupportedOpError, match="the nearest known op is 'acme_clipper'"):
        find_op("acme_cliper", "bundle 'b'")
