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
from leapstream.serving.http import Request, Response, Route
from leapstream.serving.protocols import mlflow, sagemaker
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
        served = context.models.only() if name is None else context.models.get(name)
        if is_json:
            invoke_json = sagemaker.invoke_json if is_sagemaker else mlflow.invoke_json
            return invoke_json(context, request, served, given)
        if media_type == _CSV:
            invoke_csv = sagemaker.invoke_csv if is_sagemaker else mlflow.invoke_csv
            return invoke_csv(context, request, served)
        if media_type == _JSON_LINES:
            return sagemaker.invoke_json_lines(context, request, served)
        raise MediaTypeError(f"{media_type} is not read here; there are application/json, {_CSV} and {_JSON_LINES}")

    yield Route("GET", "/ping", ping, failure_response, NAME, open=True)
    yield Route("GET", "/health", ping, failure_response, NAME, open=True)
    yield Route("POST", "/invocations", invocations, failure_response, NAME)
    yield Route("POST", "/endpoints/{name}/invocations", answered, failure_response, NAME)


def _is_sagemaker(media_type: str, given: Any, has_schema: bool) -> bool:
    if type(given) is dict:
        return mlflow.FORMATS.isdisjoint(given) and (has_schema or "data" in given)
    return media_type == _JSON_LINES or has_schema
