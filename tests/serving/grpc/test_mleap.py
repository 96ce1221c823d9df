from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from leapstream import LeapFrame, Model, load
from leapstream.bundle.types import BasicType, Field, ScalarType, Schema
from leapstream.serving import Application, Settings, app
from leapstream.serving.mleap.layouts import layout_of
from leapstream.serving.mleap.messages import schema_message, schema_of
from leapstream.serving.proto import mleap_pb2 as pb
from leapstream.serving.registry import ModelRegistry, ServedModel
from tests.golden_corpus import GOLDEN, Case
from tests.serving.conftest import BENCH, FAILING, RECORD
from tests.serving.grpc.calling import SECONDS, Caller, calling, code_of
from tests.serving.mleap.frames import differing_cases, expected, failure_of

SERVICE = "/ml.combust.mleap.pb.Mleap"
BINARY = "ml.combust.mleap.binary"
NAMES = ("feature1", "feature2", "feature3")
SCHEMA = Schema(tuple(Field(name, ScalarType(BasicType.DOUBLE, True)) for name in NAMES))


@pytest.fixture(scope="module")
def linear() -> Model:
    return load(BENCH / "linear3.zip")


@pytest.fixture(scope="module")
def caller(application: Application) -> Iterator[Caller]:
    with calling(application) as caller:
        yield caller


@pytest.fixture
def loading() -> Iterator[Caller]:
    """A client of a server without models, which calls may load."""
    with calling(app({}, settings=Settings(allow_load=(f"file:{BENCH}",)))) as caller:
        yield caller


def frame(*records: dict[str, float | None]) -> LeapFrame:
    return LeapFrame(SCHEMA, [[record[name] for name in NAMES] for record in records])


def transform_request(given: LeapFrame, model: str = "linear", **more: Any) -> pb.TransformFrameRequest:
    return pb.TransformFrameRequest(model_name=model, format=BINARY, frame=given.to_bytes("binary"), **more)


def load_linear(caller: Caller, **more: Any) -> Any:
    message = pb.LoadModelRequest(model_name="lin", uri=f"file:{BENCH / 'linear3.zip'}", **more)
    message.config.memory_timeout.value = 900_000
    return caller.one(f"{SERVICE}/LoadModel", message, pb.Model)


# ---- models -----------------------------------------------------------------------------------------------------------------


def test_a_call_names_the_version_that_answered(linear: Model) -> None:
    models = ModelRegistry()
    models.put(ServedModel("linear", "v7", linear))
    with calling(app(models)) as caller:
        call = caller.channel.unary_unary(
            f"{SERVICE}/Transform", pb.TransformFrameRequest.SerializeToString, pb.TransformFrameResponse.FromString
        )
        for given in (frame(RECORD), frame({**RECORD, NAMES[0]: None})):
            _, answered = call.with_call(transform_request(given), timeout=SECONDS)
            assert dict(answered.trailing_metadata())["x-model-version"] == "v7"


def test_a_model_is_loaded_shown_and_unloaded(loading: Caller, linear: Model) -> None:
    model = load_linear(loading)
    assert (model.name, model.config.memory_timeout.value) == ("lin", 900_000)
    assert loading.one(f"{SERVICE}/GetModel", pb.GetModelRequest(model_name="lin"), pb.Model) == model
    found = loading.one(f"{SERVICE}/Transform", transform_request(frame(RECORD), "lin"), pb.TransformFrameResponse)
    assert LeapFrame.from_bytes(found.frame) == expected(linear, frame(RECORD))
    meta = loading.one(f"{SERVICE}/GetBundleMeta", pb.GetBundleMetaRequest(model_name="lin"), pb.BundleMeta)
    assert (meta.bundle.name, [f.name for f in meta.output_schema.fields]) == ("linear3", ["features", "prediction"])
    unload = pb.UnloadModelRequest(model_name="lin")
    assert loading.one(f"{SERVICE}/UnloadModel", unload, pb.Model) == model
    with pytest.raises(grpc.RpcError) as failed:
        loading.one(f"{SERVICE}/UnloadModel", unload, pb.Model)
    assert code_of(failed) is grpc.StatusCode.NOT_FOUND


def test_a_second_model_of_a_name_exists_already_unless_it_is_forced(loading: Caller) -> None:
    load_linear(loading)
    loading.one(f"{SERVICE}/GetBundleMeta", pb.GetBundleMetaRequest(model_name="lin"), pb.BundleMeta)
    with pytest.raises(grpc.RpcError) as failed:
        load_linear(loading)
    assert code_of(failed) is grpc.StatusCode.ALREADY_EXISTS
    assert load_linear(loading, force=True).name == "lin"


def test_models_are_loaded_only_where_that_is_allowed(caller: Caller) -> None:
    with pytest.raises(grpc.RpcError) as failed:
        load_linear(caller)
    assert code_of(failed) is grpc.StatusCode.PERMISSION_DENIED


def test_a_model_without_a_name_fails_a_precondition(loading: Caller) -> None:
    with pytest.raises(grpc.RpcError) as failed:
        loading.one(f"{SERVICE}/LoadModel", pb.LoadModelRequest(uri=f"file:{BENCH}"), pb.Model)
    assert code_of(failed) is grpc.StatusCode.FAILED_PRECONDITION


@pytest.mark.parametrize(
    ("method", "message", "answer"),
    [
        ("GetModel", pb.GetModelRequest(model_name="no"), pb.Model),
        ("GetBundleMeta", pb.GetBundleMetaRequest(model_name="no"), pb.BundleMeta),
        ("Transform", pb.TransformFrameRequest(model_name="no"), pb.TransformFrameResponse),
    ],
)
def test_an_unknown_model_is_not_found(caller: Caller, method: str, message: Any, answer: Any) -> None:
    with pytest.raises(grpc.RpcError) as failed:
        caller.one(f"{SERVICE}/{method}", message, answer)
    assert code_of(failed) is grpc.StatusCode.NOT_FOUND


# ---- frames -----------------------------------------------------------------------------------------------------------------


def test_selected_columns_are_answered(caller: Caller, linear: Model) -> None:
    options = pb.TransformOptions(select=["prediction", "no"], select_mode=pb.SELECT_MODE_RELAXED)
    given = transform_request(frame(RECORD), options=options, tag=7)
    found = caller.one(f"{SERVICE}/Transform", given, pb.TransformFrameResponse)
    assert LeapFrame.from_bytes(found.frame).rows == [[linear.predict(RECORD)["prediction"]]]
    assert found.tag == 7


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (transform_request(frame(FAILING)), "missing"),
        (transform_request(frame(RECORD), options=pb.TransformOptions(select=["no"])), "no column 'no'"),
        (pb.TransformFrameRequest(model_name="linear", format=BINARY, frame=b"?"), "frame"),
        (pb.TransformFrameRequest(model_name="linear", format="no"), "format"),
    ],
)
def test_a_transform_that_fails_says_why(caller: Caller, given: Any, reason: str) -> None:
    found = caller.one(f"{SERVICE}/Transform", given, pb.TransformFrameResponse)
    assert (found.status, found.frame) == (pb.STATUS_ERROR, b"")
    assert reason in found.error
    assert found.backtrace


def test_a_call_ends_at_its_deadline(caller: Caller) -> None:
    given = transform_request(frame(*[RECORD] * 50_000))
    with pytest.raises(grpc.RpcError) as failed:
        caller.one(f"{SERVICE}/Transform", given, pb.TransformFrameResponse, timeout=0.02)
    assert code_of(failed) is grpc.StatusCode.DEADLINE_EXCEEDED


# ---- streams ----------------------------------------------------------------------------------------------------------------


def test_streams_are_made_and_shown(loading: Caller) -> None:
    load_linear(loading)
    config = pb.StreamConfig()
    config.parallelism.value, config.transform_delay.value, config.buffer_size.value = 4, 20, 1024
    create = pb.CreateFrameStreamRequest(model_name="lin", stream_name="f", stream_config=config)
    made = loading.one(f"{SERVICE}/CreateFrameStream", create, pb.FrameStream)
    assert (made.model_name, made.stream_name, made.stream_config) == ("lin", "f", config)
    get = pb.GetFrameStreamRequest(model_name="lin", stream_name="f")
    assert loading.one(f"{SERVICE}/GetFrameStream", get, pb.FrameStream) == made
    rows = create_rows(loading, "lin", "r")
    assert [f.name for f in rows.output_schema.fields] == [*NAMES, "features", "prediction"]
    assert rows.spec.HasField("options")
    get_rows = pb.GetRowStreamRequest(model_name="lin", stream_name="r")
    assert loading.one(f"{SERVICE}/GetRowStream", get_rows, pb.RowStream) == rows
    with pytest.raises(grpc.RpcError) as failed:
        loading.one(f"{SERVICE}/CreateFrameStream", create, pb.FrameStream)
    assert code_of(failed) is grpc.StatusCode.ALREADY_EXISTS
    loading.one(f"{SERVICE}/UnloadModel", pb.UnloadModelRequest(model_name="lin"), pb.Model)
    with pytest.raises(grpc.RpcError) as failed:
        loading.one(f"{SERVICE}/GetFrameStream", get, pb.FrameStream)
    assert code_of(failed) is grpc.StatusCode.NOT_FOUND


def create_frames(caller: Caller, model: str, name: str, **config: Any) -> Any:
    message = pb.CreateFrameStreamRequest(model_name=model, stream_name=name)
    for part, value in config.items():
        getattr(message.stream_config, part).value = value
    return caller.one(f"{SERVICE}/CreateFrameStream", message, pb.FrameStream)


def create_rows(caller: Caller, model: str, name: str, **options: Any) -> Any:
    spec = pb.RowStreamSpec(schema=schema_message(SCHEMA), options=pb.TransformOptions(**options))
    message = pb.CreateRowStreamRequest(model_name=model, stream_name=name, spec=spec)
    return caller.one(f"{SERVICE}/CreateRowStream", message, pb.RowStream)


def test_frames_flow_through_a_stream(caller: Caller, linear: Model) -> None:
    create_frames(caller, "linear", "frames", parallelism=4)
    first = pb.TransformFrameRequest(model_name="linear", stream_name="frames", format=BINARY)
    first.flow_config.parallelism.value = 4
    given = [frame({**RECORD, "feature1": float(i)}) for i in range(50)]
    given[7] = frame(FAILING)
    messages = [first, *(pb.TransformFrameRequest(tag=i, frame=f.to_bytes("binary")) for i, f in enumerate(given))]
    found = list(caller.many(f"{SERVICE}/TransformFrameStream", messages, pb.TransformFrameResponse))
    assert [answer.tag for answer in found] == list(range(50))
    for i, (answer, one) in enumerate(zip(found, given, strict=True)):
        if i == 7:
            assert (answer.status, answer.frame) == (pb.STATUS_ERROR, b"")
            assert "missing" in answer.error
        else:
            assert LeapFrame.from_bytes(answer.frame) == expected(linear, one)


def test_options_hold_for_a_stream_or_for_one_frame(caller: Caller) -> None:
    create_frames(caller, "linear", "options")
    first = pb.TransformFrameRequest(
        model_name="linear", stream_name="options", format=BINARY, options=pb.TransformOptions(select=["prediction"])
    )
    data = frame(RECORD).to_bytes("binary")
    messages = [
        first,
        pb.TransformFrameRequest(frame=data),
        pb.TransformFrameRequest(frame=data, options=pb.TransformOptions(select=["feature1"])),
    ]
    found = list(caller.many(f"{SERVICE}/TransformFrameStream", messages, pb.TransformFrameResponse))
    assert [LeapFrame.from_bytes(answer.frame).schema.names for answer in found] == [("prediction",), ("feature1",)]


@pytest.mark.parametrize("format", ["json", "binary"])
def test_rows_flow_through_a_stream(caller: Caller, linear: Model, format: str) -> None:
    stream = create_rows(caller, "linear", f"rows-{format}", select=["prediction", "feature1"])
    given = layout_of(SCHEMA)
    result = layout_of(schema_of(stream.output_schema))
    write, read = (
        (given.json_of_row, result.row_of_json) if format == "json" else (given.bytes_of_row, result.row_of_bytes)
    )
    first = pb.TransformRowRequest(
        model_name="linear",
        stream_name=stream.stream_name,
        format=f"ml.combust.mleap.{format}",
        input_schema=schema_message(SCHEMA),
        output_schema=stream.output_schema,
    )
    records = [{**RECORD, "feature1": float(i)} for i in range(20)]
    rows = [write([record[name] for name in NAMES]) for record in (*records, FAILING)]
    messages = [first, *(pb.TransformRowRequest(tag=i, row=row) for i, row in enumerate(rows))]
    found = list(caller.many(f"{SERVICE}/TransformRowStream", messages, pb.TransformRowResponse))
    assert [answer.tag for answer in found] == list(range(21))
    expected = [[linear.predict(record)["prediction"], record["feature1"]] for record in records]  # type: ignore[index]
    assert [list(read(answer.row)) for answer in found[:20]] == expected
    assert (found[20].status, found[20].row) == (pb.STATUS_ERROR, b"")
    assert "feature1" in found[20].error


def test_rows_that_a_model_drops_are_empty() -> None:
    case = Case(GOLDEN / "feature/bucketizer-skip")
    given = case.input()
    with calling(app({"m": case.model()})) as caller:
        spec = pb.RowStreamSpec(schema=schema_message(given.schema))
        create = pb.CreateRowStreamRequest(model_name="m", stream_name="s", spec=spec)
        caller.one(f"{SERVICE}/CreateRowStream", create, pb.RowStream)
        first = pb.TransformRowRequest(model_name="m", stream_name="s", format=BINARY)
        rows = [layout_of(given.schema).bytes_of_row(row) for row in given.rows]
        messages = [first, *(pb.TransformRowRequest(row=row) for row in rows)]
        found = list(caller.many(f"{SERVICE}/TransformRowStream", messages, pb.TransformRowResponse))
    dropped = [i for i, answer in enumerate(found) if answer.status == pb.STATUS_OK and not answer.row]
    assert dropped == case.info["dropped_rows"]


@pytest.mark.parametrize(
    ("method", "first", "code"),
    [
        ("TransformFrameStream", {"stream_name": "no"}, grpc.StatusCode.NOT_FOUND),
        ("TransformFrameStream", {"model_name": "no", "stream_name": "no"}, grpc.StatusCode.NOT_FOUND),
        ("TransformFrameStream", {"stream_name": "failing", "format": "no"}, grpc.StatusCode.FAILED_PRECONDITION),
    ],
)
def test_a_stream_that_cannot_begin_fails(
    caller: Caller, method: str, first: dict[str, str], code: grpc.StatusCode
) -> None:
    if first["stream_name"] == "failing":
        create_frames(caller, "linear", "failing")
    message = pb.TransformFrameRequest(**{"model_name": "linear", "format": BINARY, **first})
    with pytest.raises(grpc.RpcError) as failed:
        list(caller.many(f"{SERVICE}/{method}", [message], pb.TransformFrameResponse))
    assert code_of(failed) is code


def test_rows_of_other_columns_fail_a_precondition(caller: Caller) -> None:
    create_rows(caller, "linear", "other")
    other = Schema((Field("other", ScalarType(BasicType.DOUBLE)),))
    first = pb.TransformRowRequest(
        model_name="linear", stream_name="other", format=BINARY, input_schema=schema_message(other)
    )
    with pytest.raises(grpc.RpcError) as failed:
        list(caller.many(f"{SERVICE}/TransformRowStream", [first], pb.TransformRowResponse))
    assert code_of(failed) is grpc.StatusCode.FAILED_PRECONDITION


def test_a_row_stream_that_selects_an_unknown_column_fails_a_precondition(caller: Caller) -> None:
    with pytest.raises(grpc.RpcError) as failed:
        create_rows(caller, "linear", "unknown", select=["no"])
    assert code_of(failed) is grpc.StatusCode.FAILED_PRECONDITION


def test_a_call_without_elements_exceeds_its_idle_timeout(caller: Caller) -> None:
    create_frames(caller, "linear", "idle")
    first = pb.TransformFrameRequest(model_name="linear", stream_name="idle", format=BINARY)
    first.flow_config.idle_timeout.value = 50
    over = threading.Event()

    def messages() -> Iterator[Any]:
        yield first
        over.wait(10)

    with pytest.raises(grpc.RpcError, match="No elements passed in the last 50 milliseconds") as failed:
        list(caller.many(f"{SERVICE}/TransformFrameStream", messages(), pb.TransformFrameResponse))
    over.set()
    assert code_of(failed) is grpc.StatusCode.DEADLINE_EXCEEDED


@pytest.mark.slow
def test_a_model_with_streams_is_not_idle() -> None:
    application = app({}, settings=Settings(allow_load=(f"file:{BENCH}",)))
    with calling(application) as caller:
        message = pb.LoadModelRequest(model_name="lin", uri=f"file:{BENCH / 'linear3.zip'}")
        message.config.memory_timeout.value = 500
        caller.one(f"{SERVICE}/LoadModel", message, pb.Model)
        create_frames(caller, "lin", "s")
        time.sleep(1)
        assert caller.one(f"{SERVICE}/GetModel", pb.GetModelRequest(model_name="lin"), pb.Model).name == "lin"


def test_a_server_that_ends_does_not_wait_for_further_elements() -> None:
    application = app({"linear": load(BENCH / "linear3.zip")})
    over = threading.Event()

    def messages() -> Iterator[Any]:
        yield pb.TransformFrameRequest(model_name="linear", stream_name="s", format=BINARY)
        yield pb.TransformFrameRequest(frame=frame(RECORD).to_bytes("binary"))
        over.wait(10)

    with calling(application) as caller:
        create_frames(caller, "linear", "s")
        answers = caller.many(f"{SERVICE}/TransformFrameStream", messages(), pb.TransformFrameResponse)
        assert next(answers).frame
        application.context.keeper.stop()
        with pytest.raises(grpc.RpcError, match="about to end") as failed:
            next(answers)
        over.set()
    assert code_of(failed) is grpc.StatusCode.UNAVAILABLE


@pytest.mark.slow
def test_the_golden_corpus_passes_through_the_protocol() -> None:
    application = app({})
    with calling(application) as caller:

        def asked(part: LeapFrame) -> LeapFrame:
            found = caller.one(f"{SERVICE}/Transform", transform_request(part, "m"), pb.TransformFrameResponse)
            if found.status == pb.STATUS_ERROR:
                raise failure_of(found.error, found.backtrace)
            return LeapFrame.from_bytes(found.frame)

        assert differing_cases(application, asked, 256) == []
