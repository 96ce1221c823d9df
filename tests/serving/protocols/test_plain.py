from __future__ import annotations

import io
import json
import math

import pyarrow as pa
import pytest

from leapstream import LeapstreamError, Model, load
from leapstream.serving import Application, RequestLimits, Settings, app
from leapstream.serving.registry import ServedModel
from leapstream.serving.values import with_texts
from tests.serving.asgi import ask
from tests.serving.conftest import BENCH, FAILING, RECORD
from tests.serving.goldens import golden_models, same_json

PREDICT = "/v1/models/linear:predict"
JSON_LINES = {"content-type": "application/jsonl"}
ARROW = {"content-type": "application/vnd.apache.arrow.stream"}


@pytest.fixture(scope="module")
def linear() -> Model:
    return load(BENCH / "linear3.zip")


def test_a_record_is_answered_with_its_outputs(application: Application, linear: Model) -> None:
    answer = ask(application, "POST", PREDICT, RECORD)
    assert (answer.status, answer.json()) == (200, linear.predict(RECORD))


def test_a_list_is_answered_with_a_list(application: Application, linear: Model) -> None:
    records = [{**RECORD, "feature1": float(i)} for i in range(5)]
    assert ask(application, "POST", PREDICT, records).json() == linear.predict(records)


def test_a_long_list_is_answered_like_its_records(application: Application, linear: Model) -> None:
    records = [{**RECORD, "feature1": float(i)} for i in range(10_000)]
    assert ask(application, "POST", PREDICT, records).json() == [linear.predict(record) for record in records]


def test_a_record_that_fails_is_told_with_node_column_and_row(application: Application) -> None:
    answer = ask(application, "POST", PREDICT, [RECORD, FAILING])
    assert answer.status == 422
    error = answer.json()["error"]
    assert (error["kind"], error["node"], error["column"], error["row"]) == ("prediction", "assemble", "feature1", 1)


@pytest.mark.parametrize("rows", [3, 1000])
def test_rows_that_fail_may_have_errors_in_their_places(application: Application, rows: int) -> None:
    given = [RECORD] * rows
    given[rows - 2] = FAILING
    found = ask(application, "POST", f"{PREDICT}?on_error=row", given).json()
    assert [row for row, answer in enumerate(found) if "error" in answer] == [rows - 2]
    assert found[rows - 2]["error"]["row"] == rows - 2


def test_rows_that_fail_may_be_null(application: Application) -> None:
    assert ask(application, "POST", f"{PREDICT}?on_error=null", [FAILING]).json() == [{"prediction": None}]


def test_outputs_choose_the_columns(application: Application) -> None:
    answer = ask(application, "POST", f"{PREDICT}?outputs=features", RECORD)
    assert answer.json() == {"features": [1.0, 2.0, 3.0]}


def test_an_unknown_output_is_refused(application: Application) -> None:
    answer = ask(application, "POST", f"{PREDICT}?outputs=nothing", RECORD)
    assert answer.status == 400 and "nothing" in answer.json()["error"]["message"]


@pytest.mark.parametrize("query", ["on_error=maybe", "output=a", "outputs", "outputs=", "outputs=,"])
def test_an_unknown_option_is_refused(application: Application, query: str) -> None:
    assert ask(application, "POST", f"{PREDICT}?{query}", RECORD).status == 400


@pytest.mark.parametrize("body", [b"", b"{", b"1", b'"text"', b"null", b"[1]", b"[[]]", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_record_is_refused(application: Application, body: bytes) -> None:
    answer = ask(application, "POST", PREDICT, body)
    assert answer.status == 400 and answer.json()["error"]["kind"] == "request"


def test_a_missing_column_is_named(application: Application) -> None:
    answer = ask(application, "POST", PREDICT, {"feature1": 1.0})
    assert answer.status == 400 and "feature2" in answer.json()["error"]["message"]


def test_numbers_that_json_lacks_are_texts(application: Application) -> None:
    body = b'{"feature1": Infinity, "feature2": 2.0, "feature3": 3.0}'
    found = ask(application, "POST", f"{PREDICT}?outputs=features", body).json()
    assert found == {"features": ["Infinity", 2.0, 3.0]}


def test_an_unknown_model_is_404(application: Application) -> None:
    answer = ask(application, "POST", "/v1/models/nobody:predict", RECORD)
    assert answer.status == 404 and "linear" in answer.json()["error"]["message"]


def test_an_unknown_media_type_is_415(application: Application) -> None:
    assert ask(application, "POST", PREDICT, b"x", {"content-type": "text/xml"}).status == 415


def test_models_are_listed_with_their_columns(application: Application) -> None:
    listed = ask(application, "GET", "/v1/models").json()["models"]
    assert [model["name"] for model in listed] == ["linear", "forest"]
    assert listed[0]["inputs"] == dict.fromkeys(RECORD, "double not null")
    assert ask(application, "GET", "/v1/models/linear").json() == {**listed[0], "versions": ["1"]}


def test_json_lines_are_answered_line_by_line(application: Application, linear: Model) -> None:
    records = [{**RECORD, "feature1": float(i)} for i in range(3000)]
    text = "\n".join(map(json.dumps, records)).encode()
    # Parts end anywhere.
    parts = [text[start : start + 777] for start in range(0, len(text), 777)]
    answer = ask(application, "POST", PREDICT, parts, JSON_LINES)
    assert [json.loads(line) for line in answer.body.splitlines()] == [linear.predict(record) for record in records]


def test_json_lines_end_with_the_error_of_a_line(application: Application) -> None:
    text = "\n".join([json.dumps(RECORD), "", "{"]).encode()
    answer = ask(application, "POST", PREDICT, text, JSON_LINES)
    assert "line 2" in json.loads(answer.body.splitlines()[-1])["error"]["message"]


def test_json_lines_may_have_rows_that_fail(application: Application) -> None:
    text = "\n".join(map(json.dumps, [RECORD, FAILING, RECORD])).encode()
    found = [
        json.loads(line)
        for line in ask(application, "POST", f"{PREDICT}?on_error=row", text, JSON_LINES).body.splitlines()
    ]
    assert ["error" in line for line in found] == [False, True, False]
    assert found[1]["error"]["row"] == 1


def _stream(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def test_an_arrow_stream_is_answered_by_one(application: Application, linear: Model) -> None:
    table = pa.table({name: [float(i) for i in range(2000)] for name in RECORD})
    answer = ask(application, "POST", PREDICT, _stream(table), ARROW)
    assert answer.headers["content-type"] == ARROW["content-type"]
    assert pa.ipc.open_stream(answer.body).read_all() == linear.predict(table)


def test_an_arrow_stream_may_have_rows_that_fail(application: Application) -> None:
    table = pa.table({"feature1": [1.0, None], "feature2": [2.0, 2.0], "feature3": [3.0, 3.0]})
    found = pa.ipc.open_stream(
        ask(application, "POST", f"{PREDICT}?on_error=row", _stream(table), ARROW).body
    ).read_all()
    assert found["prediction"].to_pylist()[1] is None
    assert found["error"].to_pylist()[0] is None and "row 1" in found["error"].to_pylist()[1]
    assert ask(application, "POST", PREDICT, _stream(table), ARROW).status == 422


def test_a_damaged_arrow_stream_is_refused(application: Application) -> None:
    table = pa.table({name: [1.0] for name in RECORD})
    assert ask(application, "POST", PREDICT, _stream(table)[:-40], ARROW).status == 422


def test_more_rows_than_allowed_are_413(linear: Model) -> None:
    application = app({"linear": linear}, settings=Settings(limits=RequestLimits(max_rows=2)))
    assert ask(application, "POST", PREDICT, [RECORD] * 2).status == 200
    assert ask(application, "POST", PREDICT, [RECORD] * 3).status == 413
    table = pa.table({name: [1.0] * 3 for name in RECORD})
    assert ask(application, "POST", PREDICT, _stream(table), ARROW).status == 413


def test_no_number_is_lost(application: Application, linear: Model) -> None:
    record = {"feature1": 0.1 + 0.2, "feature2": 1e-300, "feature3": -0.0}
    found = ask(application, "POST", PREDICT, record).json()["prediction"]
    expected = linear.predict(record)["prediction"]  # type: ignore[index]
    assert (found, math.copysign(1.0, found)) == (expected, math.copysign(1.0, expected))


@pytest.mark.slow
def test_the_golden_corpus_passes_through_the_protocol() -> None:
    compared, differing = 0, []
    application = app({})
    for case, model, records in golden_models():
        if case.name == "frame/tensor-one-nullable-for-scalar":
            continue  # In a list of records, lists and nulls are a column of lists, which no scalar takes.
        application.context.models.put(ServedModel("m", "1", model))
        path = "/v1/models/m:predict?on_error=row"
        found = ask(application, "POST", path, records).json()
        # What is wrong with all rows is the answer to the request.
        found = [found] * len(records) if isinstance(found, dict) else found
        for row, record in enumerate(records):
            compared += 1
            one = ask(application, "POST", path, record).json()
            try:
                expected = with_texts(model.predict_record(record))
            except LeapstreamError as error:
                # Within a list the message ends with the row.
                told = str(error).removesuffix(")")
                if not all(told in (answer or {}).get("error", {}).get("message", "") for answer in (one, found[row])):
                    differing.append(f"{case.name} row {row}: {one}, {found[row]}; {error}")
                continue
            if not (same_json(one, expected) and same_json(found[row], expected)):
                differing.append(f"{case.name} row {row}: {one}, {found[row]}; {expected}")
    assert (differing, compared > 5000) == ([], True)
