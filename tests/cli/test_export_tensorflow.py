"""export of what Keras and TensorFlow save; runs where they are installed (``make test-tensorflow``)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import Result

import leapstream

keras = pytest.importorskip("keras")
Run = Callable[..., Result]
# Of Keras, as it saves a model with NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
X = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def network() -> Any:
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(2)])


def test_a_file_of_keras_becomes_ops(run: Run, tmp_path: Path, network: Any) -> None:
    network.save(tmp_path / "m.keras")
    schema = ["--schema", "a:double,b:double,c:double"]
    result = run("export", tmp_path / "m.keras", "-o", tmp_path / "b.zip", *schema, "--json")
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert (told["from"], [field["name"] for field in told["inputs"]]) == ("tensorflow", ["a", "b", "c"])
    assert "tensorflow" not in told["ops"]
    found = leapstream.load(tmp_path / "b.zip").predict({name: X[:, i] for i, name in enumerate("abc")})
    np.testing.assert_allclose(found["prediction"], network.predict(X, verbose=0), rtol=1e-5, atol=1e-6)


def test_a_saved_model_becomes_a_graph(run: Run, tmp_path: Path, network: Any) -> None:
    network.export(tmp_path / "saved", verbose=False)
    result = run("export", tmp_path / "saved", "-o", tmp_path / "b.zip", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["ops"] == ["tensorflow"]
    model = leapstream.load(tmp_path / "b.zip")
    found = model.predict({model.schema.inputs.names[0]: X})
    np.testing.assert_allclose(found["output_0"], network.predict(X, verbose=0), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("file", "message"), [("m.keras", "corrupt zip archive"), ("m.pb", "not a frozen graph")])
def test_what_is_not_a_model_is_rejected(run: Run, tmp_path: Path, file: str, message: str) -> None:
    (tmp_path / file).write_text("nothing")
    result = run("export", tmp_path / file, "-o", tmp_path / "b.zip")
    assert result.exit_code == 1 and message in result.stderr and file in result.stderr


def test_code_in_a_file_of_keras_is_not_run(run: Run, tmp_path: Path) -> None:
    network = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x * 2.0)])
    network.save(tmp_path / "m.keras")
    result = run("export", tmp_path / "m.keras", "-o", tmp_path / "b.zip")
    assert result.exit_code == 1 and "Keras cannot read it" in result.stderr
