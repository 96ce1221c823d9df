"""Liveness, readiness, metrics: what a platform asks of any server."""

from __future__ import annotations

from collections.abc import Iterator

from leapstream.serving.context import Context
from leapstream.serving.http import Request, Response, Route
from leapstream.serving.metrics import CONTENT_TYPE
from leapstream.serving.protocols.plain import failure_response
from leapstream.serving.values import encode

NAME = "health"


def routes(context: Context) -> Iterator[Route]:
    """The requests of probes and of Prometheus."""

    def live(request: Request) -> Response:
        return Response(encode({"live": True}))

    def ready(request: Request) -> Response:
        context.check_ready()
        return Response(encode({"ready": True}))

    def metrics(request: Request) -> Response:
        return Response(context.metrics.text(), content_type=CONTENT_TYPE)

    yield Route("GET", "/livez", live, failure_response, NAME, open=True)
    yield Route("GET", "/readyz", ready, failure_response, NAME, open=True)
    yield Route("GET", "/metrics", metrics, failure_response, NAME, open=True, blocking=True)
