"""Exports that prove themselves: a model is compared with its library over the sample."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lightgbm import Dataset, LGBMClassifier, LGBMRegressor
from lightgbm import train as train_lightgbm
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from xgboost import XGBRegressor

from leapstream import BackendError, ExportError, from_lightgbm, from_sklearn, from_xgboost
from leapstream.executors.registry import executors
from leapstream.exporters import boosterfile, lightgbm, proof, xgboost
from leapstream.model import Model
from leapstream.ops.feature.text import Tokenizer
from tests.pipelines import node

RNG = np.random.default_rng(3)
X = RNG.normal(size=(60, 3))
Y = X @ [1.0, -2.0, 0.5] + 0.1
CLASSES = np.where(Y > 0.0, "yes", "no")
FRAME = pd.DataFrame(X, columns=["a", "b", "c"])


class Shifted(LinearRegression):
    """An estimator whose predictions are other than those of its coefficients, for one row."""

    def predict(self, rows: Any) -> Any:
        found = super().predict(rows)
        found[2] += 1.0
        return found


Shifted.__name__ = "LinearRegression"
Shifted.__module__ = LinearRegression.__module__


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The executor and the number of rows of each comparison."""
    found: list[tuple[str, int]] = []
    predict = Model.predict

    def recorded(self: Model, data: Any, *, backend: Any = "vectorized", **options: Any) -> Any:
        rows = data if not isinstance(data, dict) else next(iter(data.values()))
        found.append((backend, len(rows)))
        return predict(self, data, backend=backend, **options)

    monkeypatch.setattr(Model, "predict", recorded)
    return found


def test_a_difference_names_the_node_the_row_and_both_values() -> None:
    estimator = Shifted().fit(X, Y)
    right = float(LinearRegression().fit(X, Y).predict(X)[2])
    with pytest.raises(ExportError) as caught:
        from_sklearn(estimator, X)
    text = str(caught.value)
    assert "'prediction' of node 'linear_regression_1' (linear_regression), step LinearRegression: row 2 is" in text
    assert f"{right:.6g}"[:6] in text and f"{right + 1.0:.6g}"[:6] in text
    assert "1 of 60 rows differ" in text and "scikit-learn" in text


def test_a_difference_names_the_step_of_the_pipeline() -> None:
    pipeline = make_pipeline(StandardScaler(), Shifted()).fit(X, Y)
    with pytest.raises(ExportError, match=r", step Pipeline > 'linearregression' \(LinearRegression\): row 2 is"):
        from_sklearn(pipeline, X)


def test_a_node_that_looks_up_labels_belongs_to_the_step_that_predicts_them() -> None:
    class Other(LogisticRegression):
        def predict(self, rows: Any) -> Any:
            return np.full(len(rows), "yes")

    Other.__name__, Other.__module__ = "LogisticRegression", LogisticRegression.__module__
    pipeline = Pipeline([("scale", StandardScaler()), ("answer", Other())]).fit(X, CLASSES)
    with pytest.raises(ExportError, match=r"\(reverse_string_indexer\), step Pipeline > 'answer' \(Log"):
        from_sklearn(pipeline, X)


def test_a_row_that_fails_in_the_model_alone_names_the_step() -> None:
    class Lenient(OneHotEncoder):
        def transform(self, rows: Any) -> Any:
            return np.zeros((len(rows), 2))

    Lenient.__name__, Lenient.__module__ = "OneHotEncoder", OneHotEncoder.__module__
    pipeline = Pipeline([("encode", Lenient()), ("answer", LinearRegression())])
    pipeline.fit(CLASSES[:, None].astype(object), Y)
    with pytest.raises(ExportError, match=r"step Pipeline > 'encode' \(OneHotEncoder\): scikit-learn predicts a row"):
        from_sklearn(pipeline, np.array([["yes"], ["perhaps"]], dtype=object))


def test_without_a_check_or_a_sample_nothing_is_compared() -> None:
    estimator = Shifted().fit(X, Y)
    assert from_sklearn(estimator, X, check=False).nodes
    assert from_sklearn(estimator).nodes


def test_the_executors_of_this_process_are_compared_and_others_by_name(runs: list[tuple[str, int]]) -> None:
    from_sklearn(LinearRegression().fit(X, Y), X)
    assert [name for name, _ in runs] == [name for name, e in executors().items() if e.extra != "flink"]
    runs.clear()
    from_sklearn(LinearRegression().fit(X, Y), X, check=["rowwise"])
    assert runs == [("rowwise", 60)]
    with pytest.raises(BackendError, match="backend 'fast' is not known"):
        from_sklearn(LinearRegression().fit(X, Y), X, check=["fast"])


def test_a_thousand_rows_are_compared_and_fewer_of_wide_vectors(
    runs: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    many = np.tile(X, (50, 1))
    from_sklearn(LinearRegression().fit(many, many[:, 0]), many)
    assert {count for _, count in runs} == {1000}
    runs.clear()
    monkeypatch.setattr(proof, "_ELEMENTS", 50)
    texts = ["a text of words", "another one"] * 20
    from_sklearn(CountVectorizer().fit(texts), texts)
    assert {count for _, count in runs} == {10}


SAMPLES: dict[str, Any] = {"an array": X, "a frame": FRAME, "a dict": {name: FRAME[name].to_numpy() for name in FRAME}}


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_kind_of_sample_is_compared(sample: str, runs: list[tuple[str, int]]) -> None:
    given = SAMPLES[sample]
    fitted = FRAME if sample != "an array" else X
    from_sklearn(make_pipeline(StandardScaler(), LogisticRegression()).fit(fitted, CLASSES), given)
    from_xgboost(XGBRegressor(n_estimators=3).fit(fitted, Y), given)
    from_lightgbm(LGBMRegressor(n_estimators=3, verbose=-1).fit(fitted, Y), given)
    assert len(runs) == 3 * len([e for e in executors().values() if e.extra != "flink"])


def test_probabilities_of_estimators_and_boosters_are_compared(runs: list[tuple[str, int]]) -> None:
    from_sklearn(RandomForestClassifier(5).fit(X, CLASSES), X)
    from_lightgbm(LGBMClassifier(n_estimators=3, verbose=-1).fit(X, CLASSES), X)
    booster = train_lightgbm(
        {"objective": "binary", "verbose": -1}, Dataset(X, (Y > 0.0).astype(int)), num_boost_round=3
    )
    model = from_lightgbm(booster, X)
    assert runs and "probability" in model.schema.outputs.names


def test_a_sample_that_the_library_does_not_predict_is_told() -> None:
    class Fails(Shifted):
        def predict(self, rows: Any) -> Any:
            raise ValueError("not today\x1b[2J\n")

    Fails.__name__, Fails.__module__ = "LinearRegression", LinearRegression.__module__
    with pytest.warns(
        UserWarning,
        match=r"not checked, for scikit-learn does not predict the sample: ValueError: not today\\x1b\[2J\\n$",
    ):
        from_sklearn(Fails().fit(X, Y), X)


@pytest.mark.parametrize("sample", SAMPLES)
def test_rows_with_missing_values_are_left_out_if_the_library_rejects_them(
    sample: str, runs: list[tuple[str, int]]
) -> None:
    holes = FRAME.copy()
    holes.loc[0, "b"] = np.nan
    given = {"an array": holes.to_numpy(), "a frame": holes, "a dict": {name: holes[name].to_numpy() for name in holes}}
    estimator = Shifted().fit(X if sample == "an array" else FRAME, Y)
    with pytest.raises(ExportError, match="row 3 is"):
        from_sklearn(estimator, given[sample])
    assert {count for _, count in runs} == {59}


def test_rows_with_missing_values_of_pandas_are_left_out_if_the_library_rejects_them(
    runs: list[tuple[str, int]],
) -> None:
    holes = FRAME.astype({"b": "Float64"})
    holes.loc[0, "b"] = pd.NA
    from_sklearn(LinearRegression().fit(FRAME, Y), holes)
    assert {count for _, count in runs} == {59}


def test_lists_of_different_sizes_are_compared_as_a_whole() -> None:
    tokens = [["a", "b"], ["c"], ["d"]]
    model = Model.from_node(node("tokens", Tokenizer(), {"input": "text"}, {"output": "words"}), name="m")
    rows = {"text": np.array(["a b", "c", "d"], dtype=object)}
    assert proof.prove(model, rows, "Library", lambda rows: {"words": tokens}) is model
    with pytest.raises(ExportError, match="row 1 is \"\\['c'\\]\" on vectorized, and \"\\['x'\\]\" in Library; 1 of 3"):
        proof.prove(model, rows, "Library", lambda rows: {"words": [["a", "b"], ["x"], ["d"]]})


# ---- model files ------------------------------------------------------------------------------------------------------


class Here:
    """Calls functions in this process; adds a number to their results."""

    def __init__(self, shift: float = 0.0) -> None:
        self.shift, self.calls = shift, 0

    def __call__(self, function: Any, *arguments: Any) -> Any:
        self.calls += 1
        return (np.asarray(function(*arguments)) + self.shift).tolist()


FILES = ["m.json", "m.ubj", "m.txt"]


def saved(folder: Path, file: str) -> Path:
    if file == "m.txt":
        LGBMRegressor(n_estimators=3, verbose=-1).fit(FRAME, Y).booster_.save_model(folder / file)
    else:
        XGBRegressor(n_estimators=3).fit(FRAME, Y).get_booster().save_model(folder / file)
    return folder / file


def exported(path: Path, sample: Any, **options: Any) -> Model:
    return (from_lightgbm if path.suffix == ".txt" else from_xgboost)(path, sample, **options)


def use(monkeypatch: pytest.MonkeyPatch, here: Here) -> Here:
    for module in (xgboost, lightgbm):
        monkeypatch.setattr(module, "call", here)
    return here


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("sample", SAMPLES)
def test_an_export_of_a_model_file_proves_itself(
    sample: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, given = saved(tmp_path, file), SAMPLES[sample]
    here = use(monkeypatch, Here())
    assert exported(path, given).nodes and here.calls == 1
    use(monkeypatch, Here(0.5))
    library = "LightGBM" if file == "m.txt" else "XGBoost"
    with pytest.raises(ExportError, match=f"'prediction' of node .*: row 0 is .* in {library}; 60 of 60 rows differ"):
        exported(path, given)
    here = use(monkeypatch, Here(0.5))
    assert exported(path, given, check=False).nodes and exported(path, None).nodes and not here.calls


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_the_library_of_a_model_file_runs_in_a_process_of_its_own(
    file: str, tmp_path: Path, runs: list[tuple[str, int]]
) -> None:
    assert exported(saved(tmp_path, file), FRAME).nodes
    assert {count for _, count in runs} == {60}


def test_a_file_that_its_library_does_not_know_is_not_compared_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, Here())
    newer = json.loads(saved(tmp_path, "m.json").read_text())
    newer["version"] = [3, 99, 0]
    (tmp_path / "newer.json").write_text(json.dumps(newer))
    with pytest.warns(UserWarning, match="not compared with XGBoost: the file is of version 3.99, and"):
        exported(tmp_path / "newer.json", FRAME)
    monkeypatch.setattr("lightgbm.__version__", "3.3.5")
    with pytest.warns(UserWarning, match="not compared with LightGBM: the file is of the format v4, and 3.3.5"):
        exported(saved(tmp_path, "m.txt"), FRAME)


def test_a_file_is_not_compared_where_its_library_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = use(monkeypatch, Here())
    monkeypatch.setattr(boosterfile, "find_spec", lambda name: None)
    assert exported(saved(tmp_path, "m.json"), FRAME).nodes and not here.calls


def test_texts_are_the_categories_of_a_file_of_lightgbm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cities = np.random.default_rng(5).choice(["Oslo", "Bern", "Rome"], len(FRAME))
    data = FRAME.assign(city=pd.Categorical(cities))
    fitted = LGBMRegressor(n_estimators=3, verbose=-1, min_child_samples=2).fit(data, Y + 3 * (cities == "Rome"))
    fitted.booster_.save_model(tmp_path / "m.txt")
    here = use(monkeypatch, Here())
    unknown = data.assign(city=[None, "Paris", *cities[2:]])
    assert exported(tmp_path / "m.txt", unknown).nodes and here.calls == 1


def test_a_row_that_fails_in_the_model_alone_is_a_difference() -> None:
    model = from_sklearn(LinearRegression().fit(X, Y))
    rows = np.array([X[0].tolist(), None], dtype=object)
    with pytest.raises(ExportError, match="Library predicts a row that fails in the model: .*features"):
        proof.prove(model, {"features": rows}, "Library", lambda rows: {"prediction": [1.0, 2.0]})
