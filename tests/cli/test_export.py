"""export, as a user calls it: files that libraries saved become bundles."""

from __future__ import annotations

import copy
import json
import pickle
import re
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import lightgbm
import numpy as np
import pandas as pd
import pytest
import sklearn
import skops.io
import xgboost
from packaging.version import Version
from sklearn.compose import make_column_transformer
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from typer.testing import Result

import leapstream
from leapstream.bundle.frame import LeapFrame
from leapstream.bundle.reader import read_bundle
from leapstream.bundle.tensor import Tensor
from leapstream.bundle.types import BasicType, ScalarType, Schema, TensorType
from leapstream.cli.app import KindName
from leapstream.cli.samples import sample_of, schema_of
from leapstream.cli.savedmodels import KINDS
from leapstream.exporters import child
from tests.cli.conftest import LINEAR

Run = Callable[..., Result]

PEOPLE = pd.DataFrame(
    {"age": [20.0, 31.0, None, 58.0], "city": ["Oslo", "Bern", "Oslo", "Rome"], "since": "2020-01-01"}
)
BOUGHT = [0, 1, 0, 1]
X = np.random.default_rng(0).normal(size=(60, 3))


@pytest.fixture(scope="module")
def pipeline() -> Any:
    columns = make_column_transformer((StandardScaler(), ["age"]), (OneHotEncoder(), ["city"]))
    return make_pipeline(columns, LogisticRegression()).fit(PEOPLE.fillna(40.0), BOUGHT)


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    PEOPLE.to_csv(tmp_path / "people.csv", index=False)
    return tmp_path / "people.csv"


def assert_predicts_what_the_pipeline_does(bundle: Path, pipeline: Any) -> None:
    people = PEOPLE.fillna(40.0)
    result = leapstream.load(bundle).transform(people)
    np.testing.assert_allclose(np.stack(list(result["probability"])), pipeline.predict_proba(people), rtol=1e-9)


# ---- kinds ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".joblib", ".pkl"])
def test_a_pickle_that_is_trusted_is_exported(
    run: Run, tmp_path: Path, pipeline: Any, sample: Path, suffix: str
) -> None:
    saved = tmp_path / f"model{suffix}"
    if suffix == ".pkl":
        saved.write_bytes(pickle.dumps(pipeline))
    else:
        joblib.dump(pipeline, saved)
    result = run("export", saved, "-o", tmp_path / "b.zip", "--sample", sample, "--trust-pickle")
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    assert "from scikit-learn" in result.stdout
    assert_predicts_what_the_pipeline_does(tmp_path / "b.zip", pipeline)


class Executed:
    """Writes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


def test_a_bundle_that_differs_from_its_library_is_not_written_without_no_check(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = LogisticRegression().fit(X, X[:, 0] > 0.0)
    joblib.dump(model, tmp_path / "model.joblib")
    pd.DataFrame({"features": X.tolist()}).to_json(tmp_path / "rows.jsonl", orient="records", lines=True)
    monkeypatch.setattr(LogisticRegression, "predict", lambda self, rows: np.zeros(len(rows)))
    arguments = ["export", "model.joblib", "-o", "model.zip", "--trust-pickle", "--sample", "rows.jsonl"]
    arguments = [str(tmp_path / part) if "." in part else part for part in arguments]
    result = run(*arguments)
    assert result.exit_code == 1
    assert "'prediction'" in result.stderr and "in scikit-learn" in result.stderr
    assert not (tmp_path / "model.zip").exists()
    assert run(*arguments, "--no-check").exit_code == 0
    assert (tmp_path / "model.zip").exists()


def test_a_bundle_that_a_version_of_mleap_cannot_run_is_told_or_rejected(run: Run, tmp_path: Path) -> None:
    joblib.dump(FunctionTransformer(np.floor).fit(X), tmp_path / "floor.joblib")
    arguments = ["export", str(tmp_path / "floor.joblib"), "-o", str(tmp_path / "floor.zip"), "--trust-pickle"]
    rejected = run(*arguments, "--portable")
    assert rejected.exit_code == 1 and "MLeap 0.20.0 has no operation 'floor'" in rejected.stderr
    assert not (tmp_path / "floor.zip").exists()
    told = run(*arguments)
    assert told.exit_code == 0 and "MLeap 0.20.0 has no operation 'floor'" in told.stderr
    assert "MLeap 0.20.0 has no operation 'floor'" in run("inspect", str(tmp_path / "floor.zip")).stdout
    assert len(json.loads(run("inspect", str(tmp_path / "floor.zip"), "--json").stdout)["mleap_gaps"]) == X.shape[1]


def test_a_pickle_is_not_loaded_unless_it_is_trusted(run: Run, tmp_path: Path) -> None:
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(Executed(tmp_path / "executed")))
    result = run("export", tmp_path / "m.pkl", "-o", tmp_path / "b.zip")
    assert result.exit_code == 1
    assert "can run any code" in result.stderr and "--trust-pickle" in result.stderr
    assert not (tmp_path / "executed").exists() and not (tmp_path / "b.zip").exists()


def test_a_skops_file_needs_no_trust(run: Run, tmp_path: Path, pipeline: Any, sample: Path) -> None:
    skops.io.dump(pipeline, tmp_path / "m.skops")
    result = run("export", tmp_path / "m.skops", "-o", tmp_path / "b.zip", "--sample", sample)
    assert result.exit_code == 0, result.stderr
    assert_predicts_what_the_pipeline_does(tmp_path / "b.zip", pipeline)


@pytest.mark.slow
@pytest.mark.skipif(
    Version(sklearn.__version__) < Version("1.8"), reason="nothing asks for 'solver' before it predicts"
)
def test_a_skops_file_of_a_damaged_estimator_is_named(run: Run, tmp_path: Path, pipeline: Any, sample: Path) -> None:
    damaged = copy.deepcopy(pipeline)
    del damaged[-1].__dict__["solver"]
    skops.io.dump(damaged, tmp_path / "m.skops")
    result = run("export", tmp_path / "m.skops", "-o", tmp_path / "b.zip", "--sample", sample)
    assert result.exit_code == 1
    assert "m.skops: its object cannot be exported: AttributeError" in " ".join(result.stderr.split())


def test_a_skops_file_is_not_decompressed_beyond_the_limits(run: Run, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.skops", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", bytes(40 << 20))
    result = run("export", tmp_path / "m.skops", "-o", tmp_path / "b.zip")
    assert result.exit_code == 1
    assert "max_ratio" in result.stderr


@pytest.mark.slow
def test_types_of_a_skops_file_that_are_not_trusted_are_listed_and_can_be_trusted(run: Run, tmp_path: Path) -> None:
    estimator = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1).fit(X, X[:, 0] > 0)
    skops.io.dump(estimator, tmp_path / "m.skops")
    result = run("export", tmp_path / "m.skops", "-o", tmp_path / "b.zip")
    assert result.exit_code == 1
    types = ("collections.OrderedDict", "lightgbm.basic.Booster", "lightgbm.sklearn.LGBMClassifier")
    assert all(f"--trust-type {name}" in result.stderr for name in types)
    trusted = [part for name in types for part in ("--trust-type", name)]
    assert run("export", tmp_path / "m.skops", "-o", tmp_path / "b.zip", *trusted).exit_code == 0
    found = leapstream.load(tmp_path / "b.zip").predict({"features": X})
    np.testing.assert_allclose(found["probability"], estimator.predict_proba(X), rtol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "altered"), [("num_leaves=", "num_leaves=2000000000"), ("left_child=", "left_child=0 0 0 0")]
)
def test_a_damaged_booster_in_a_skops_file_does_no_harm_to_the_process(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, altered: str
) -> None:
    booster = lightgbm.train({"verbose": -1, "num_leaves": 5}, lightgbm.Dataset(X, X[:, 0]), 3)
    skops.io.dump(booster, tmp_path / "m.skops")
    with zipfile.ZipFile(tmp_path / "m.skops") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    changed = re.sub(rb"(?<=\\n)" + line.encode() + rb"[^\\]*", altered.encode(), files["schema.json"])
    assert changed != files["schema.json"]
    with zipfile.ZipFile(tmp_path / "m.skops", "w") as archive:
        for name, data in {**files, "schema.json": changed}.items():
            archive.writestr(name, data)
    monkeypatch.setattr(child, "SECONDS", 10.0)
    types = ("collections.OrderedDict", "lightgbm.basic.Booster")
    trusted = [part for name in types for part in ("--trust-type", name)]
    result = run("export", tmp_path / "m.skops", "-o", tmp_path / "b.zip", *trusted)
    assert result.exit_code == 1 and "m.skops: " in result.stderr


@pytest.mark.parametrize("file", ["m.json", "m.ubj", "m.model"])
def test_a_file_of_xgboost_is_seen_whatever_its_format(run: Run, tmp_path: Path, file: str) -> None:
    booster = xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix(X, X[:, 0] > 0), 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the format that a suffix chooses
        booster.save_model(tmp_path / file)
    result = run("export", tmp_path / file, "-o", tmp_path / "b.zip", "--json")
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert (told["from"], told["ops"]) == ("xgboost", ["xgboost.classifier"])
    assert [field["name"] for field in told["outputs"]] == ["raw_prediction", "probability", "prediction"]
    found = leapstream.load(tmp_path / "b.zip").predict({"features": X})
    np.testing.assert_allclose(found["probability"][:, 1], booster.predict(xgboost.DMatrix(X)), rtol=1e-6)


def test_a_file_of_lightgbm_is_seen(run: Run, tmp_path: Path) -> None:
    booster = lightgbm.train({"verbose": -1}, lightgbm.Dataset(X, X[:, 0]), 3)
    booster.save_model(tmp_path / "m.model")
    result = run("export", tmp_path / "m.model", "-o", tmp_path / "b.zip", "--name", "mine", "--format", "protobuf")
    assert result.exit_code == 0, result.stderr
    assert (read_bundle(tmp_path / "b.zip").name, read_bundle(tmp_path / "b.zip").format) == ("mine", "protobuf")
    found = leapstream.load(tmp_path / "b.zip").predict({"features": X})
    np.testing.assert_allclose(found["prediction"], booster.predict(X), rtol=1e-12)


@pytest.mark.parametrize(("file", "kind"), [("x.json", "xgboost"), ("l.json", "lightgbm"), ("l.txt", "lightgbm")])
def test_model_files_of_boosters_need_neither_library(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, kind: str
) -> None:
    xgboost.train({}, xgboost.DMatrix(X, X[:, 0]), 2).save_model(tmp_path / "x.json")
    booster = lightgbm.train({"verbose": -1}, lightgbm.Dataset(X, X[:, 0]), 2)
    booster.save_model(tmp_path / "l.txt")
    (tmp_path / "l.json").write_text(json.dumps(booster.dump_model()))
    for library in ("xgboost", "lightgbm"):
        monkeypatch.setitem(__import__("sys").modules, library, None)
    result = run("export", tmp_path / file, "-o", tmp_path / "b.zip", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["from"] == kind


def test_a_damaged_file_of_a_booster_is_an_error_that_names_the_field(run: Run, tmp_path: Path) -> None:
    booster = lightgbm.train({"verbose": -1}, lightgbm.Dataset(X, X[:, 0]), 2)
    text = booster.model_to_string().replace("num_leaves=", "num_leaves=9", 1)
    (tmp_path / "m.txt").write_text(text)
    result = run("export", tmp_path / "m.txt", "-o", tmp_path / "b.zip")
    assert result.exit_code == 1 and "m.txt: LightGBM's model: Tree=0: leaf_value has" in result.stderr
    assert not (tmp_path / "b.zip").exists()


def test_a_directory_of_spark_is_seen(run: Run, tmp_path: Path) -> None:
    leapstream.to_spark(leapstream.load(LINEAR), tmp_path / "saved")
    result = run("export", tmp_path / "saved", "-o", tmp_path / "b.zip", "--json")
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert (told["from"], told["ops"]) == ("spark", ["vector_assembler", "linear_regression"])
    records = [{"feature1": 0.5, "feature2": 0.25, "feature3": 1.0}]
    assert leapstream.load(tmp_path / "b.zip").predict(records) == leapstream.load(LINEAR).predict(records)


def test_the_command_line_offers_each_kind() -> None:
    assert [kind.value for kind in KindName] == list(KINDS)


# ---- options ----------------------------------------------------------------------------------------------------------


def test_outputs_chooses_columns_of_a_predictor_of_scikit_learn(run: Run, tmp_path: Path) -> None:
    skops.io.dump(LogisticRegression().fit(X, X[:, 0] > 0), tmp_path / "m.skops")
    arguments = ("export", tmp_path / "m.skops", "-o", tmp_path / "b.zip")
    assert run(*arguments, "--outputs", "prediction, probability").exit_code == 0
    assert leapstream.load(tmp_path / "b.zip").schema.outputs.names == ("probability", "prediction")
    result = run(*arguments, "--outputs", "score")
    assert result.exit_code == 1 and "there is no output 'score'" in result.stderr


def test_outputs_of_other_models_are_rejected(run: Run, tmp_path: Path) -> None:
    lightgbm.train({"verbose": -1}, lightgbm.Dataset(X, X[:, 0]), 2).save_model(tmp_path / "m.txt")
    joblib.dump(lightgbm.LGBMRegressor(n_estimators=2, verbose=-1).fit(X, X[:, 0]), tmp_path / "m.joblib")
    leapstream.to_spark(leapstream.load(LINEAR), tmp_path / "saved")
    for file in ("m.txt", "m.joblib", "saved"):
        path = tmp_path / file
        result = run("export", path, "-o", tmp_path / "b.zip", "--trust-pickle", "--outputs", "prediction")
        assert result.exit_code == 1 and f"{file}: --outputs chooses columns of scikit-learn's" in result.stderr


@pytest.mark.slow
def test_a_model_file_is_compared_with_its_library_over_the_sample(run: Run, tmp_path: Path) -> None:
    booster = lightgbm.train({"verbose": -1}, lightgbm.Dataset(X, X[:, 0]), 2)
    (tmp_path / "m.json").write_text(json.dumps(booster.dump_model()))
    booster.save_model(tmp_path / "m.txt")
    pd.DataFrame(X, columns=["a", "b", "c"]).to_csv(tmp_path / "x.csv", index=False)
    for file, told in (("m.txt", ""), ("m.json", "not compared with LightGBM: it does not read its own dumps")):
        arguments = ("export", tmp_path / file, "-o", tmp_path / "b.zip", "--sample", tmp_path / "x.csv")
        result = run(*arguments)
        assert result.exit_code == 0 and (told in result.stderr if told else not result.stderr), result.stderr
        assert not run(*arguments, "--no-check").stderr


# ---- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "not a saved model of a known kind (sklearn: .joblib"),
        (["--from", "xgboost"], "XGBoost's model: "),
        (["--from", "lightgbm"], "LightGBM's model: not a text model"),
        (["--from", "sklearn", "--trust-pickle"], "joblib cannot read it"),
    ],
)
def test_a_file_of_another_kind_is_rejected(
    run: Run, tmp_path: Path, sample: Path, arguments: list[str], message: str
) -> None:
    result = run("export", sample, "-o", tmp_path / "b.zip", *arguments)
    assert result.exit_code == 1
    assert f"error: {sample}: " in result.stderr and message in result.stderr


def test_a_file_that_is_not_there_is_named(run: Run, tmp_path: Path) -> None:
    result = run("export", tmp_path / "nope.pkl", "-o", tmp_path / "b.zip")
    assert result.exit_code == 1 and "nope.pkl: no such file" in result.stderr


def test_texts_without_a_sample_are_told_to_need_one(run: Run, tmp_path: Path, pipeline: Any) -> None:
    skops.io.dump(pipeline, tmp_path / "m.skops")
    result = run("export", tmp_path / "m.skops", "-o", tmp_path / "b.zip")
    assert result.exit_code == 1 and "--sample or --schema" in result.stderr


def test_a_sample_and_a_schema_are_a_wrong_command_line(run: Run, tmp_path: Path, sample: Path) -> None:
    arguments = ("--sample", sample, "--schema", "age:double")
    assert run("export", sample, "-o", tmp_path / "b.zip", *arguments).exit_code == 2


def test_a_missing_library_exits_with_3(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m.skops").write_bytes(b"PK")
    monkeypatch.setitem(__import__("sys").modules, "skops.io", None)
    result = run("export", tmp_path / "m.skops", "-o", tmp_path / "b.zip")
    assert result.exit_code == 3 and "pip install 'leapstream[skops]'" in result.stderr


def test_what_a_library_warns_of_is_one_line(
    run: Run, tmp_path: Path, pipeline: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(path: Path) -> Any:
        for _ in range(2):
            warnings.warn(
                InconsistentVersionWarning(
                    estimator_name="Pipeline", current_sklearn_version="2", original_sklearn_version="1"
                ),
                stacklevel=1,
            )
        return pipeline

    monkeypatch.setattr(joblib, "load", load)
    (tmp_path / "m.joblib").touch()
    schema = "age:double,city:string,since:string"
    result = run("export", tmp_path / "m.joblib", "-o", tmp_path / "b.zip", "--trust-pickle", "--schema", schema)
    assert result.exit_code == 0, result.stderr
    assert result.stderr.startswith("warning: ") and result.stderr.count("\n") == 1


# ---- columns ----------------------------------------------------------------------------------------------------------


def test_a_schema_has_types_as_inspect_shows_them() -> None:
    assert schema_of("sepal length (cm):double, city: string,point:tensor<float>[3]") == Schema.of(
        [
            ("sepal length (cm)", ScalarType(BasicType.DOUBLE)),
            ("city", ScalarType(BasicType.STRING)),
            ("point", TensorType(BasicType.FLOAT, (3,))),
        ]
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("age", "'age' is not NAME:TYPE"),
        ("age:decimal", "column 'age': the type is none of boolean"),
        ("p:tensor<double>[]", "is not NAME:TYPE"),
        ("a:int,a:int", "names repeat: a"),
    ],
)
def test_a_malformed_schema_is_rejected(text: str, message: str) -> None:
    with pytest.raises(leapstream.SchemaError) as caught:
        schema_of(text)
    assert message in str(caught.value)


def test_a_sample_in_csv_has_numbers_and_texts_and_its_dates_are_texts(sample: Path) -> None:
    columns = sample_of(str(sample), None)
    assert columns["age"].dtype == np.float64 and np.isnan(columns["age"][2])
    assert columns["city"].tolist() == PEOPLE["city"].tolist()
    assert columns["since"][0] == "2020-01-01"


def test_a_column_of_a_sample_that_is_empty_is_of_numbers(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("a,b\n1,\n2,\n")
    assert sample_of(str(tmp_path / "s.csv"), None)["b"].dtype == np.float64


@pytest.mark.parametrize("suffix", [".parquet", ".json", ".jsonl"])
def test_a_sample_may_have_vectors(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"sample{suffix}"
    if suffix == ".parquet":
        pd.DataFrame({"point": [[1.0, 2.0], [3.0, 4.0]]}).to_parquet(path)
    elif suffix == ".json":
        schema = Schema.of([("point", TensorType(BasicType.DOUBLE))])
        rows = [[Tensor.dense([1.0, 2.0], BasicType.DOUBLE)], [Tensor.dense([3.0, 4.0], BasicType.DOUBLE)]]
        LeapFrame(schema, rows).write(path)
    else:
        path.write_text('{"point": [1.0, 2.0]}\n{"point": [3.0, 4.0]}\n')
    assert sample_of(str(path), None)["point"].tolist() == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(("text", "message"), [("a,b\n", "without records"), ("", "Empty CSV"), ("a,b\n1\n", "s.csv")])
def test_a_sample_that_tells_nothing_is_rejected(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "s.csv").write_text(text)
    with pytest.raises(leapstream.LeapstreamError) as caught:
        sample_of(str(tmp_path / "s.csv"), None)
    assert message in str(caught.value)


def test_vectors_of_several_sizes_are_rejected(tmp_path: Path) -> None:
    (tmp_path / "s.jsonl").write_text('{"p": [1.0]}\n{"p": [1.0, 2.0]}\n')
    with pytest.raises(leapstream.SchemaError) as caught:
        sample_of(str(tmp_path / "s.jsonl"), None)
    assert "no vectors of one size" in str(caught.value)
