from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from leapstream import LeapstreamError, Model, load
from leapstream.bundle.definition import Socket
from leapstream.bundle.types import BasicType
from leapstream.ops.feature import MapEntrySelector
from leapstream.ops.pipeline import Node
from leapstream.serving import Application, ServedModel, app
from leapstream.serving.scoring import TooLongForLoopError
from leapstream.serving.values import flat
from tests.golden_corpus import GOLDEN
from tests.pipelines import labelled
from tests.serving.asgi import Answer, ask
from tests.serving.conftest import BENCH, FAILING, RECORD
from tests.serving.goldens import golden_models, same_json

ROOT = Path(__file__).resolve().parents[3]
NAMES = list(RECORD)
ROWS = [[1.0, 2.0, 9.0], [4.5, -5.0, 6.25]]
RECORDS: list[dict[str, Any]] = [dict(zip(NAMES, row, strict=True)) for row in ROWS]
CSV = "text/csv"
FIRST_ROWS = 20


@pytest.fixture(scope="module")
def linear() -> Model:
    return load(BENCH / "linear3.zip")


@pytest.fixture(scope="module")
def single(linear: Model) -> Application:
    return app({"linear": linear})


@pytest.fixture(scope="module")
def forest() -> Application:
    return app({"forest": load(BENCH / "forest3-20x5.zip")})


def invoke(application: Application, body: Any, content: str = "application/json") -> Answer:
    return ask(application, "POST", "/invocations", body, {"content-type": content})


def failed(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json()["error_code"]


# ---- the forms of rows ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": NAMES, "data": ROWS}},
        {"dataframe_split": {"columns": NAMES, "index": [5, 6], "data": ROWS}, "params": {}},
        {"dataframe_split": {"columns": [*NAMES, "x"], "data": [[*row, {}] for row in ROWS]}},
        {"dataframe_records": RECORDS},
        {"dataframe_records": [{"x": [1], **RECORDS[0]}, RECORDS[1]], "client_request_id": "7"},
        {"instances": RECORDS},
        {"inputs": RECORDS},
        {"instances": ROWS},
        {"inputs": ROWS},
        {"inputs": {name: [row[i] for row in ROWS] for i, name in enumerate(NAMES)}},
        {"instances": {name: [row[i] for row in ROWS] for i, name in enumerate(NAMES)}},
    ],
)
def test_rows_have_the_forms_of_mlflow(single: Application, linear: Model, body: Any) -> None:
    answer = invoke(single, body)
    assert (answer.status, answer.json()) == (200, {"predictions": linear.predict(RECORDS)})


def test_csv_has_a_header(single: Application, linear: Model) -> None:
    text = "feature3,feature1,x,feature2\n9,1.0,text,2\n6.25,4.5,,-5\n"
    assert invoke(single, text.encode(), CSV).json() == {"predictions": linear.predict(RECORDS)}
    assert invoke(single, b"\xef\xbb\xbf" + text.encode(), CSV).status == 200


def test_single_values_are_one_row(single: Application, linear: Model) -> None:
    assert invoke(single, {"inputs": RECORDS[0]}).json() == {"predictions": linear.predict(RECORDS[:1])}


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": ["features"], "data": [[row] for row in ROWS]}},
        {"dataframe_records": [{"features": row} for row in ROWS]},
        {"instances": [{"features": row} for row in ROWS]},
        {"instances": ROWS},
        {"inputs": ROWS},
        {"inputs": {"features": ROWS}},
    ],
)
def test_vectors_are_lists(forest: Application, body: Any) -> None:
    expected = forest.context.models.only().model.predict([{"features": row} for row in ROWS])
    assert invoke(forest, body).json() == {"predictions": expected}


@pytest.mark.parametrize("body", [{"instances": ROWS[0]}, {"inputs": ROWS[0]}, {"inputs": {"features": ROWS[0]}}])
def test_a_vector_alone_is_one_row(forest: Application, body: Any) -> None:
    expected = forest.context.models.only().model.predict([{"features": ROWS[0]}])
    assert invoke(forest, body).json() == {"predictions": expected}


def test_a_long_table_is_answered_like_its_rows(single: Application, linear: Model) -> None:
    rows = [[float(i), 2.0, -1.5 * i] for i in range(10_000)]
    expected = [linear.predict(dict(zip(NAMES, row, strict=True))) for row in rows]
    assert invoke(single, {"dataframe_split": {"columns": NAMES, "data": rows}}).json() == {"predictions": expected}


def test_long_tables_are_converted_in_threads(single: Application) -> None:
    for body in (
        b"feature1,feature2,feature3\n" + b"1,2,3\n" * 1000,
        json.dumps({"inputs": [[1, 2, 3]] * 1000}).encode(),
    ):
        content = CSV if body[:1] == b"f" else "application/json"
        with pytest.raises(TooLongForLoopError):
            single.answer_small("POST", "/invocations", b"", {b"content-type": content.encode()}, body)
        assert len(invoke(single, body, content).json()["predictions"]) == 1000


# ---- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "content"),
    [
        ({"dataframe_records": [FAILING, RECORDS[0]]}, "application/json"),
        ({"dataframe_records": [{"feature2": 2, "feature3": 3}, RECORDS[0]]}, "application/json"),
        (b'{"inputs": {"feature1": [NaN, 1], "feature2": [2, 2], "feature3": [3, 9]}}', "application/json"),
        (b"feature1,feature2,feature3\n,2,3\n1,2,9\n", CSV),
        (b"feature1,feature2,feature3\nNA,2,3\n1,2,9\n", CSV),
    ],
)
def test_a_missing_number_is_nan_as_in_pandas(single: Application, linear: Model, body: Any, content: str) -> None:
    answer = invoke(single, body, content)
    nan, number = (found["prediction"] for found in answer.json()["predictions"])
    assert math.isnan(nan) and number == linear.predict(RECORDS[0])["prediction"]
    # Python's word for it, which MLflow writes and its clients read.
    assert b'{"prediction":NaN}' in answer.body


def test_a_label_that_the_prediction_does_not_need_is_optional() -> None:
    application = app({"labelled": labelled("error")})
    whole = {"dataframe_records": [{"y": "yes", "x": [1.0]}]}
    assert invoke(application, whole).json() == {"predictions": [{"label": 1.0, "prediction": 2.0}]}
    without = {"dataframe_records": [{"x": [1.0]}]}
    assert invoke(application, without).json() == {"predictions": [{"prediction": 2.0}]}


def test_rows_that_the_model_drops_are_left_out() -> None:
    rows = [{"y": y, "x": [1.0]} for y in ("yes", "maybe", "no")]
    found = invoke(app({"labelled": labelled("skip")}), {"dataframe_records": rows}).json()["predictions"]
    assert [row["label"] for row in found] == [1.0, 0.0]


def test_a_tensor_is_the_list_of_its_elements_as_in_a_data_frame() -> None:
    model = load(GOLDEN / "feature/min-hash-lsh/bundle.zip")
    row = {"features": [1.303, 0.0, 1.113, 0.0, 0.0]}
    assert model.predict(row) == {"hashes": [[790621260.0], [1503402899.0], [-1215735184.0]]}
    found = invoke(app({"m": model}), {"dataframe_records": [row]}).json()["predictions"]
    assert found == [{"hashes": [790621260.0, 1503402899.0, -1215735184.0]}]


def selector(base: BasicType, default: Any) -> Application:
    op = MapEntrySelector(BasicType.STRING, base, default)
    sockets = tuple(Socket(port, port) for port in op.inputs())
    return app({"selector": Model.from_node(Node("n", op, sockets, (Socket("output", "output"),)))})


def test_maps_are_objects() -> None:
    application = selector(BasicType.DOUBLE, 0.0)
    rows = [{"key": "a", "input": {"a": 1.0}}, {"key": "b", "input": {"a": 2.0}}]
    expected = {"predictions": [{"output": 1.0}, {"output": 0.0}]}
    assert invoke(application, {"dataframe_records": rows}).json() == expected
    columns = {"key": ["a", "b"], "input": [{"a": 1.0}, {"a": 2.0}]}
    assert invoke(application, {"inputs": columns}).json() == expected
    answer = invoke(application, b'key,input\na,"{}"\n', CSV)
    assert answer.status == 400 and "CSV" in answer.json()["message"]


# ---- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[1]",
        b"null",
        {"x": 1},
        {"inputs": 1, "instances": 2},
        {"dataframe_split": {"columns": NAMES, "data": [[1.0, 2.0]]}},
        {"dataframe_split": {"columns": NAMES, "data": [1.0]}},
        {"dataframe_split": {"columns": ["a", "a"], "data": []}},
        {"dataframe_split": {"columns": [1], "data": []}},
        {"dataframe_records": RECORD},
        {"dataframe_records": [1]},
        {"instances": [1.0, 2.0, 3.0]},
        {"instances": [RECORD, 1]},
        {"dataframe_records": [{**RECORD, "feature1": "a"}]},
        {"dataframe_records": [{**RECORD, "feature1": 10**400}]},
        {"dataframe_records": RECORDS, "params": {"temperature": 1}},
    ],
)
def test_a_body_that_cannot_be_read_is_a_bad_request(single: Application, body: Any) -> None:
    assert failed(invoke(single, body)) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    ("body", "content"),
    [
        ({"dataframe_split": {"data": ROWS}}, "application/json"),
        ({"dataframe_split": {"columns": NAMES[:2], "data": [[1.0, 2.0]]}}, "application/json"),
        ({"dataframe_split": {"columns": NAMES[:2], "data": []}}, "application/json"),
        ({"dataframe_records": []}, "application/json"),
        ({"instances": []}, "application/json"),
        ({"inputs": {}}, "application/json"),
        ({"inputs": 1}, "application/json"),
        ({"inputs": {"feature1": [1, 4], "feature2": [2, 5], "feature3": [3]}}, "application/json"),
        ({"inputs": {"feature1": [1, 4], "feature2": 2, "feature3": 3}}, "application/json"),
        (b"1,2,3", CSV),
        (b"feature1,feature2\n1,2\n", CSV),
    ],
)
def test_columns_that_do_not_fit_the_model_are_invalid(single: Application, body: Any, content: str) -> None:
    assert failed(invoke(single, body, content)) == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "no header"),
        (b"feature1,feature2,feature3\n1,2\n", "row 0 has 2 values"),
        (b"feature1,feature2,feature3\n1,2,3\n1,2,x\n", "row 1: column 'feature3': 'x' is not a number"),
        (b"feature1,feature2,feature3,feature1\n1,2,3,4\n", "differ"),
        (b'feature1,feature2,feature3\n1,2,"3\n', "not CSV"),
        (b"feature1,feature2,feature3\n1,2,\xff\n", "not CSV"),
    ],
)
def test_csv_that_cannot_be_read_is_a_bad_request(single: Application, text: bytes, reason: str) -> None:
    answer = invoke(single, text, CSV)
    assert failed(answer) == (400, "BAD_REQUEST") and reason in answer.json()["message"]


def test_a_table_without_rows_has_no_predictions(single: Application) -> None:
    assert invoke(single, {"dataframe_split": {"columns": NAMES, "data": []}}).json() == {"predictions": []}


@pytest.mark.parametrize(
    "content",
    ["text/plain", "application/json; format=pandas-split", "application/json; charset=latin1", "application/jsonl"],
)
def test_other_media_types_are_415(single: Application, content: str) -> None:
    answer = invoke(single, {"inputs": RECORDS}, content)
    assert (answer.status, answer.headers["content-type"]) == (415, "text/plain; charset=utf-8")
    assert invoke(single, {"inputs": RECORDS}, 'application/json; charset="UTF-8"').status == 200


def test_a_row_that_fails_is_named() -> None:
    rows = [{"y": y, "x": [1.0]} for y in ("yes", "maybe")]
    answer = invoke(app({"labelled": labelled("error")}), {"dataframe_records": rows})
    assert failed(answer) == (400, "BAD_REQUEST")
    assert all(part in answer.json()["message"] for part in ("'index'", "'y'", "row 1"))


def test_the_version_is_one_of_the_protocol(single: Application) -> None:
    answer = ask(single, "GET", "/version")
    assert answer.status == 200 and int(answer.body.split(b".")[0]) >= 2


# ---- golden corpus ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_golden_corpus_passes_through_the_protocol() -> None:
    compared, differing = 0, []
    application = app({})
    for case, model, records in golden_models():
        application.context.models.put(ServedModel("m", "1", model))
        floats = [f.name for f in model.schema.inputs if str(f.type).startswith(("float", "double"))]
        good, expected = [], []
        for row, record in enumerate(records[:FIRST_ROWS]):
            # A missing number of a data frame is NaN.
            if any(record[name] is None for name in floats):
                continue
            compared += 1
            try:
                found = model.predict_record(record)
            except LeapstreamError:
                if invoke(application, split([record])).status != 400:
                    differing.append(f"{case.name} row {row} does not fail")
                continue
            good.append(record)
            expected += [] if found is None else [{name: elements(value) for name, value in found.items()}]
        if good:
            answer = invoke(application, split(good))
            if not same_json(answer.json().get("predictions"), expected):
                differing.append(f"{case.name}: {answer.body[:300]!r}")
    assert (differing, compared > 1000) == ([], True)


def elements(value: Any) -> Any:
    return list(flat(value)) if isinstance(value, list) else value


def split(records: list[dict[str, Any]]) -> dict[str, Any]:
    return {"dataframe_split": {"columns": list(records[0]), "data": [list(record.values()) for record in records]}}
