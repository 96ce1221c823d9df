"""Liveness, readiness, metrics: what a platform asks of any server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from leapstream.serving.context import Context
from leapstream.serving.http import Request, Response, Route
from leapstream.serving.metrics import CONTENT_TYPE
from leapstream.serving.operations import Content, Operation
from leapstream.serving.protocols.plain import FAILURE, failure_response
from leapstream.serving.values import encode

NAME = "health"


def routes(context: Context) -> Iterator[Route]:
    """The requests of probes and of Prometheus."""

    def live(request: Request) -> Response:
        return Response(encode({"live": True}))

    def ready(request: Request) -> Response:
        context.check_ready()
        rejected = {name: found.version for name, found in context.keeper.rejected().items()}
        return Response(encode({"ready": True, "rejected": rejected} if rejected else {"ready": True}))

    def metrics(request: Request) -> Response:
        return Response(context.metrics.text(), content_type=CONTENT_TYPE)

    yield Route("GET", "/livez", live, failure_response, NAME, open=True, operation=_LIVE)
    yield Route("GET", "/readyz", ready, failure_response, NAME, open=True, operation=_READY)
    yield Route("GET", "/metrics", metrics, failure_response, NAME, open=True, blocking=True, operation=_METRICS)


def _yes(what: str) -> dict[str, Any]:
    return {"application/json": {"type": "object", "properties": {what: {"const": True}}, "required": [what]}}


_LIVE = Operation("live", "The server runs", {200: Content("It does.", _yes("live"))}, FAILURE)
_READY = Operation("ready", "Every model is loaded", {200: Content("They are.", _yes("ready"))}, FAILURE)
_METRICS = Operation(
    "metrics",
    "The metrics, for Prometheus",
    {200: Content("The metrics in Prometheus' text format.", {CONTENT_TYPE.decode(): {"type": "string"}})},
    FAILURE,
)
