from __future__ import annotations

import base64
import json
import re
import time
from typing import Any

import pytest

from leapstream import LeapFrame, Model, load
from leapstream.bundle.types import BasicType, Field, ScalarType, Schema
from leapstream.serving import Application, RequestLimits, Settings, app
from leapstream.serving.proto import mleap_pb2 as pb
from tests.serving.asgi import Answer, ask
from tests.serving.conftest import BENCH, FAILING, RECORD
from tests.serving.mleap.frames import differing_cases, expected, failure_of

JSON = {"content-type": "application/json"}
PROTOBUF = {"content-type": "application/x-protobuf"}
FORMATS = {"json": "ml.combust.mleap.json", "binary": "ml.combust.mleap.binary"}
LINEAR = f"file:{BENCH / 'linear3.zip'}"
SECONDS = 20


@pytest.fixture(scope="module")
def linear() -> Model:
    return load(BENCH / "linear3.zip")


@pytest.fixture
def loading() -> Application:
    """An application without models, which requests may load from the folder of the benchmarks' models."""
    return app({}, settings=Settings(allow_load=(f"file:{BENCH}",)))


def frame(
    *records: dict[str, float | None], names: tuple[str, ...] = ("feature1", "feature2", "feature3")
) -> LeapFrame:
    fields = [Field(name, ScalarType(BasicType.DOUBLE, True)) for name in names]
    return LeapFrame(Schema(tuple(fields)), [[record[name] for name in names] for record in records])


def request(given: LeapFrame | bytes, model: str = "linear", format: Any = "json", **more: Any) -> dict[str, Any]:
    data = given if isinstance(given, bytes) else given.to_bytes(format)
    return {"modelName": model, "format": FORMATS[format], "frame": base64.b64encode(data).decode(), **more}


def transformed(answer: Answer) -> LeapFrame:
    found = answer.json()
    assert found["status"] == "STATUS_OK", found
    return LeapFrame.from_bytes(base64.b64decode(found["frame"]))


def load_linear(application: Application, name: str = "lin", **more: Any) -> Answer:
    return ask(application, "POST", "/models", {"modelName": name, "uri": LINEAR, **more})


def wait_until(application: Application, path: str, status: int) -> Answer:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        answer = ask(application, "GET", path)
        if answer.status == status:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"{path} is not answered with {status}")


# ---- models -----------------------------------------------------------------------------------------------------------------


def test_a_model_is_loaded_shown_and_unloaded(loading: Application) -> None:
    model = {"name": "lin", "uri": LINEAR, "config": {"memoryTimeout": 900000, "diskTimeout": 60000}}
    answer = load_linear(loading, config={"memoryTimeout": 900000, "diskTimeout": "60000"}, force=False)
    assert (answer.status, answer.json()) == (202, model)
    assert ask(loading, "GET", "/models/lin").json() == model
    assert ask(loading, "POST", "/models/transform", request(frame(RECORD), "lin")).json()["status"] == "STATUS_OK"
    answer = ask(loading, "DELETE", "/models/lin")
    assert (answer.status, answer.json()) == (200, model)
    assert ask(loading, "GET", "/models/lin").status == 404
    assert ask(loading, "DELETE", "/models/lin").status == 404


def test_protobuf_is_answered_with_protobuf(loading: Application) -> None:
    body = pb.LoadModelRequest(model_name="lin", uri=LINEAR)
    body.config.memory_timeout.value = 1000_000
    answer = ask(loading, "POST", "/models", body.SerializeToString(), PROTOBUF)
    assert (answer.status, answer.headers["content-type"]) == (202, "application/x-protobuf;charset=UTF-8")
    model = pb.Model.FromString(answer.body)
    assert (model.name, model.uri, model.config.memory_timeout.value) == ("lin", LINEAR, 1000_000)
    assert not model.config.HasField("disk_timeout")
    meta = ask(loading, "GET", "/models/lin/meta", headers=PROTOBUF)
    assert pb.BundleMeta.FromString(meta.body).bundle.name == "linear3"
    answer = ask(loading, "DELETE", "/models/lin", headers={**JSON, "accept": "application/x-protobuf"})
    assert pb.Model.FromString(answer.body) == model


def test_the_bundle_and_the_columns_of_a_model_are_shown(application: Application, linear: Model) -> None:
    meta = ask(application, "GET", "/models/linear/meta").json()
    assert meta["bundle"]["uid"] == linear.definition.uid
    assert (meta["bundle"]["name"], meta["bundle"]["format"]) == ("linear3", "JSON")
    double = {"base": "DOUBLE", "shape": {"base": "SCALAR", "isNullable": False}}
    assert meta["inputSchema"] == {
        "fields": [{"name": name, "dataType": double} for name in ("feature1", "feature2", "feature3")]
    }
    vector = {
        "base": "TENSOR",
        "isNullable": True,
        "tensorShape": {"dimensions": [{"size": 3, "name": ""}]},
    }
    assert meta["outputSchema"]["fields"] == [
        {"name": "features", "dataType": {"base": "DOUBLE", "shape": vector}},
        {"name": "prediction", "dataType": double},
    ]


@pytest.mark.parametrize("body", [b"", b"{invalid json}", b'{"unknown": 1}', b"[]"])
def test_a_body_that_is_no_message_is_answered_with_400(loading: Application, body: bytes) -> None:
    for path in ("/models", "/models/transform"):
        answer = ask(loading, "POST", path, body)
        assert (answer.status, answer.body) == (400, b"")


def test_bytes_that_are_no_message_are_answered_with_400(loading: Application) -> None:
    assert ask(loading, "POST", "/models", b"\xff\xff", PROTOBUF).status == 400


def test_a_model_without_a_name_is_answered_with_400(loading: Application) -> None:
    answer = load_linear(loading, "")
    assert (answer.status, answer.body) == (400, b"")


def test_a_second_model_of_a_name_is_answered_with_400_unless_it_is_forced(loading: Application) -> None:
    assert load_linear(loading).status == 202
    assert load_linear(loading).status == 400
    wait_until(loading, "/models/lin/meta", 200)
    assert load_linear(loading).status == 400
    assert load_linear(loading, force=True).status == 202


def test_a_model_that_cannot_be_loaded_is_accepted_and_unknown_later(loading: Application) -> None:
    answer = ask(loading, "POST", "/models", {"modelName": "no", "uri": f"file:{BENCH}/no.zip"})
    assert answer.status == 202
    answer = ask(loading, "POST", "/models/transform", request(frame(RECORD), "no"))
    assert answer.json()["status"] == "STATUS_ERROR"
    assert "no.zip: no such file" in answer.json()["error"]
    assert wait_until(loading, "/models/no", 404).body == b""


def test_models_are_loaded_and_unloaded_only_where_that_is_allowed(
    application: Application, loading: Application
) -> None:
    assert load_linear(application).status == 403
    assert ask(application, "DELETE", "/models/linear").status == 403
    assert ask(loading, "POST", "/models", {"modelName": "x", "uri": "file:/etc/passwd"}).status == 403
    assert ask(loading, "POST", "/models", {"modelName": "x", "uri": ""}).status == 403


@pytest.mark.slow
def test_an_idle_model_is_unloaded_after_its_memory_timeout(loading: Application) -> None:
    load_linear(loading, config={"memoryTimeout": 300})
    wait_until(loading, "/models/lin/meta", 200)
    # The look itself is a request for the model, so there has to be a pause.
    time.sleep(1)
    assert ask(loading, "GET", "/models/lin").status == 404


@pytest.mark.slow
def test_a_model_with_requests_stays_after_its_memory_timeout(loading: Application) -> None:
    load_linear(loading, config={"memoryTimeout": 600})
    for _ in range(8):
        time.sleep(0.12)
        assert ask(loading, "POST", "/models/lin/transform", frame(RECORD).to_bytes()).status == 200


def test_unknown_models_are_answered_with_404_and_an_empty_body(application: Application) -> None:
    for method, path in (("GET", "/models/no"), ("GET", "/models/no/meta")):
        answer = ask(application, method, path)
        assert (answer.status, answer.body) == (404, b"")


def test_other_media_types_are_answered_with_415(application: Application) -> None:
    answer = ask(application, "POST", "/models/linear/transform", b"{}", {"content-type": "text/csv"})
    assert (answer.status, answer.body) == (415, b"")


# ---- transforms -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("rows", [1, 1000])
def test_a_frame_is_answered_with_all_columns(application: Application, linear: Model, format: Any, rows: int) -> None:
    given = frame(*({**RECORD, "feature1": float(i)} for i in range(rows)))
    answer = ask(application, "POST", "/models/transform", request(given, format=format, tag=7, initTimeout="35000"))
    assert transformed(answer) == expected(linear, given)
    assert answer.json()["tag"] == 7


@pytest.mark.parametrize("format", FORMATS)
def test_a_message_with_a_frame_is_answered_with_one(application: Application, linear: Model, format: Any) -> None:
    given = frame(RECORD)
    body = pb.TransformFrameRequest(
        model_name="linear", format=FORMATS[format], tag=2**64 - 1, frame=given.to_bytes(format)
    )
    answer = ask(application, "POST", "/models/transform", body.SerializeToString(), PROTOBUF)
    found = pb.TransformFrameResponse.FromString(answer.body)
    assert (found.status, found.tag, found.error) == (pb.STATUS_OK, 2**64 - 1, "")
    assert LeapFrame.from_bytes(found.frame) == expected(linear, given)


def test_the_json_of_an_answer_has_all_fields(application: Application) -> None:
    answer = ask(application, "POST", "/models/transform", request(frame(RECORD)))
    found = answer.json()
    assert list(found) == ["tag", "format", "frame", "status", "error", "backtrace"]
    assert (found["tag"], found["format"], found["error"], found["backtrace"]) == (0, "", "", "")


def test_a_frame_alone_is_answered_with_a_frame(application: Application, linear: Model) -> None:
    given = frame(RECORD)
    as_json = ask(application, "POST", "/models/linear/transform", given.to_bytes("json"))
    as_bytes = ask(application, "POST", "/models/linear/transform", given.to_bytes("binary"), PROTOBUF)
    assert json.loads(as_json.body)["rows"][0][-1] == linear.predict(RECORD)["prediction"]
    assert LeapFrame.from_bytes(as_json.body) == LeapFrame.from_bytes(as_bytes.body) == expected(linear, given)


def test_unusual_json_of_a_request_is_read(application: Application, linear: Model) -> None:
    given = request(frame(RECORD), tag="7", options={"select": ["prediction"], "selectMode": 1})
    given["model_name"] = given.pop("modelName")
    answer = ask(application, "POST", "/models/transform", given)
    assert transformed(answer).rows == [[linear.predict(RECORD)["prediction"]]]
    assert answer.json()["tag"] == 7


@pytest.mark.parametrize("rows", [1, 1000])
def test_selected_columns_are_answered_in_their_order(application: Application, linear: Model, rows: int) -> None:
    given = frame(*[RECORD] * rows)
    select = ["prediction", "feature2"]
    answer = ask(application, "POST", "/models/transform", request(given, options={"select": select}))
    found = transformed(answer)
    assert found.schema.names == tuple(select)
    assert found.rows == [[linear.predict(RECORD)["prediction"], 2.0]] * rows


def test_an_unknown_column_is_an_error_unless_the_selection_is_relaxed(application: Application) -> None:
    given = request(frame(RECORD), options={"select": ["prediction", "no"], "selectMode": "SELECT_MODE_STRICT"})
    found = ask(application, "POST", "/models/transform", given).json()
    assert found["status"] == "STATUS_ERROR"
    assert "'no'" in found["error"]
    given["options"]["selectMode"] = "SELECT_MODE_RELAXED"
    assert transformed(ask(application, "POST", "/models/transform", given)).schema.names == ("prediction",)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (request(frame(RECORD), "no"), "no model 'no'"),
        (request(frame(RECORD, names=("feature1", "feature2"))), "feature3"),
        (request(b"Eye->ver=eb"), "frame"),
        (request(b"Eye->ver=eb", format="binary"), "frame"),
        ({**request(frame(RECORD)), "format": "no"}, "format is 'no'"),
        (request(frame(RECORD, FAILING)), "missing"),
    ],
)
def test_a_transform_that_fails_is_answered_with_200_and_says_why(
    application: Application, given: dict[str, Any], reason: str
) -> None:
    answer = ask(application, "POST", "/models/transform", {**given, "tag": 5})
    found = answer.json()
    assert (answer.status, found["status"], found["tag"], found["frame"]) == (200, "STATUS_ERROR", 5, "")
    assert reason in found["error"]
    assert found["backtrace"]


def test_a_backtrace_names_node_column_and_row(application: Application) -> None:
    found = ask(application, "POST", "/models/transform", request(frame(RECORD, FAILING))).json()
    assert re.findall(r"\tat (node|column|row) (\S+)", found["backtrace"]) == [
        ("node", "assemble"),
        ("column", "feature1"),
        ("row", "1"),
    ]


def test_a_frame_alone_that_fails_is_answered_with_200_and_an_error(application: Application) -> None:
    as_json = ask(application, "POST", "/models/no/transform", frame(RECORD).to_bytes())
    assert as_json.status == 200
    assert list(as_json.json()) == ["status", "error", "backtrace"]
    as_bytes = ask(application, "POST", "/models/no/transform", frame(RECORD).to_bytes("binary"), PROTOBUF)
    found = pb.ErrorTransformResponse.FromString(as_bytes.body)
    assert (found.status, found.error) == (pb.STATUS_ERROR, as_json.json()["error"])


def test_a_transform_ends_after_the_milliseconds_of_the_header(application: Application) -> None:
    given = frame(*[RECORD] * 20_000).to_bytes()
    found = ask(application, "POST", "/models/linear/transform", given, {**JSON, "timeout": "1"}).json()
    assert "time" in found["error"]


def test_a_timeout_may_be_longer_than_any_float(application: Application) -> None:
    assert ask(application, "GET", "/models/linear", headers={**JSON, "timeout": "9" * 400}).status == 200


@pytest.mark.parametrize("timeout", ["soon", "-1"])
def test_a_timeout_that_is_no_time_is_answered_with_400(application: Application, timeout: str) -> None:
    assert ask(application, "GET", "/models/linear", headers={**JSON, "timeout": timeout}).status == 400


def test_the_limits_of_requests_hold(linear: Model) -> None:
    small = app({"linear": linear}, settings=Settings(limits=RequestLimits(max_rows=2), token="secret"))
    assert ask(small, "GET", "/models/linear").status == 401
    found = ask(
        small,
        "POST",
        "/models/linear/transform",
        frame(RECORD, RECORD, RECORD).to_bytes(),
        {**JSON, "authorization": "Bearer secret"},
    ).json()
    assert "3 rows" in found["error"]


def test_the_actuator_tells_health_and_info(linear: Model) -> None:
    application = app({"linear": linear})
    assert ask(application, "GET", "/actuator/health").json() == {"status": "OUT_OF_SERVICE"}
    application.context.keeper.start()
    answer = ask(application, "GET", "/actuator/health")
    assert (answer.status, answer.json()) == (200, {"status": "UP"})
    assert ask(application, "GET", "/actuator/info").json() == {}
    assert set(ask(application, "GET", "/actuator").json()["_links"]) == {"self", "health", "info"}


# ---- golden corpus ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("format", "rows"), [("json", 1), ("binary", 256)])
def test_the_golden_corpus_passes_through_the_protocol(format: Any, rows: int) -> None:
    application = app({})

    def asked(part: LeapFrame) -> LeapFrame:
        headers = JSON if format == "json" else PROTOBUF
        answer = ask(application, "POST", "/models/m/transform", part.to_bytes(format), headers)
        if format == "binary" and answer.body[:1] == b"\x08":
            error = pb.ErrorTransformResponse.FromString(answer.body)
            raise failure_of(error.error, error.backtrace)
        if format == "json" and "status" in (found := answer.json()):
            raise failure_of(found["error"], found["backtrace"])
        return LeapFrame.from_bytes(answer.body)

    # JSON has no infinities: they are null, as in MLeap.
    assert differing_cases(application, asked, rows, infinities=format == "binary") == []
