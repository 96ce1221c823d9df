from __future__ import annotations

import grpc
import pytest

from leapstream import load
from leapstream.serving import Application, RequestLimits, Settings, app
from leapstream.serving.proto import mleap_pb2 as pb
from tests.serving.asgi import ask
from tests.serving.conftest import BENCH
from tests.serving.grpc.calling import calling, code_of
from tests.serving.running import serving

GET = "/ml.combust.mleap.pb.Mleap/GetModel"
LINEAR = pb.GetModelRequest(model_name="linear")


def test_calls_need_the_token() -> None:
    application = app({"linear": load(BENCH / "linear3.zip")}, settings=Settings(token="secret"))
    with calling(application) as caller:
        with pytest.raises(grpc.RpcError) as failed:
            caller.one(GET, LINEAR, pb.Model)
        assert code_of(failed) is grpc.StatusCode.UNAUTHENTICATED
        metadata = [("authorization", "Bearer secret")]
        assert caller.one(GET, LINEAR, pb.Model, metadata=metadata).name == "linear"


def test_a_message_over_the_limit_of_bodies_fails() -> None:
    application = app({}, settings=Settings(limits=RequestLimits(max_body=1000)))
    with calling(application) as caller, pytest.raises(grpc.RpcError) as failed:
        caller.one(GET, pb.GetModelRequest(model_name="x" * 2000), pb.Model)
    assert code_of(failed) is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_method_that_is_not_there_is_unimplemented(application: Application) -> None:
    with calling(application) as caller, pytest.raises(grpc.RpcError) as failed:
        caller.one("/ml.combust.mleap.pb.Mleap/No", LINEAR, pb.Model)
    assert code_of(failed) is grpc.StatusCode.UNIMPLEMENTED


def test_calls_and_their_failures_are_counted() -> None:
    application = app({"linear": load(BENCH / "linear3.zip")})
    with calling(application) as caller:
        caller.one(GET, LINEAR, pb.Model)
        with pytest.raises(grpc.RpcError):
            caller.one(GET, pb.GetModelRequest(model_name="no"), pb.Model)
    text = ask(application, "GET", "/metrics").body.decode()
    assert 'leapstream_requests_total{model="",protocol="mleap-grpc"} 2.0' in text
    assert 'leapstream_request_failures_total{kind="unknown_model",model="",protocol="mleap-grpc"} 1.0' in text


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_command_answers_on_the_port_for_grpc(workers: str) -> None:
    with serving(f"linear={BENCH / 'linear3.zip'}", "--grpc-port", "0", "--workers", workers) as server:
        address = server.find(r"listening for gRPC address=(\S+)")
        with grpc.insecure_channel(address) as channel:
            call = channel.unary_unary(GET, pb.GetModelRequest.SerializeToString, pb.Model.FromString)
            assert {call(LINEAR, timeout=30).name for _ in range(20)} == {"linear"}
        assert server.end() == 0


@pytest.mark.parametrize(("given", "is_kept"), [("ours/1", True), (None, False), ("not one", False)])
def test_calls_answer_with_their_id(application: Application, given: str | None, is_kept: bool) -> None:
    metadata = [] if given is None else [("x-request-id", given)]
    with calling(application) as caller:
        call = caller.channel.unary_unary(GET, pb.GetModelRequest.SerializeToString, pb.Model.FromString)
        _, answered = call.with_call(LINEAR, metadata=metadata)
        with pytest.raises(grpc.RpcError) as failed:
            call(pb.GetModelRequest(model_name="no"), metadata=metadata)
    for trailing in (answered.trailing_metadata(), failed.value.trailing_metadata()):
        found = dict(trailing)["x-request-id"]
        assert (found == given) is is_kept and " " not in found
