"""The Open Inference Protocol, version 2, over REST: JSON tensors, and the extensions for binary tensors and model repositories.

``GET /v2``, ``/v2/health/live``, ``/v2/health/ready``, ``/v2/models/{name}[/versions/{version}]``, ``…/ready``; ``POST …/infer``,
``/v2/repository/index``, ``/v2/repository/models/{name}/load`` and ``…/unload``, as KServe and Triton have them. The bytes of
binary tensors stand behind the JSON, whose length the header ``Inference-Header-Content-Length`` tells. The body of an error is
``{"error": …}``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from leapstream.serving.compression import compressed
from leapstream.serving.context import Context
from leapstream.serving.failures import Failure, RequestError
from leapstream.serving.http import Handler, Request, Response, Route
from leapstream.serving.oip import descriptions, repository
from leapstream.serving.oip.datatypes import read_elements, write_elements
from leapstream.serving.oip.inference import (
    find_model,
    infer,
    model_config,
    model_metadata,
    require_whole,
    server_metadata,
    version_for,
)
from leapstream.serving.oip.signature import BASE64, CONTENT_TYPE
from leapstream.serving.oip.tensors import Result, Tensor, Wanted, as_list
from leapstream.serving.operations import ModelOperation, Operation
from leapstream.serving.values import decode, encode, encode_exactly

NAME = "oip"

BINARY = b"application/octet-stream"
_LENGTH = b"inference-header-content-length"

_T = TypeVar("_T")


def failure_response(failure: Failure) -> Response:
    """A failure as ``{"error": message}``."""
    return Response(encode({"error": failure.message}), failure.status, headers=failure.headers)


class _Inference(msgspec.Struct):
    """The JSON of an inference request."""

    inputs: list[Tensor]
    id: str | None = None
    parameters: dict[str, Any] | None = None
    outputs: list[Wanted] | None = None


class _RepositoryRequest(msgspec.Struct):
    """The JSON of a request to the repository."""

    ready: bool = False
    parameters: dict[str, Any] | None = None


_decode_inference = msgspec.json.Decoder(_Inference).decode


def routes(context: Context) -> Iterator[Route]:
    """The requests of the protocol's clients."""
    models = context.models
    server = encode(server_metadata())

    def metadata(request: Request) -> Response:
        return Response(server)

    def live(request: Request) -> Response:
        return Response(encode({"live": True}))

    def ready(request: Request) -> Response:
        context.check_ready()
        return Response(encode({"ready": True}))

    def model(request: Request, name: str, version: str | None = None) -> Response:
        request.served = find_model(models, name, version)
        return Response(encode(model_metadata(models, request.served)))

    def model_ready(request: Request, name: str, version: str | None = None) -> Response:
        request.served = find_model(models, name, version)
        return Response(encode({"name": request.served.name, "ready": True}))

    def config(request: Request, name: str, version: str | None = None) -> Response:
        request.served = find_model(models, name, version)
        return Response(encode(model_config(request.served, context.most_rows)))

    def inference(request: Request, name: str, version: str | None = None) -> Response:
        served = version_for(request, models, name, version)
        given = _read(request)
        parameters = given.parameters or {}
        results, said = infer(context, request, served, given.inputs, given.outputs or (), parameters)
        return _answer(request, served.name, served.version, given, results, said)

    def index(request: Request) -> Response:
        return Response(encode(repository.index(context, only_ready=_repository_request(request).ready)))

    def load(request: Request, name: str) -> Response:
        repository.load(context, request, name, _repository_request(request).parameters or {})
        return Response(b"{}")

    def unload(request: Request, name: str) -> Response:
        repository.unload(context, request, name)
        return Response(b"{}")

    def route(
        method: str,
        path: str,
        handler: Handler,
        operation: Operation | ModelOperation,
        *,
        open: bool = False,
        blocking: bool = False,
    ) -> Route:
        return Route(method, path, handler, failure_response, NAME, open, blocking, operation)

    yield route("GET", "/v2", metadata, descriptions.SERVER)
    yield route("GET", "/v2/health/live", live, descriptions.LIVE, open=True)
    yield route("GET", "/v2/health/ready", ready, descriptions.READY, open=True)
    for prefix in ("/v2/models/{name}", "/v2/models/{name}/versions/{version}"):
        yield route("GET", prefix, model, descriptions.MODEL)
        yield route("GET", f"{prefix}/ready", model_ready, descriptions.MODEL_READY)
        yield route("GET", f"{prefix}/config", config, descriptions.CONFIG)
        yield route("POST", f"{prefix}/infer", inference, descriptions.infer_operation)
    yield route("POST", "/v2/repository/index", index, descriptions.INDEX)
    yield route("POST", "/v2/repository/models/{name}/load", load, descriptions.LOAD, blocking=True)
    yield route("POST", "/v2/repository/models/{name}/unload", unload, descriptions.UNLOAD, blocking=True)


def _read(request: Request) -> _Inference:
    """The request, whose binary tensors have their elements.

    Raises:
        RequestError: it is not one.
    """
    length = request.headers.get(_LENGTH)
    if length is None:
        return _parsed(request.body, _Inference, _decode_inference)
    size = int(length) if length.isdigit() else -1
    if not 0 <= size <= len(request.body):
        raise RequestError(
            f"Inference-Header-Content-Length is {length.decode('latin-1')!r}, and the body has {len(request.body)} bytes"
        )
    given = _parsed(request.body[:size], _Inference, _decode_inference)
    for tensor in given.inputs:
        part = None if tensor.parameters is None else tensor.parameters.pop("binary_data_size", None)
        if part is None:
            continue
        tensor.parameters = tensor.parameters or None
        if type(part) is not int or not 0 <= part <= len(request.body) - size:
            raise RequestError(
                f"tensor {tensor.name!r} has the binary_data_size {part!r}, and {len(request.body) - size} bytes are left"
            )
        data: Any = read_elements(tensor.name, tensor.datatype, request.body[size : size + part], tensor.count)
        tensor.data = data
        size += part
    if size != len(request.body):
        raise RequestError(f"the body has {len(request.body) - size} bytes that belong to no tensor")
    return given


def _parsed(body: bytes, kind: type[_T], decoder: Callable[[bytes], _T]) -> _T:
    try:
        try:
            return decoder(body)
        except msgspec.ValidationError:
            raise
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return msgspec.convert(decode(body), kind)
    except msgspec.ValidationError as error:
        raise RequestError(f"the body is not a request of this kind: {error}") from None


def _repository_request(request: Request) -> _RepositoryRequest:
    if not request.body.strip():
        return _RepositoryRequest()
    return _parsed(request.body, _RepositoryRequest, msgspec.json.Decoder(_RepositoryRequest).decode)


def _answer(
    request: Request, name: str, version: str, given: _Inference, results: Sequence[Result], said: dict[str, Any]
) -> Response:
    answer: dict[str, Any] = {"model_name": name, "model_version": version}
    if given.id is not None:
        answer["id"] = given.id
    if said:
        answer["parameters"] = said
    every = given.parameters is not None and given.parameters.get("binary_data_output") is True
    chosen = [every] * len(results)
    for position, wanted in enumerate(given.outputs or ()):
        if wanted.parameters is not None:
            chosen[position] = wanted.parameters.get("binary_data", every) is True
    answer["outputs"] = outputs = []
    parts = []
    for result, is_binary in zip(results, chosen, strict=True):
        output: dict[str, Any] = {"name": result.name, "datatype": result.datatype, "shape": result.shape}
        parameters = result.parameters()
        if is_binary:
            require_whole([result], said, given.parameters or {})
            part = write_elements(result.datatype, result.filled())
            parameters["binary_data_size"] = len(part)
            parts.append(part)
        else:
            if result.is_base64:
                parameters[CONTENT_TYPE] = BASE64
            output["data"] = as_list(result.elements)
        if parameters:
            output["parameters"] = parameters
        outputs.append(output)
    head = encode_exactly(answer)
    if not parts:
        return compressed(request, Response(head))
    length = ((_LENGTH, b"%d" % len(head)),)
    return compressed(request, Response(head + b"".join(parts), content_type=BINARY, headers=length))
