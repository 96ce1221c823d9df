"""to-spark and export, as a user calls them: bundles become directories of Spark, and these become bundles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from typer.testing import Result

import leapstream
from leapstream.exporters.spark import is_spark_directory
from tests.cli.conftest import BENCH, LINEAR

Run = Callable[..., Result]


def test_a_bundle_goes_into_a_directory_of_spark_and_comes_back(run: Run, tmp_path: Path) -> None:
    result = run("to-spark", LINEAR, tmp_path / "spark")
    assert result.exit_code == 0 and is_spark_directory(tmp_path / "spark")
    assert "stages" in result.stdout
    assert run("export", tmp_path / "spark", "-o", tmp_path / "again.zip").exit_code == 0
    first, again = leapstream.load(LINEAR), leapstream.load(tmp_path / "again.zip")
    assert [node.op for node in again.nodes] == [node.op for node in first.nodes]
    frame = leapstream.LeapFrame.read(BENCH / "linear3.input.json")
    columns = first.schema.outputs.names
    found, wanted = (model.predict(frame, outputs=columns).rows for model in (again, first))
    np.testing.assert_array_equal(np.array(found), np.array(wanted))


def test_what_spark_has_no_stage_for_is_said_by_its_node(run: Run, tmp_path: Path) -> None:
    sine = Path(__file__).parents[1] / "golden" / "feature" / "math-unary-sin"
    bundle = next(path for path in (sine / "bundle.zip", sine / "bundle") if path.exists())
    result = run("to-spark", bundle, tmp_path / "spark")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: node 'mu_sin': Spark ML has no stage for the op 'math_unary'")
    assert not (tmp_path / "spark").exists()
