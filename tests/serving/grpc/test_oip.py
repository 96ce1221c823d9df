from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import grpc
import numpy as np
import pytest

from leapstream.serving import Application, Settings, app
from leapstream.serving.oip.datatypes import read_elements, write_elements
from leapstream.serving.oip.tensors import Result
from leapstream.serving.proto import oip_pb2 as pb
from tests.serving.conftest import BENCH, RECORD
from tests.serving.grpc.calling import Caller, calling, code_of
from tests.serving.oip.golden import FailedError, Output, problems

SERVICE = "/inference.GRPCInferenceService"
EXPECTED = -0.625


@pytest.fixture(scope="module")
def caller(application: Application) -> Iterator[Caller]:
    application.context.keeper.start()
    with calling(application) as caller:
        yield caller


def inputs(*records: Mapping[str, Any], datatype: str = "FP64", field: str = "fp64_contents") -> list[Any]:
    """The records as tensors with typed contents."""
    return [
        pb.ModelInferRequest.InferInputTensor(
            name=name,
            datatype=datatype,
            shape=[len(records)],
            contents=pb.InferTensorContents(**{field: [record[name] for record in records]}),
        )
        for name in RECORD
    ]


def raw(*records: Mapping[str, Any]) -> pb.ModelInferRequest:
    """A request for the records with raw contents."""
    message = pb.ModelInferRequest(model_name="linear", inputs=inputs(*records))
    for tensor in message.inputs:
        message.raw_input_contents.append(np.array(tensor.contents.fp64_contents).tobytes())
        tensor.ClearField("contents")
    return message


def infer(caller: Caller, message: Any) -> Any:
    return caller.one(f"{SERVICE}/ModelInfer", message, pb.ModelInferResponse)


def test_the_server_and_its_models_are_described(caller: Caller) -> None:
    assert caller.one(f"{SERVICE}/ServerLive", pb.ServerLiveRequest(), pb.ServerLiveResponse).live
    assert caller.one(f"{SERVICE}/ServerReady", pb.ServerReadyRequest(), pb.ServerReadyResponse).ready
    server = caller.one(f"{SERVICE}/ServerMetadata", pb.ServerMetadataRequest(), pb.ServerMetadataResponse)
    assert server.name == "leapstream" and "model_repository" in server.extensions
    model = caller.one(f"{SERVICE}/ModelMetadata", pb.ModelMetadataRequest(name="FOREST"), pb.ModelMetadataResponse)
    (features,) = model.inputs
    assert (model.name, model.versions, model.platform) == ("forest", ["1"], "mleap_bundle")
    assert (features.name, features.datatype, features.shape) == ("features", "FP64", [-1, 3])


@pytest.mark.parametrize(
    ("name", "version", "is_ready"), [("linear", "", True), ("linear", "2", False), ("no", "", False)]
)
def test_a_model_is_ready_if_it_is_served(caller: Caller, name: str, version: str, is_ready: bool) -> None:
    message = pb.ModelReadyRequest(name=name, version=version)
    assert caller.one(f"{SERVICE}/ModelReady", message, pb.ModelReadyResponse).ready is is_ready


@pytest.mark.parametrize("rows", [1, 3, 300])
def test_typed_contents_are_answered_by_typed_contents(caller: Caller, rows: int) -> None:
    message = pb.ModelInferRequest(model_name="linear", id="7", inputs=inputs(*[RECORD] * rows))
    answer = infer(caller, message)
    (output,) = answer.outputs
    assert (answer.id, answer.model_name, answer.model_version) == ("7", "linear", "1")
    assert (output.name, output.datatype, output.shape) == ("prediction", "FP64", [rows])
    assert output.contents.fp64_contents == [EXPECTED] * rows and not answer.raw_output_contents


@pytest.mark.parametrize("rows", [1, 3, 300])
def test_raw_contents_are_answered_by_raw_contents(caller: Caller, rows: int) -> None:
    answer = infer(caller, raw(*[RECORD] * rows))
    assert np.frombuffer(answer.raw_output_contents[0]).tolist() == [EXPECTED] * rows
    assert not answer.outputs[0].HasField("contents")


@pytest.mark.parametrize(
    ("datatype", "field"),
    [
        ("INT8", "int_contents"),
        ("INT32", "int_contents"),
        ("INT64", "int64_contents"),
        ("UINT16", "uint_contents"),
        ("UINT64", "uint64_contents"),
        ("FP32", "fp32_contents"),
    ],
)
def test_other_numbers_become_those_of_the_model(caller: Caller, datatype: str, field: str) -> None:
    record = {name: int(value or 0) for name, value in RECORD.items()}
    message = pb.ModelInferRequest(model_name="linear", inputs=inputs(record, datatype=datatype, field=field))
    assert infer(caller, message).outputs[0].contents.fp64_contents == [EXPECTED]


def test_outputs_are_those_that_are_asked_for(caller: Caller) -> None:
    message = pb.ModelInferRequest(model_name="linear", inputs=inputs(RECORD), outputs=[{"name": "features"}])
    (output,) = infer(caller, message).outputs
    assert (output.shape, output.contents.fp64_contents) == ([1, 3], [1.0, 2.0, 3.0])


def test_missing_values_fail_unless_they_are_to_be_filled(caller: Caller) -> None:
    message = raw(RECORD, RECORD)
    message.inputs[0].parameters["missing_rows"].string_param = "1"
    message.parameters["on_error"].string_param = "null"
    with pytest.raises(grpc.RpcError, match="on_missing=fill") as failed:
        infer(caller, message)
    assert code_of(failed) is grpc.StatusCode.INVALID_ARGUMENT
    message.parameters["on_missing"].string_param = "fill"
    answer = infer(caller, message)
    assert answer.outputs[0].parameters["missing_rows"].string_param == "1"
    assert str(np.frombuffer(answer.raw_output_contents[0]).tolist()) == f"[{EXPECTED}, nan]"


def _without_contents(message: Any) -> None:
    message.inputs[0].ClearField("contents")


def _of_half_precision(message: Any) -> None:
    message.inputs[0].datatype = "FP16"


def _with_raw_contents(message: Any) -> None:
    message.raw_input_contents.extend([b"\0" * 8] * 3)


def _with_one_raw_content(message: Any) -> None:
    message.raw_input_contents.append(b"\0" * 8)


def _of_nobody(message: Any) -> None:
    message.model_name = "nobody"


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        (_without_contents, grpc.StatusCode.INVALID_ARGUMENT, "0 elements"),
        (_of_half_precision, grpc.StatusCode.INVALID_ARGUMENT, "cannot have contents that are not raw"),
        (_with_raw_contents, grpc.StatusCode.INVALID_ARGUMENT, "has contents, although"),
        (_with_one_raw_content, grpc.StatusCode.INVALID_ARGUMENT, "1 raw_input_contents"),
        (_of_nobody, grpc.StatusCode.NOT_FOUND, "no model 'nobody'"),
    ],
)
def test_a_call_that_does_not_fit_fails_with_a_reason(
    caller: Caller, change: Any, code: grpc.StatusCode, text: str
) -> None:
    message = pb.ModelInferRequest(model_name="linear", inputs=inputs(RECORD))
    change(message)
    with pytest.raises(grpc.RpcError) as failed:
        infer(caller, message)
    assert code_of(failed) is code and text in str(failed.value)


def test_a_message_of_a_stream_that_fails_does_not_end_it(caller: Caller) -> None:
    good, bad = raw(RECORD), pb.ModelInferRequest(model_name="nobody", id="bad")
    good.id = "good"
    answers = list(caller.many(f"{SERVICE}/ModelStreamInfer", [good, bad, good], pb.ModelStreamInferResponse))
    assert [answer.infer_response.id for answer in answers] == ["good", "bad", "good"]
    assert ["no model 'nobody'" in answer.error_message for answer in answers] == [False, True, False]
    assert np.frombuffer(answers[2].infer_response.raw_output_contents[0]).tolist() == [EXPECTED]


def test_models_are_loaded_and_unloaded() -> None:
    def index(caller: Caller, *, ready: bool = False) -> list[tuple[str, str]]:
        message = pb.RepositoryIndexRequest(ready=ready)
        found = caller.one(f"{SERVICE}/RepositoryIndex", message, pb.RepositoryIndexResponse)
        return [(model.name, model.state) for model in found.models]

    config = json.dumps({"parameters": {"uri": {"string_value": str(BENCH / "linear3.zip")}}})
    load = pb.RepositoryModelLoadRequest(model_name="linear")
    load.parameters["config"].string_param = config
    unload = pb.RepositoryModelUnloadRequest(model_name="linear")
    with calling(app({}, settings=Settings(allow_load=(str(BENCH),)))) as caller:
        caller.one(f"{SERVICE}/RepositoryModelLoad", load, pb.RepositoryModelLoadResponse)
        assert index(caller) == [("linear", "READY")]
        assert infer(caller, raw(RECORD)).outputs[0].shape == [1]
        caller.one(f"{SERVICE}/RepositoryModelUnload", unload, pb.RepositoryModelUnloadResponse)
        assert (index(caller), index(caller, ready=True)) == ([("linear", "UNAVAILABLE")], [])


def test_a_row_that_fails_is_named(caller: Caller) -> None:
    message = raw(RECORD, RECORD)
    message.inputs[0].parameters["missing_rows"].string_param = "1"
    with pytest.raises(grpc.RpcError, match=r"feature1.*row 1"):
        infer(caller, message)


@pytest.mark.slow
def test_the_golden_corpus_passes_through_the_protocol() -> None:
    def asked(given: Sequence[Result], wanted: Sequence[str]) -> tuple[list[Output], str]:
        message = pb.ModelInferRequest(model_name="m", outputs=[{"name": name} for name in wanted])
        message.parameters["on_missing"].string_param = "fill"
        for one in given:
            tensor = message.inputs.add(name=one.name, datatype=one.datatype, shape=one.shape)
            for name, value in one.parameters().items():
                tensor.parameters[name].string_param = value
            message.raw_input_contents.append(write_elements(one.datatype, one.filled()))
        try:
            answer = infer(caller, message)
        except grpc.RpcError as error:
            raise FailedError(f"422: {error.details()}") from None
        outputs = [
            Output(
                one.name,
                one.shape,
                read_elements(one.name, one.datatype, part, math.prod(one.shape)),
                one.parameters["missing_rows"].string_param,
            )
            for one, part in zip(answer.outputs, answer.raw_output_contents, strict=True)
        ]
        return outputs, answer.parameters["dropped_rows"].string_param

    application = app({})
    with calling(application) as caller:
        assert problems(application, {256: asked}) == []
