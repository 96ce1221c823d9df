"""verify and record, as a user calls them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from typer.testing import Result

import leapstream
from tests.cli.conftest import BENCH, LINEAR, LINEAR_INPUT

Run = Callable[..., Result]
EXPECTED = str(BENCH / "linear3.expected.json")
GOLDEN = BENCH.parent / "golden"


def test_a_bundle_is_verified_against_frames(run: Run) -> None:
    result = run("verify", LINEAR, LINEAR_INPUT, EXPECTED)
    assert result.exit_code == 0, result.output
    assert "prediction: 1000 values" in result.stdout
    assert result.stdout.endswith("1 agree, 0 differ\n")


def test_a_difference_is_named_and_exits_with_1(run: Run, tmp_path: Path) -> None:
    frame = json.loads(Path(EXPECTED).read_text())
    frame["rows"][3][-1] += 1.0
    (tmp_path / "wrong.json").write_text(json.dumps(frame))
    result = run("verify", LINEAR, LINEAR_INPUT, tmp_path / "wrong.json")
    assert result.exit_code == 1
    assert "row 3: prediction is" in result.stdout


def test_a_column_of_texts_that_differ_is_not_called_equal(run: Run, tmp_path: Path) -> None:
    case = GOLDEN / "feature" / "ngram-1"
    frame = json.loads((case / "expected.json").read_text())
    frame["rows"][0][-1] = ["other"]
    (tmp_path / "wrong.json").write_text(json.dumps(frame))
    bundle = next(path for path in (case / "bundle.zip", case / "bundle") if path.exists())
    result = run("verify", bundle, case / "input.json", tmp_path / "wrong.json")
    assert result.exit_code == 1
    assert "values, different" in result.stdout and "values, equal" not in result.stdout


def test_a_folder_of_cases_is_verified(run: Run) -> None:
    result = run("verify", GOLDEN / "frame", "--json")
    found = json.loads(result.stdout)
    assert result.exit_code == 0 and len(found) > 10
    assert all(entry["ok"] for entry in found)
    assert {"name", "values", "absolute", "relative", "problem", "differing"} == set(found[0]["columns"][0])
    assert all(entry["agreeing"] == entry["rows"] for entry in found)


WIDE = GOLDEN / "feature" / "hashing-tf-wide"


@pytest.mark.slow
def test_a_backend_that_lacks_something_for_a_model_says_so_and_differs_in_nothing(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leapstream.executors.rowwise.writer.MOST_ELEMENTS", 1024)
    result = run("verify", WIDE, "--backend", "vectorized", "--backend", "rowwise")
    assert result.exit_code == 0, result.output
    assert "LACKS   rowwise" in result.stdout and "rowwise lacks a list of 262144 elements" in result.stdout
    assert result.stdout.endswith("1 agree, 0 differ, 1 lacking\n")


def test_json_tells_the_outcome_of_each_contract_and_what_is_lacking(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leapstream.executors.rowwise.writer.MOST_ELEMENTS", 1024)
    result = run("verify", WIDE, "--backend", "vectorized", "--backend", "rowwise", "--json")
    assert result.exit_code == 0
    entries = [(entry["outcome"], entry["ok"], bool(entry["lacking"])) for entry in json.loads(result.stdout)]
    assert entries == [("agree", True, False), ("lacking", False, True)]


def test_a_recorded_contract_is_verified(run: Run, tmp_path: Path) -> None:
    assert run("record", LINEAR, LINEAR_INPUT, "-o", tmp_path / "contract", "--rtol", "1e-6").exit_code == 0
    result = run("verify", tmp_path)
    assert result.exit_code == 0
    assert "contract" in result.stdout


def test_a_contract_that_is_there_is_replaced_only_where_the_user_says_so(run: Run, tmp_path: Path) -> None:
    command = ("record", LINEAR, LINEAR_INPUT, "-o", tmp_path)
    assert run(*command).exit_code == 0
    before = (tmp_path / "case.json").read_text()
    refused = run(*command, "--rtol", "1e-6")
    assert refused.exit_code == 1
    assert "has a contract. Replace it? --force does so without a terminal" in refused.stderr
    assert (tmp_path / "case.json").read_text() == before
    assert run(*command, "--rtol", "1e-6", "--force").exit_code == 0
    assert (tmp_path / "case.json").read_text() != before


X = np.random.default_rng(0).normal(size=(20, 3))
CLASSES = np.where(X[:, 0] > 0.0, "yes", "no")


def exported(folder: Path) -> list[str]:
    """The arguments of ``record`` for a classifier, its bundle and rows, whose library is in a pickle beside them."""
    model = LogisticRegression().fit(X, CLASSES)
    joblib.dump(model, folder / "model.joblib")
    leapstream.save(leapstream.from_sklearn(model, X), folder / "model.zip")
    (folder / "rows.jsonl").write_text("".join(json.dumps({"features": row}) + "\n" for row in X.tolist()))
    return ["record", str(folder / "model.zip"), str(folder / "rows.jsonl"), "-o", str(folder / "contract")]


def test_a_contract_can_record_what_the_library_predicts(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    arguments = [*exported(tmp_path), "--from", str(tmp_path / "model.joblib"), "--trust-pickle"]
    assert run(*arguments).exit_code == 0
    info = json.loads((tmp_path / "contract" / "case.json").read_text())
    assert info["outputs"] == ["prediction", "probability"]
    assert info["tolerance"] == {"relative": 1e-6, "absolute": 1e-9}
    assert run("verify", str(tmp_path)).exit_code == 0
    monkeypatch.setattr(LogisticRegression, "predict", lambda self, rows: np.full(len(rows), "yes"))
    assert run(*arguments, "--force").exit_code == 0
    result = run("verify", str(tmp_path))
    assert result.exit_code == 1 and "prediction is 'no', and 'yes' is expected" in result.stdout


def test_a_contract_can_record_results_of_a_file(run: Run, tmp_path: Path) -> None:
    arguments = exported(tmp_path)
    expected = tmp_path / "expected.csv"
    expected.write_text("prediction,other\n" + "".join(f"{label},1\n" for label in CLASSES))
    assert run(*arguments, "--expected", expected).exit_code == 0
    assert json.loads((tmp_path / "contract" / "case.json").read_text())["outputs"] == ["prediction"]
    assert run("verify", str(tmp_path)).exit_code == 0
    expected.write_text("prediction\nyes\n")
    result = run(*arguments, "--expected", expected, "--force")
    assert result.exit_code == 1 and "there are 1 expected rows, and 20 rows of input" in result.stderr
    expected.write_text("label\nyes\n")
    result = run(*arguments, "--expected", expected, "--force")
    assert result.exit_code == 1 and "the expected columns are label, none of which the model" in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_a_contract_can_record_what_the_library_of_a_boosters_file_predicts(
    library: str, run: Run, tmp_path: Path
) -> None:
    package = pytest.importorskip(library)
    arguments, file = exported(tmp_path), tmp_path / "booster"
    if library == "xgboost":
        package.train({"objective": "binary:logistic"}, package.DMatrix(X, X[:, 0] > 0.0), 3).save_model(f"{file}.json")
        file = file.with_suffix(".json")
    else:
        settings = {"objective": "binary", "verbose": -1, "min_data_in_leaf": 2}
        package.train(settings, package.Dataset(X, X[:, 0] > 0.0), 3).save_model(file)
    assert run("export", file, "-o", tmp_path / "model.zip").exit_code == 0
    assert run(*arguments, "--from", file).exit_code == 0
    assert json.loads((tmp_path / "contract" / "case.json").read_text())["outputs"] == ["probability"]
    assert run("verify", tmp_path).exit_code == 0
    file.write_text("{}" if library == "xgboost" else "tree\n")
    result = run(*arguments, "--from", file, "--force")
    assert result.exit_code == 1 and str(file) in result.stderr


def test_a_library_that_predicts_nothing_here_gives_no_results_to_record(run: Run, tmp_path: Path) -> None:
    arguments = exported(tmp_path)
    (tmp_path / "graph.pb").write_bytes(b"graph")
    result = run(*arguments, "--from", str(tmp_path / "graph.pb"))
    assert result.exit_code == 1 and "without its library" in result.stderr and "--expected" in result.stderr
    assert run(*arguments, "--from", str(tmp_path / "model.joblib")).exit_code == 1  # it is not trusted
    assert run(*arguments, "--from", "a", "--expected", "b").exit_code == 2


def test_records_of_any_format_can_be_recorded(run: Run, tmp_path: Path) -> None:
    (tmp_path / "records.csv").write_text("feature1,feature2,feature3\n1,2,3\n4,5,6\n")
    result = run("record", LINEAR, tmp_path / "records.csv", "-o", tmp_path / "contract")
    assert result.exit_code == 0 and "2 records, of which 0 fail" in result.stdout
    assert run("verify", tmp_path / "contract").exit_code == 0


def test_two_paths_are_a_wrong_command_line(run: Run) -> None:
    assert run("verify", LINEAR, LINEAR_INPUT).exit_code == 2


def test_a_folder_that_is_not_there_is_named(run: Run, tmp_path: Path) -> None:
    result = run("verify", tmp_path / "nope")
    assert result.exit_code == 1
    assert "nope: no such folder" in result.stderr
