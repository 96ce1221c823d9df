"""The Open Inference Protocol's gRPC service ``inference.GRPCInferenceService``, with Triton's streams and model repositories."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from google.protobuf.message import Message

from leapstream.serving.context import Context
from leapstream.serving.failures import RequestError, failure_of
from leapstream.serving.grpc.methods import Method, UnaryHandler, Watch, log_call
from leapstream.serving.http import Request
from leapstream.serving.oip import repository
from leapstream.serving.oip.datatypes import BYTES, read_elements, write_elements
from leapstream.serving.oip.inference import (
    find_model,
    infer,
    is_served,
    model_config,
    model_metadata,
    require_whole,
    server_metadata,
    version_for,
)
from leapstream.serving.oip.tensors import Result, Tensor, Wanted, as_list
from leapstream.serving.proto import oip_pb2 as pb
from leapstream.serving.scoring import TooLongForLoopError

NAME = "oip-grpc"

SERVICE = "inference.GRPCInferenceService"

# The field of typed contents for each datatype; FP16 and BF16 are raw only.
_CONTENTS = {
    "BOOL": "bool_contents",
    **dict.fromkeys(("INT8", "INT16", "INT32"), "int_contents"),
    "INT64": "int64_contents",
    **dict.fromkeys(("UINT8", "UINT16", "UINT32"), "uint_contents"),
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    BYTES: "bytes_contents",
}
# The parameter by which Triton says that a request of a stream gets no further answer.
_FINAL = "triton_final_response"


def methods(context: Context) -> Iterator[Method]:
    """The methods of the protocol's clients."""
    models = context.models

    def live(request: Request, message: pb.ServerLiveRequest) -> Message:
        return pb.ServerLiveResponse(live=True)

    def ready(request: Request, message: pb.ServerReadyRequest) -> Message:
        return pb.ServerReadyResponse(ready=context.keeper.ready)

    def metadata(request: Request, message: pb.ServerMetadataRequest) -> Message:
        return pb.ServerMetadataResponse(**server_metadata())

    def model_ready(request: Request, message: pb.ModelReadyRequest) -> Message:
        return pb.ModelReadyResponse(ready=is_served(models, message.name, message.version))

    def model(request: Request, message: pb.ModelMetadataRequest) -> Message:
        request.served = find_model(models, message.name, message.version)
        return pb.ModelMetadataResponse(**model_metadata(models, request.served))

    def config(request: Request, message: pb.ModelConfigRequest) -> Message:
        request.served = find_model(models, message.name, message.version)
        return pb.ModelConfigResponse(config=pb.ModelConfig(**model_config(request.served, context.most_rows)))

    def inference(request: Request, message: pb.ModelInferRequest) -> Message:
        return _infer(context, request, message)

    def stream(request: Request, messages: Iterator[Any], watch: Watch) -> Iterator[Message]:
        seconds = request.remaining()
        for message in messages:
            # Each message is a request of its own.
            one = replace(request, deadline=time.monotonic() + seconds)
            try:
                answer = context.loads.waiting(partial(_infer, context, one, message), one)
                answer.parameters[_FINAL].bool_param = True
                yield pb.ModelStreamInferResponse(infer_response=answer)
            except Exception as error:
                failure = failure_of(error, request.id)
                log_call(request, NAME, failure, error)
                yield pb.ModelStreamInferResponse(
                    error_message=failure.message, infer_response=pb.ModelInferResponse(id=message.id)
                )
            request.served = one.served
            request.rows += one.rows

    def index(request: Request, message: pb.RepositoryIndexRequest) -> Message:
        found = repository.index(context, only_ready=message.ready)
        return pb.RepositoryIndexResponse(models=[pb.RepositoryIndexResponse.ModelIndex(**entry) for entry in found])

    def load(request: Request, message: pb.RepositoryModelLoadRequest) -> Message:
        _leave_turn(request)
        repository.load(context, request, message.model_name, _values(message.parameters))
        return pb.RepositoryModelLoadResponse()

    def unload(request: Request, message: pb.RepositoryModelUnloadRequest) -> Message:
        _leave_turn(request)
        repository.unload(context, request, message.model_name)
        return pb.RepositoryModelUnloadResponse()

    def unary(name: str, kind: type[Message], handler: UnaryHandler, *, open: bool = False) -> Method:
        return Method(f"/{SERVICE}/{name}", kind, NAME, handler, open=open)

    yield unary("ServerLive", pb.ServerLiveRequest, live, open=True)
    yield unary("ServerReady", pb.ServerReadyRequest, ready, open=True)
    yield unary("ServerMetadata", pb.ServerMetadataRequest, metadata)
    yield unary("ModelReady", pb.ModelReadyRequest, model_ready)
    yield unary("ModelMetadata", pb.ModelMetadataRequest, model)
    yield unary("ModelConfig", pb.ModelConfigRequest, config)
    yield unary("ModelInfer", pb.ModelInferRequest, inference)
    yield Method(f"/{SERVICE}/ModelStreamInfer", pb.ModelInferRequest, NAME, stream_handler=stream)
    yield unary("RepositoryIndex", pb.RepositoryIndexRequest, index)
    yield unary("RepositoryModelLoad", pb.RepositoryModelLoadRequest, load)
    yield unary("RepositoryModelUnload", pb.RepositoryModelUnloadRequest, unload)


def _infer(context: Context, request: Request, message: pb.ModelInferRequest) -> pb.ModelInferResponse:
    served = version_for(request, context.models, message.model_name, message.model_version)
    parameters = _values(message.parameters)
    tensors = _tensors(message)
    wanted = [Wanted(output.name, _values(output.parameters)) for output in message.outputs]
    results, said = infer(context, request, served, tensors, wanted, parameters)
    require_whole(results, said, parameters)
    answer = pb.ModelInferResponse(model_name=served.name, model_version=served.version, id=message.id)
    _say(answer.parameters, said)
    is_raw = bool(message.raw_input_contents) or not tensors
    for result in results:
        output = answer.outputs.add(name=result.name, datatype=result.datatype, shape=result.shape)
        _say(output.parameters, result.parameters())
        if is_raw:
            answer.raw_output_contents.append(write_elements(result.datatype, result.filled()))
        else:
            getattr(output.contents, _CONTENTS[result.datatype]).extend(_typed(result))
    return answer


def _leave_turn(request: Request) -> None:
    """Do what follows where it may take long."""
    if request.in_loop:
        raise TooLongForLoopError


def _tensors(message: pb.ModelInferRequest) -> list[Tensor]:
    raw = message.raw_input_contents
    if raw and len(raw) != len(message.inputs):
        raise RequestError(f"there are {len(raw)} raw_input_contents, and {len(message.inputs)} inputs")
    tensors = []
    for position, given in enumerate(message.inputs):
        parameters = _values(given.parameters) if given.parameters else None
        tensor = Tensor(given.name, list(given.shape), given.datatype, parameters=parameters)
        if raw:
            if given.HasField("contents"):
                raise RequestError(f"tensor {given.name!r} has contents, although there are raw_input_contents")
            data: Any = read_elements(given.name, given.datatype, raw[position], tensor.count)
            tensor.data = data
        elif given.datatype in _CONTENTS:
            tensor.data = list(getattr(given.contents, _CONTENTS[given.datatype]))
        else:
            raise RequestError(f"tensor {given.name!r} of {given.datatype!r} cannot have contents that are not raw")
        tensors.append(tensor)
    return tensors


def _typed(result: Result) -> Sequence[Any]:
    elements = as_list(result.filled())
    if result.datatype != BYTES:
        return elements
    return [x.encode() if isinstance(x, str) else x for x in elements]


def _values(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as Python's values."""
    found = {}
    for name, parameter in parameters.items():
        choice = parameter.WhichOneof("parameter_choice")
        found[name] = None if choice is None else getattr(parameter, choice)
    return found


def _say(parameters: Any, values: Mapping[str, str]) -> None:
    for name, value in values.items():
        parameters[name].string_param = value
