"""transform: every format, in batches, all or nothing."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from typer.testing import Result

import leapstream
from leapstream.bundle.frame import LeapFrame
from tests.cli.conftest import FOREST, LINEAR, LINEAR_INPUT
from tests.cli.test_commands import SCRIPT

Run = Callable[..., Result]
ALL = ["json", "bin", "avro", "csv", "jsonl", "parquet", "feather", "arrows"]
EXPECTED = leapstream.load(LINEAR).transform(LeapFrame.read(LINEAR_INPUT)).column("prediction")


def _predictions(path: Path) -> list[float]:
    """The predictions in a file of any format."""
    if path.suffix in (".json", ".bin", ".avro"):
        return LeapFrame.read(path).column("prediction")
    if path.suffix == ".jsonl":
        return [json.loads(line)["prediction"] for line in path.read_text().splitlines()]
    if path.suffix == ".csv":
        return pa.csv.read_csv(path)["prediction"].to_pylist()
    if path.suffix == ".parquet":
        return pa.parquet.read_table(path)["prediction"].to_pylist()
    opened = pa.ipc.open_stream(path) if path.suffix == ".arrows" else pa.ipc.open_file(path)
    return opened.read_all()["prediction"].to_pylist()


@pytest.mark.parametrize("suffix", ALL)
def test_every_format_is_written_with_the_predictions_of_the_model(run: Run, tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"out.{suffix}"
    result = run("transform", LINEAR, LINEAR_INPUT, "-o", target)
    assert result.exit_code == 0, result.stderr
    assert _predictions(target) == EXPECTED
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ALL)
@pytest.mark.parametrize("out", ["json", "csv"])
def test_every_format_is_read_in_batches(run: Run, tmp_path: Path, suffix: str, out: str) -> None:
    source, target = tmp_path / f"in.{suffix}", tmp_path / f"out.{out}"
    assert run("transform", LINEAR, LINEAR_INPUT, "-o", source, "--outputs", "").exit_code == 0
    result = run("transform", LINEAR, source, "-o", target, "--batch-size", "7", "--outputs", "prediction")
    assert result.exit_code == 0, result.stderr
    assert _predictions(target) == EXPECTED


@pytest.mark.parametrize("suffix", ["json", "csv", "jsonl", "parquet", "feather"])
def test_tensors_survive_every_format(run: Run, tmp_path: Path, suffix: str) -> None:
    source, target = tmp_path / f"in.{suffix}", tmp_path / "out.json"
    assert run("transform", LINEAR, LINEAR_INPUT, "-o", source, "--outputs", "features").exit_code == 0
    result = run("transform", FOREST, source, "-o", target)
    assert result.exit_code == 0, result.stderr
    frame = LeapFrame.read(target)
    direct = leapstream.load(LINEAR).transform(LeapFrame.read(LINEAR_INPUT), outputs=["features"])
    assert frame.column("prediction") == leapstream.load(FOREST).transform(direct).column("prediction")


def test_the_inputs_and_final_outputs_are_written_and_with_all_the_columns_between(run: Run, tmp_path: Path) -> None:
    columns = []
    for options in ((), ("--all",)):
        assert run("transform", LINEAR, LINEAR_INPUT, "-o", tmp_path / "out.csv", *options).exit_code == 0
        columns.append((tmp_path / "out.csv").read_text().partition("\n")[0].replace('"', "").split(","))
    inputs = ["feature1", "feature2", "feature3"]
    assert columns == [[*inputs, "prediction"], [*inputs, "features", "prediction"]]


@pytest.mark.slow
def test_parquet_has_dictionaries_of_repeated_values_and_none_of_different_numbers(run: Run, tmp_path: Path) -> None:
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    rows = 60_000
    numbers = {f"feature{n}": [float((row * n) % rows) for row in range(rows)] for n in (1, 7, 11)}
    columns = dict(zip(("feature1", "feature2", "feature3"), numbers.values(), strict=True))
    pa.parquet.write_table(pa.table({**columns, "text": ["a", "b"] * (rows // 2)}), source)
    assert run("transform", LINEAR, source, "-o", target).exit_code == 0
    group = pa.parquet.ParquetFile(target).metadata.row_group(0)
    sizes = {c.path_in_schema: c.total_uncompressed_size for c in map(group.column, range(group.num_columns))}
    assert sizes["text"] < rows
    assert 8 * rows < sizes["feature1"] < 9 * rows


def test_columns_that_the_model_does_not_read_pass_through_csv_as_they_are(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text('id,feature1,feature2,feature3,note\n007,1,2,3,"a, b"\n1e5,1,2,3,\n')
    assert run("transform", LINEAR, source, "-o", tmp_path / "o.jsonl", "--outputs", "prediction").exit_code == 0
    records = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text().splitlines()]
    assert [(record["id"], record["note"]) for record in records] == [("007", "a, b"), ("1e5", None)]


def test_a_boolean_of_csv_is_a_number_to_the_model(run: Run, tmp_path: Path) -> None:
    predictions = []
    for name, values in {"numbers": ("0", "1"), "booleans": ("false", "true")}.items():
        source = tmp_path / f"{name}.csv"
        source.write_text("feature1,feature2,feature3\n" + "".join(f"{value},2,3\n" for value in values))
        assert run("transform", LINEAR, source, "-o", tmp_path / f"{name}.jsonl").exit_code == 0
        predictions.append(_predictions(tmp_path / f"{name}.jsonl"))
    assert predictions[0] == predictions[1]


@pytest.mark.slow
def test_standard_output_is_nothing_but_the_records(tmp_path: Path) -> None:
    command = [SCRIPT, "transform", LINEAR, LINEAR_INPUT, "-o", "-", "--output-format", "jsonl"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert [json.loads(line)["prediction"] for line in done.stdout.splitlines()] == EXPECTED
    assert done.stderr == ""


@pytest.mark.parametrize("name", ["in.csv", "in.jsonl"])
def test_a_file_without_records_gives_one_without_records(run: Run, tmp_path: Path, name: str) -> None:
    source = tmp_path / name
    source.write_text("feature1,feature2,feature3\n" if name == "in.csv" else "")
    result = run("transform", LINEAR, source, "-o", tmp_path / "o.parquet")
    assert result.exit_code == 0, result.stderr
    table = pa.parquet.read_table(tmp_path / "o.parquet")
    assert table.num_rows == 0
    assert "prediction" in table.column_names


def test_a_failing_record_is_named_by_its_place_in_the_file_and_nothing_is_written(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    records = [{"feature1": 1.0, "feature2": 2.0, "feature3": None if i == 11 else 3.0} for i in range(20)]
    source.write_text("".join(json.dumps(record) + "\n" for record in records))
    result = run("transform", LINEAR, source, "-o", tmp_path / "o.csv", "--batch-size", "4")
    assert result.exit_code == 1
    assert "row 11" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_a_failing_record_gets_nulls_when_asked(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text(
        '{"feature1": 1, "feature2": 2, "feature3": 3}\n{"feature1": 1, "feature2": 2, "feature3": null}\n'
    )
    target = tmp_path / "o.jsonl"
    result = run("transform", LINEAR, source, "-o", target, "--on-error", "null", "--outputs", "prediction")
    assert result.exit_code == 0, result.stderr
    first, second = (json.loads(line)["prediction"] for line in target.read_text().splitlines())
    assert math.isfinite(first)
    assert second is None


def test_a_failure_leaves_the_former_file(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "o.csv"
    target.write_text("former")
    source = tmp_path / "in.csv"
    source.write_text("feature1,feature2\n1,2\n")
    result = run("transform", LINEAR, source, "-o", target)
    assert result.exit_code == 1
    assert "feature3" in result.stderr
    assert target.read_text() == "former"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("in.csv", "feature1,feature2,feature3\n1,x,3\n", "x"),
        ("in.csv", "", "in.csv"),
        ("in.csv", "a,a\n1,2\n", "there twice"),
        ("in.jsonl", '{"feature1": 1}\nnonsense\n', "line 2"),
        ("in.jsonl", "[1]\n", "line 1: not an object"),
        ("in.jsonl", '{"feature1": "x", "feature2": 1, "feature3": 1}\n', "feature1"),
        ("in.parquet", "nonsense", "in.parquet"),
        ("in.feather", "nonsense", "in.feather"),
        ("in.json", "{", "in.json"),
        ("in.xyz", "", "--input-format"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_reason(
    run: Run, tmp_path: Path, name: str, content: str, said: str
) -> None:
    source = tmp_path / name
    source.write_text(content)
    result = run("transform", LINEAR, source, "-o", tmp_path / "o.csv")
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "o.csv").exists()


@pytest.mark.flink
def test_the_jvm_backend_gives_the_predictions_of_the_vectorized_one(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "o.jsonl"
    result = run("transform", LINEAR, LINEAR_INPUT, "-o", target, "--backend", "jvm")
    assert result.exit_code == 0, result.stderr
    assert [json.loads(line)["prediction"] for line in target.read_text().splitlines()] == pytest.approx(
        EXPECTED, rel=1e-14
    )
