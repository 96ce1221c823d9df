"""MLflow's own server, Python function and clients, against leapstream's server."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.deployments import get_deploy_client
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PyFuncModel, scoring_server
from mlflow.pyfunc.scoring_server.client import ScoringServerClient

import leapstream
import leapstream.mlflow
from leapstream import Model
from leapstream.ops.linear import LinearRegression
from leapstream.serving import Application, app
from tests.mlflows import mlflow_store
from tests.pipelines import labelled, node
from tests.serving.asgi import ask
from tests.serving.conftest import BENCH
from tests.serving.running import SECONDS_TO_START, serving

pytestmark = pytest.mark.slow

NAMES = ("feature1", "feature2", "feature3")
ROWS = [[1.0, 2.0, 9.0], [4.5, -5.0, 6.25]]
RECORDS = [dict(zip(NAMES, row, strict=True)) for row in ROWS]
JSON, CSV = "application/json", "text/csv"
LINEAR, FOREST, LABELLED = "linear3", "forest3-20x5", "labelled"


def saved(name: str) -> Model:
    return labelled("skip") if name == LABELLED else leapstream.load(BENCH / f"{name}.zip")


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, PyFuncModel]:
    folder = tmp_path_factory.mktemp("functions")
    for name in (LINEAR, FOREST, LABELLED):
        leapstream.mlflow.save_model(saved(name), folder / name)
    return {name: mlflow.pyfunc.load_model(str(folder / name)) for name in (LINEAR, FOREST, LABELLED)}


@pytest.fixture(scope="module")
def applications() -> dict[str, Application]:
    return {name: app({name: saved(name)}) for name in (LINEAR, FOREST, LABELLED)}


def theirs(function: PyFuncModel, body: bytes, content: str) -> tuple[int, Any]:
    """The status code and the predictions, error code or text of MLflow's server."""
    try:
        answer = scoring_server.invocations(body, content, function, function.metadata.get_input_schema())
    except MlflowException as error:
        return error.get_http_status_code(), json.loads(error.serialize_as_json())["error_code"]
    return answer.status, json.loads(answer.response) if answer.status == 200 else answer.mimetype


def ours(application: Application, body: bytes, content: str) -> tuple[int, Any]:
    answer = ask(application, "POST", "/invocations", body, {"content-type": content})
    if answer.status == 200:
        return 200, answer.json()
    media_type = answer.headers["content-type"].partition(";")[0]
    return answer.status, answer.json()["error_code"] if media_type == JSON else media_type


# Rows of both servers; the parametrised test below has them as JSON.
CASES: list[tuple[str, Any]] = [
    (LINEAR, {"dataframe_split": {"columns": NAMES, "data": ROWS}}),
    (LINEAR, {"dataframe_split": {"columns": NAMES, "index": [3, 1], "data": ROWS}}),
    (LINEAR, {"dataframe_split": {"columns": [*NAMES, "x"], "data": [[*row, "text"] for row in ROWS]}}),
    (LINEAR, {"dataframe_split": {"columns": NAMES, "data": [[1, 2, 9]]}}),
    (LINEAR, {"dataframe_split": {"columns": NAMES, "data": []}}),
    (LINEAR, {"dataframe_split": {"columns": NAMES, "data": [[None, 2.0, 9.0], ROWS[1]]}}),
    (LINEAR, {"dataframe_split": {"columns": NAMES[:2], "data": [row[:2] for row in ROWS]}}),
    (LINEAR, {"dataframe_split": {"columns": NAMES, "data": [row[:2] for row in ROWS]}}),
    (LINEAR, {"dataframe_split": {"data": ROWS}}),
    (LINEAR, {"dataframe_records": RECORDS}),
    (LINEAR, {"dataframe_records": [RECORDS[0], {"feature1": 1.0, "feature2": 2.0}]}),
    (LINEAR, {"dataframe_records": [{**RECORDS[0], "feature1": "1"}]}),
    (LINEAR, {"dataframe_records": [{**RECORDS[0], "feature1": "a"}]}),
    (LINEAR, {"dataframe_records": [{**RECORDS[0], "feature1": True}]}),
    (LINEAR, {"dataframe_records": RECORDS[0]}),
    (LINEAR, {"dataframe_records": []}),
    (LINEAR, {"instances": RECORDS}),
    (LINEAR, {"instances": {name: [row[i] for row in ROWS] for i, name in enumerate(NAMES)}}),
    (LINEAR, {"inputs": {name: [row[i] for row in ROWS] for i, name in enumerate(NAMES)}}),
    (LINEAR, {"inputs": RECORDS}),
    (LINEAR, {"inputs": RECORDS[0]}),
    (LINEAR, {"inputs": 1}),
    (LINEAR, {"inputs": {"feature1": [1.0, 4.0], "feature2": [2.0, 5.0], "feature3": [3.0]}}),
    (LINEAR, {"inputs": RECORDS, "client_request_id": "a"}),
    (LINEAR, {"inputs": 1, "instances": 2}),
    (LINEAR, {"x": 1}),
    (LINEAR, [1]),
    (FOREST, {"dataframe_split": {"columns": ["features"], "data": [[row] for row in ROWS]}}),
    (FOREST, {"dataframe_records": [{"features": row} for row in ROWS]}),
    (FOREST, {"instances": ROWS[0]}),
    (FOREST, {"inputs": ROWS[0]}),
    (FOREST, {"inputs": {"features": ROWS[0]}}),
    (FOREST, {"inputs": [{"features": row} for row in ROWS]}),
    (LABELLED, {"dataframe_records": [{"y": "yes", "x": [1.0]}, {"y": "no", "x": [2.5]}]}),
    (LABELLED, {"dataframe_records": [{"x": [1.0]}, {"x": [2.5]}]}),
    (LABELLED, {"dataframe_records": [{"y": "yes", "x": [1.0]}, {"y": "maybe", "x": [2.5]}]}),
    (LABELLED, {"dataframe_records": [{"y": "yes"}]}),
]
TEXTS = [
    (b"feature1,feature2,feature3\n1,2,9\n4.5,-5,6.25\n", CSV),
    (b"feature1,feature2,feature3\n,2,9\nNA,NaN,6.25\n", CSV),
    (b"x,feature3,feature2,feature1\na,9,2,1\n", CSV),
    (b"feature1,feature2,feature3\n1,2,x\n", CSV),
    (b"feature1,feature2\n1,2\n", CSV),
    (b"feature1,feature2,feature3\n", CSV),
    (b"", CSV),
    (b"{", JSON),
    (b"a", "text/plain"),
    (b"{}", "application/json; format=pandas-split"),
    (b"{}", "application/json; charset=latin1"),
]


@pytest.mark.parametrize(
    ("name", "body", "content"),
    [*((name, json.dumps(body).encode(), JSON) for name, body in CASES), *((LINEAR, *text) for text in TEXTS)],
)
def test_answers_are_those_of_mlflows_server(
    functions: dict[str, PyFuncModel], applications: dict[str, Application], name: str, body: bytes, content: str
) -> None:
    # repr, since NaN equals nothing.
    assert repr(ours(applications[name], body, content)) == repr(theirs(functions[name], body, content))


# ---- clients ----------------------------------------------------------------------------------------------------------


def test_mlflows_clients_get_predictions() -> None:
    model = leapstream.load(BENCH / f"{LINEAR}.zip")
    frame = pd.DataFrame(RECORDS)
    with serving(f"linear={BENCH / LINEAR}.zip") as server:
        client = ScoringServerClient("127.0.0.1", server.url.rpartition(":")[2])
        client.wait_server_ready()
        assert client.get_version().split(".")[0] == "3"
        pd.testing.assert_frame_equal(client.invoke(frame).get_predictions(), model.predict(frame))
        assert client.invoke(frame.to_numpy()).get_predictions().to_dict("records") == model.predict(RECORDS)
        with pytest.raises(Exception, match="INVALID_PARAMETER_VALUE"):
            client.invoke(frame[["feature1"]])
        deployed = get_deploy_client(server.url)
        found = deployed.predict(endpoint="linear", inputs={"dataframe_records": RECORDS})
        assert found == {"predictions": model.predict(RECORDS)}


def test_mlflow_serves_a_logged_model(tmp_path: Path) -> None:
    model = leapstream.load(BENCH / f"{LINEAR}.zip")
    leapstream.mlflow.save_model(model, tmp_path / "m")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        "mlflow",
        "models",
        "serve",
        "-m",
        tmp_path / "m",
        "--env-manager",
        "local",
        "-p",
        port,
        "-h",
        "127.0.0.1",
    ]
    # The command starts uvicorn, which it looks for on the path.
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    with subprocess.Popen(
        [sys.executable, "-m", *map(str, command)], env=environment, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            client = ScoringServerClient("127.0.0.1", port)
            client.wait_server_ready(SECONDS_TO_START, process)
            assert client.invoke(pd.DataFrame(RECORDS)).get_predictions().to_dict("records") == model.predict(RECORDS)
        finally:
            os.killpg(process.pid, 15)


# ---- the registry -----------------------------------------------------------------------------------------------------


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    with mlflow_store(tmp_path) as uri:
        yield uri


def test_an_alias_of_mlflows_registry_is_served_and_followed(registry: str, tmp_path: Path) -> None:
    first, second = (
        Model.from_node(node("line", LinearRegression(np.array([2.0]), b), {"features": "x"}, {"prediction": "y"}))
        for b in (0.0, 1.0)
    )
    for model in (first, second):
        leapstream.mlflow.log_model(model, "m", registered_model_name="iris")
    client = MlflowClient()
    client.set_registered_model_alias("iris", "champion", "1")
    environment = {"MLFLOW_TRACKING_URI": registry, "LEAPSTREAM_CACHE_DIR": str(tmp_path / "cache")}
    with serving("models:/iris@champion", "--reload", "500ms", environment=environment) as server:
        deployed = get_deploy_client(server.url)
        asked = {"endpoint": "iris", "inputs": {"dataframe_records": [{"x": [3.0]}]}}
        assert deployed.predict(**asked) == {"predictions": [{"y": 6.0}]}
        client.set_registered_model_alias("iris", "champion", "2")
        end = time.monotonic() + SECONDS_TO_START
        while deployed.predict(**asked) == {"predictions": [{"y": 6.0}]} and time.monotonic() < end:
            time.sleep(0.2)
        assert deployed.predict(**asked) == {"predictions": [{"y": 7.0}]}
