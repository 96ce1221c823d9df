"""The drift of a model: how far the rows of requests are from its profile."""

from __future__ import annotations

from collections.abc import Iterator

from leapstream.serving.context import Context
from leapstream.serving.http import Request, Response, Route
from leapstream.serving.operations import Content, Operation
from leapstream.serving.protocols.plain import FAILURE, failure_response
from leapstream.serving.values import encode

NAME = "drift"


def routes(context: Context) -> Iterator[Route]:
    """The request for the drift of a model."""

    def drift(request: Request, name: str) -> Response:
        context.models.get(name)
        return Response(encode(context.drift.report(name)))

    yield Route("GET", "/v1/models/{name}/drift", drift, failure_response, NAME, blocking=True, operation=_DRIFT)


_NUMBER = {"type": "number"}
_COLUMN = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "side": {"enum": ["input", "output"]},
        "psi": {
            "type": ["number", "null"],
            "description": "The population stability index; null without bins or rows.",
        },
        "missing_rate": _NUMBER,
        "missing_rate_in_training": _NUMBER,
        "rows": {"type": "integer"},
        "bins": {
            "type": "array",
            "items": {"type": ["number", "string"]},
            "description": "The upper bounds of the bins, or their values; a last bin has the rest.",
        },
        "counts": {"type": "array", "items": {"type": "integer"}, "description": "The rows in each bin."},
    },
    "required": ["name", "side", "psi", "missing_rate", "missing_rate_in_training", "rows", "bins", "counts"],
}
_WINDOW = {
    "type": ["object", "null"],
    "properties": {
        "start": {"type": "string", "format": "date-time"},
        "end": {"type": "string", "format": "date-time"},
        "rows": {"type": "integer", "description": "The rows that were counted; of very many, a sample."},
        "columns": {"type": "array", "items": _COLUMN},
    },
    "required": ["start", "end", "rows", "columns"],
}
_DRIFT = Operation(
    "drift",
    "The drift of a model against its profile",
    {
        200: Content(
            "The windows of each live version that has a profile.",
            {
                "application/json": {
                    "type": "object",
                    "properties": {
                        "model": {"type": "string"},
                        "window_seconds": _NUMBER,
                        "versions": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "properties": {"version": {"type": "string"}, "current": _WINDOW, "last": _WINDOW},
                                "required": ["version", "current", "last"],
                            },
                        },
                    },
                    "required": ["model", "window_seconds", "versions"],
                }
            },
        )
    },
    FAILURE,
    (404,),
)
