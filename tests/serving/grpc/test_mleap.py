from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from leapstream import LeapFrame, Model, load
from leapstream.bundle.types import BasicType, Field, ScalarType, Schema
from leapstream.serving import Application, Settings, app
from leapstream.serving.proto import mleap_pb2 as pb
from tests.serving.conftest import BENCH, FAILING, RECORD
from tests.serving.grpc.calling import Caller, calling, code_of

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


def test_a_model_is_loaded_shown_and_unloaded(loading: Caller, linear: Model) -> None:
    model = load_linear(loading)
    assert (model.name, model.config.memory_timeout.value) == ("lin", 900_000)
    assert loading.one(f"{SERVICE}/GetModel", pb.GetModelRequest(model_name="lin"), pb.Model) == model
    found = loading.one(f"{SERVICE}/Transform", transform_request(frame(RECORD), "lin"), pb.TransformFrameResponse)
    assert LeapFrame.from_bytes(found.frame) == linear.transform(frame(RECORD))
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
