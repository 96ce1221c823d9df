"""The paths that MLflow's scoring server and SageMaker's SparkML container share: ``/ping`` and ``/invocations``.

A JSON body with ``data``, JSON lines, and CSV where the environment has a schema for it (``SAGEMAKER_SPARKML_SCHEMA``) are
SageMaker's; all else is MLflow's. Both serve one model. A server of several needs to know which: SageMaker's header
``X-Amzn-SageMaker-Target-Model`` names it, or the path that MLflow's deployments have, ``/endpoints/{name}/invocations``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from leapstream.serving.context import Context
from leapstream.serving.failures import MediaTypeError
from leapstream.serving.http import TEXT, Request, Response, Route
from leapstream.serving.operations import Content, JsonSchema, Operation, Parameter
from leapstream.serving.protocols import mlflow, sagemaker
from leapstream.serving.registry import ServedModel
from leapstream.serving.schemas import record_schema
from leapstream.serving.values import decode

NAME = "invocations"

_TARGET = b"x-amzn-sagemaker-target-model"
_JSON = ("application/json", "")
_CSV = "text/csv"
_JSON_LINES = "application/jsonlines"


def routes(context: Context) -> Iterator[Route]:
    """The requests of both protocols."""
    has_schema = context.settings.sparkml.schema is not None
    failure_response = sagemaker.failure_response if has_schema else mlflow.failure_response

    def ping(request: Request) -> Response:
        context.check_ready()
        return Response(b"\n")

    def invocations(request: Request) -> Response:
        return answered(request, request.header(_TARGET) or None)

    def answered(request: Request, name: str | None) -> Response:
        media_type = request.media_type
        is_json = media_type in _JSON
        given = decode(request.body) if is_json else None
        is_sagemaker = _is_sagemaker(media_type, given, has_schema)
        if is_sagemaker:
            request.protocol, request.failure = sagemaker.NAME, sagemaker.failure_response
        else:
            request.protocol, request.failure = mlflow.NAME, mlflow.failure_response
        live = context.models.only() if name is None else context.models.get(name)
        served = live.chosen(request.headers)
        if is_json:
            invoke_json = sagemaker.invoke_json if is_sagemaker else mlflow.invoke_json
            return invoke_json(context, request, served, given)
        if media_type == _CSV:
            invoke_csv = sagemaker.invoke_csv if is_sagemaker else mlflow.invoke_csv
            return invoke_csv(context, request, served)
        if media_type == _JSON_LINES:
            return sagemaker.invoke_json_lines(context, request, served)
        raise MediaTypeError(f"{media_type} is not read here; there are application/json, {_CSV} and {_JSON_LINES}")

    for path, operation in (("/ping", _PING), ("/health", _HEALTH)):
        yield Route("GET", path, ping, failure_response, NAME, open=True, operation=operation)
    yield Route("POST", "/invocations", invocations, failure_response, NAME, operation=_INVOCATIONS)
    path = "/endpoints/{name}/invocations"
    yield Route("POST", path, answered, failure_response, NAME, operation=_endpoint_operation)


def _is_sagemaker(media_type: str, given: Any, has_schema: bool) -> bool:
    """True if a request is SageMaker's; ``given`` is its JSON, if it is JSON."""
    if type(given) is dict:
        return mlflow.FORMATS.isdisjoint(given) and (has_schema or "data" in given)
    return media_type == _JSON_LINES or has_schema


# ---- descriptions -----------------------------------------------------------------------------------------------------

_TEXT: JsonSchema = {"type": "string"}
_FAILURE = Content("", {"application/json": mlflow.FAILURE, TEXT.decode(): _TEXT})
_READY = {200: Content("They are.", {"application/json": {}})}
_PING = Operation("ping", "Every model is loaded, as SageMaker and MLflow ask", _READY, _FAILURE)
_HEALTH = Operation("health", "Every model is loaded, as MLflow asks", _READY, _FAILURE)


def _operation(name: str, summary: str, record: JsonSchema) -> Operation:
    return Operation(
        name,
        summary,
        {
            200: Content(
                "MLflow's predictions as JSON, or SageMaker's column as CSV or JSON lines.",
                {"application/json": mlflow.ANSWER, _CSV: _TEXT, _JSON_LINES: _TEXT},
            )
        },
        _FAILURE,
        (404, 415),
        parameters=(Parameter("accept", "The form of SageMaker's answers.", _TEXT, "header"),),
        body=Content(
            "Rows, in the forms of MLflow's scoring server or of SageMaker's SparkML container.",
            {
                "application/json": {"anyOf": [mlflow.body_schema(record), sagemaker.BODY]},
                _CSV: _TEXT,
                _JSON_LINES: _TEXT,
            },
        ),
    )


_INVOCATIONS = _operation("invocations", "Predict with the model of the server", {"type": "object"})


def _endpoint_operation(served: ServedModel) -> Operation:
    return _operation("endpoint_invocations", f"Predict with {served.name}", record_schema(served))
