"""The flavor of MLflow, with the real library and a store on this machine."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
import yaml
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import Array, Map
from packaging.requirements import Requirement
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import leapstream
import leapstream.mlflow
from leapstream import BundleError, Model, SourceError
from leapstream.bundle.definition import Socket
from leapstream.bundle.types import BasicType, DataShape
from leapstream.ops.feature import MapEntrySelector
from leapstream.ops.pipeline import Node
from leapstream.ops.tensorflow import TensorFlowModel
from tests.mlflows import mlflow_store
from tests.pipelines import labelled

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
IRIS, SPECIES = load_iris(return_X_y=True, as_frame=True)
ESTIMATOR = LogisticRegression(max_iter=1000).fit(IRIS, SPECIES)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("mlflow")
    with mlflow_store(folder):
        yield folder


@pytest.fixture(scope="module")
def model() -> Model:
    return leapstream.from_sklearn(ESTIMATOR)


def described(folder: Path) -> dict[str, Any]:
    return dict(yaml.safe_load((folder / "MLmodel").read_text("utf-8")))


# ---- logging and loading ----------------------------------------------------------------------------------------------


def test_a_logged_model_predicts_as_a_python_function(store: Path, model: Model) -> None:
    with mlflow.start_run():
        info = leapstream.mlflow.log_model(model, "iris")
    result = mlflow.pyfunc.load_model(info.model_uri).predict(IRIS)
    assert list(result.columns) == ["raw_prediction", "probability", "prediction"]
    np.testing.assert_allclose(np.stack(list(result["probability"])), ESTIMATOR.predict_proba(IRIS), rtol=1e-9)
    assert result["prediction"].tolist() == ESTIMATOR.predict(IRIS).tolist()


def test_a_registered_model_loads_as_the_model_that_it_was(store: Path, model: Model, tmp_path: Path) -> None:
    leapstream.mlflow.log_model(model, "iris", registered_model_name="iris", tags={"of": "iris"})
    loaded = leapstream.mlflow.load_model("models:/iris/1", str(tmp_path / "here"))
    assert loaded.schema == model.schema
    pd.testing.assert_frame_equal(loaded.predict(IRIS), model.predict(IRIS))
    assert (tmp_path / "here" / "MLmodel").exists()


def test_a_saved_model_has_both_flavors(model: Model, tmp_path: Path) -> None:
    leapstream.mlflow.save_model(model, tmp_path / "m", metadata={"by": "me"})
    flavors = described(tmp_path / "m")["flavors"]
    assert flavors["leapstream"] == {"data": "data/bundle.zip", "leapstream_version": leapstream.__version__}
    assert flavors["python_function"]["loader_module"] == "leapstream.mlflow"
    assert described(tmp_path / "m")["metadata"] == {"by": "me"}
    assert leapstream.load(tmp_path / "m" / "data" / "bundle.zip").schema == model.schema
    assert leapstream.mlflow.load_model(str(tmp_path / "m")).schema == model.schema


def test_names_of_a_bundle_are_data_in_the_file_that_describes_it(tmp_path: Path) -> None:
    name = "'x'\n!!python/object/apply:os.system ['true']\n\x1b[2J\u202e"
    estimator = LinearRegression().fit(pd.DataFrame({name: [0.0, 1.0]}), [0.0, 2.0])
    leapstream.mlflow.save_model(leapstream.from_sklearn(estimator, name=name), tmp_path / "m")
    (column,) = json.loads(described(tmp_path / "m")["signature"]["inputs"])
    assert column["name"] == name
    assert leapstream.mlflow.load_model(str(tmp_path / "m")).schema.inputs.names == (name,)


def test_an_input_example_is_kept(model: Model, tmp_path: Path) -> None:
    leapstream.mlflow.save_model(model, tmp_path / "m", input_example=IRIS.head(2))
    example = mlflow.pyfunc.load_model(str(tmp_path / "m")).input_example
    pd.testing.assert_frame_equal(example, IRIS.head(2))


# ---- environments -----------------------------------------------------------------------------------------------------


def requirements(folder: Path) -> list[str]:
    lines = (folder / "requirements.txt").read_text("utf-8").split()
    return [line for line in lines if not re.match("mlflow(-skinny)?==", line)]


def test_the_environment_is_leapstream_in_compatible_versions(model: Model, tmp_path: Path) -> None:
    leapstream.mlflow.save_model(model, tmp_path / "m", extra_pip_requirements=["shap"])
    assert requirements(tmp_path / "m") == [f"leapstream[mlflow]~={leapstream.__version__}", "shap"]


def test_the_environment_of_a_graph_has_tensorflow() -> None:
    shape = DataShape("tensor", False, (1,))
    op = TensorFlowModel(("x",), (BasicType.FLOAT,), (shape,), ("y",), (BasicType.FLOAT,), (shape,), b"")
    graph = Model.from_node(Node("tf", op, (Socket("x", "x"),), (Socket("y", "y"),)))
    wanted = [f"leapstream[mlflow,tensorflow]~={leapstream.__version__}"]
    assert leapstream.mlflow.get_default_pip_requirements(graph) == wanted
    needed = leapstream.mlflow.get_default_pip_requirements(graph, include_leapstream=True)
    assert any(Requirement(text).name.startswith("tensorflow") for text in needed)


@pytest.mark.parametrize(
    ("recorded", "wanted"),
    [
        (None, f"~={leapstream.__version__}"),
        ({"url": "file:///src/leapstream", "dir_info": {"editable": True}}, f"~={leapstream.__version__}"),
        ({"url": "file:///dist/x.whl", "archive_info": {}}, f"~={leapstream.__version__}"),
        ({"url": "https://files.example/x.whl", "archive_info": {}}, " @ https://files.example/x.whl"),
        (
            {"url": "https://git.example/x.git", "vcs_info": {"vcs": "git", "commit_id": "a1b2"}},
            " @ git+https://git.example/x.git@a1b2",
        ),
    ],
)
def test_the_required_leapstream_is_one_that_can_be_installed(
    model: Model, monkeypatch: pytest.MonkeyPatch, recorded: dict[str, Any] | None, wanted: str
) -> None:
    text = None if recorded is None else json.dumps(recorded)
    installed = SimpleNamespace(read_text=lambda name: text)
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: installed)
    (requirement,) = leapstream.mlflow.get_default_pip_requirements(model)
    assert requirement == f"leapstream[mlflow]{wanted}"
    assert Requirement(requirement).extras == {"mlflow"}


def test_a_model_that_includes_leapstream_predicts_where_it_is_not_installed(model: Model, tmp_path: Path) -> None:
    leapstream.mlflow.save_model(model, tmp_path / "m", include_leapstream=True)
    needed = {Requirement(line).name for line in requirements(tmp_path / "m")}
    assert {"numpy", "pandas", "protobuf", "mlflow-skinny"} <= needed and "leapstream" not in needed
    # Everything but leapstream, which this directory of links does not have.
    packages = tmp_path / "packages"
    packages.mkdir()
    for found in Path(np.__file__).parents[1].iterdir():
        if "leapstream" not in found.name.lower() and not found.name.endswith(".pth"):
            (packages / found.name).symlink_to(found)
    IRIS.to_csv(tmp_path / "iris.csv", index=False)
    script = f"""
import sys
sys.path = [path for path in sys.path if "site-packages" not in path] + [{str(packages)!r}]
import mlflow, pandas
function = mlflow.pyfunc.load_model({str(tmp_path / "m")!r})
print(function.predict(pandas.read_csv({str(tmp_path / "iris.csv")!r}))["prediction"].tolist())
import leapstream
print(leapstream.__file__)
"""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-S", "-W", "ignore", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    answers, place = done.stdout.splitlines()
    assert json.loads(answers) == ESTIMATOR.predict(IRIS).tolist()
    assert place.startswith(str(tmp_path / "m" / "code"))


def test_requirements_that_are_given_replace_the_default(model: Model, tmp_path: Path) -> None:
    leapstream.mlflow.save_model(model, tmp_path / "m", pip_requirements=["leapstream"])
    assert requirements(tmp_path / "m") == ["leapstream"]


# ---- signatures -------------------------------------------------------------------------------------------------------


def test_the_signature_is_the_schema(model: Model) -> None:
    signature = leapstream.mlflow.signature_of(model)
    assert signature.inputs == Schema([ColSpec(DataType.double, name) for name in IRIS.columns])
    assert signature.outputs == Schema(
        [
            ColSpec(Array(DataType.double), "raw_prediction"),
            ColSpec(Array(DataType.double), "probability"),
            ColSpec(DataType.integer, "prediction"),
        ]
    )


def test_inputs_are_declared_wide_and_cast_by_the_model(tmp_path: Path) -> None:
    shape = DataShape("tensor", False, (2,))
    op = TensorFlowModel(("x",), (BasicType.FLOAT,), (shape,), ("y",), (BasicType.FLOAT,), (shape,), b"")
    graph = Model.from_node(Node("tf", op, (Socket("x", "x"),), (Socket("y", "y"),)))
    signature = leapstream.mlflow.signature_of(graph)
    assert signature.inputs == Schema([ColSpec(Array(DataType.double), "x")])
    assert signature.outputs == Schema([ColSpec(Array(DataType.float), "y")])


def test_vectors_are_arrays(tmp_path: Path) -> None:
    estimator = LogisticRegression(max_iter=1000).fit(IRIS.to_numpy(), SPECIES)
    leapstream.mlflow.save_model(leapstream.from_sklearn(estimator), tmp_path / "m")
    given = pd.DataFrame({"features": IRIS.to_numpy().tolist()})
    result = mlflow.pyfunc.load_model(str(tmp_path / "m")).predict(given)
    assert result["prediction"].tolist() == estimator.predict(IRIS.to_numpy()).tolist()


def test_texts_and_missing_numbers_pass_the_signature(tmp_path: Path) -> None:
    people = pd.DataFrame({"age": [20.0, None, 58.0, 44.0], "city": ["Oslo", "Bern", "Oslo", "Rome"]})
    columns = make_column_transformer((SimpleImputer(), ["age"]), (OneHotEncoder(), ["city"]))
    pipeline = make_pipeline(columns, LogisticRegression()).fit(people, ["yes", "no", "no", "yes"])
    leapstream.mlflow.save_model(leapstream.from_sklearn(pipeline, people), tmp_path / "m")
    function = mlflow.pyfunc.load_model(str(tmp_path / "m"))
    assert function.predict(people)["prediction"].tolist() == pipeline.predict(people).tolist()
    with pytest.raises(MlflowException, match="missing inputs"):
        function.predict(people[["age"]])


def test_a_label_that_the_prediction_does_not_need_is_optional(tmp_path: Path) -> None:
    leapstream.mlflow.save_model(labelled("skip"), tmp_path / "m")
    function = mlflow.pyfunc.load_model(str(tmp_path / "m"))
    given = pd.DataFrame({"y": ["no", "yes"], "x": [[0.5], [1.0]]})
    assert function.predict(given).to_dict("list") == {"label": [0.0, 1.0], "prediction": [1.0, 2.0]}
    assert function.predict(given[["x"]]).to_dict("list") == {"prediction": [1.0, 2.0]}


def test_maps_are_maps(tmp_path: Path) -> None:
    op = MapEntrySelector(BasicType.STRING, BasicType.DOUBLE, 0.0)
    sockets = tuple(Socket(port, port) for port in op.inputs())
    leapstream.mlflow.save_model(Model.from_node(Node("n", op, sockets, (Socket("output", "output"),))), tmp_path / "m")
    function = mlflow.pyfunc.load_model(str(tmp_path / "m"))
    columns = [column.type for column in function.metadata.signature.inputs]
    assert columns == [Map(DataType.double), DataType.string]
    given = pd.DataFrame({"key": ["a", "b"], "input": [{"a": 1.0}, {"a": 2.0, "b": 3.0}]})
    assert function.predict(given)["output"].tolist() == [1.0, 3.0]


def test_a_signature_can_be_given_or_left_out(model: Model, tmp_path: Path) -> None:
    given = ModelSignature(Schema([ColSpec(DataType.double, name) for name in IRIS.columns]))
    leapstream.mlflow.save_model(model, tmp_path / "given", signature=given)
    leapstream.mlflow.save_model(model, tmp_path / "none", signature=False)
    assert described(tmp_path / "given")["signature"]["outputs"] is None
    assert described(tmp_path / "none").get("signature") is None


# ---- what goes wrong --------------------------------------------------------------------------------------------------


def test_a_model_that_is_not_there_is_named(store: Path, tmp_path: Path) -> None:
    for uri in (str(tmp_path / "nope"), "models:/nope/1"):
        with pytest.raises(SourceError, match=re.escape(uri)):
            leapstream.mlflow.load_model(uri)


def test_a_model_of_another_flavor_is_rejected(model: Model, tmp_path: Path) -> None:
    leapstream.mlflow.save_model(model, tmp_path / "m")
    other = described(tmp_path / "m")
    del other["flavors"]["leapstream"]
    (tmp_path / "m" / "MLmodel").write_text(yaml.safe_dump(other), "utf-8")
    with pytest.raises(BundleError, match="no flavor 'leapstream', but python_function"):
        leapstream.mlflow.load_model(str(tmp_path / "m"))


def test_without_mlflow_the_extra_is_named() -> None:
    code = "import sys; sys.modules['mlflow'] = None; import leapstream.mlflow"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "BackendError: leapstream.mlflow needs MLflow: pip install 'leapstream[mlflow]'" in done.stderr


def test_the_example_of_the_page_runs(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "exporters" / "mlflow.md").read_text("utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    environment["MLFLOW_DISABLE_TELEMETRY"] = "true"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert leapstream.load(tmp_path / "iris.zip").schema.outputs.names == (
        "raw_prediction",
        "probability",
        "prediction",
    )
