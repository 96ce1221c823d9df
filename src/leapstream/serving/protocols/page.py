"""The page at ``/``, and the parts of a model that it shows: the schema of its records, its pipeline, its requests so far.

The page itself needs no token: it asks the reader for one, and keeps it in memory only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from leapstream.serving import page
from leapstream.serving.context import Context
from leapstream.serving.http import Request, Response, Route
from leapstream.serving.operations import Content, Operation
from leapstream.serving.protocols.plain import FAILURE, failure_response
from leapstream.serving.registry import ServedModel
from leapstream.serving.schemas import record_schema
from leapstream.serving.tallies import SECONDS
from leapstream.serving.values import encode

NAME = "page"

_HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-cache"),
)


def routes(context: Context) -> Iterator[Route]:
    """The files of the page, and the requests that it sends."""

    def schema(request: Request, name: str) -> Response:
        return Response(encode(record_schema(context.models.get(name)).schema))

    def pipeline(request: Request, name: str) -> Response:
        return Response(encode(_pipeline(context.models.get(name))))

    def statistics(request: Request) -> Response:
        found = context.metrics.statistics()
        models = {served.name: found[served.name] for served in context.models if served.name in found}
        for name, versions in context.metrics.versions().items():
            models[name]["versions"] = versions
        return Response(encode({"bounds": SECONDS, "models": dict(sorted(models.items()))}))

    for name, content_type in page.FILES.items():
        path = "/" if name == "index.html" else f"/assets/{name}"
        yield Route("GET", path, _file(page.read(name), content_type), failure_response, NAME, open=True)
    yield Route("GET", "/v1/models/{name}/schema", schema, failure_response, NAME, operation=_SCHEMA)
    yield Route("GET", "/v1/models/{name}/pipeline", pipeline, failure_response, NAME, operation=_PIPELINE)
    yield Route("GET", "/v1/statistics", statistics, failure_response, NAME, blocking=True, operation=_STATISTICS)


def _file(body: bytes, content_type: bytes) -> Any:
    answer = Response(body, content_type=content_type, headers=_HEADERS)
    return lambda request: answer


def _pipeline(served: ServedModel) -> dict[str, Any]:
    return {
        "name": served.name,
        "version": served.version,
        "nodes": [
            {
                "name": node.name,
                "op": node.op.op,
                "inputs": list(dict.fromkeys(node.input_columns().values())),
                "outputs": list(dict.fromkeys(node.used_columns().values())),
            }
            for node in served.model.nodes
        ],
    }


# ---- descriptions -----------------------------------------------------------------------------------------------------

_NAMES = {"type": "array", "items": {"type": "string"}}
_NODE = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "op": {"type": "string"}, "inputs": _NAMES, "outputs": _NAMES},
    "required": ["name", "op", "inputs", "outputs"],
}
_COUNT = {"type": "integer", "minimum": 0}
_COUNTED = {
    "type": "object",
    "properties": {
        "requests": _COUNT,
        "rows": _COUNT,
        "failures": {"type": "object", "additionalProperties": _COUNT, "description": "By kind."},
        "seconds": {"type": "number", "description": "Of all requests together."},
        "counts": {
            "type": "array",
            "items": _COUNT,
            "description": "The number of requests from each bound to the next, and in the end of those that took longer.",
        },
        "versions": {
            "type": "object",
            "description": "The numbers of each version that requests can name; shadow has those of a shadow.",
            "additionalProperties": {
                "type": "object",
                "properties": {
                    "requests": _COUNT,
                    "rows": _COUNT,
                    "failed": _COUNT,
                    "seconds": {"type": "number"},
                    "counts": {"type": "array", "items": _COUNT},
                    "shadow": {"type": "object", "additionalProperties": {"type": "number"}},
                },
            },
        },
    },
    "required": ["requests", "rows", "failures", "seconds", "counts"],
}

_SCHEMA = Operation(
    "schema",
    "The JSON schema of a model's records",
    {200: Content("A JSON schema.", {"application/json": {"type": "object"}})},
    FAILURE,
    (404,),
)
_PIPELINE = Operation(
    "pipeline",
    "The nodes of a model, in their order",
    {
        200: Content(
            "The nodes, with the columns that they read and write.",
            {
                "application/json": {
                    "type": "object",
                    "properties": {
                        "name": {"type": "string"},
                        "version": {"type": "string"},
                        "nodes": {"type": "array", "items": _NODE},
                    },
                    "required": ["name", "version", "nodes"],
                }
            },
        )
    },
    FAILURE,
    (404,),
)
_STATISTICS = Operation(
    "statistics",
    "The requests of each model since the start of the server",
    {
        200: Content(
            "The numbers of each model, of all protocols and workers together.",
            {
                "application/json": {
                    "type": "object",
                    "properties": {
                        "bounds": {"type": "array", "items": {"type": "number"}, "description": "Seconds."},
                        "models": {"type": "object", "additionalProperties": _COUNTED},
                    },
                    "required": ["bounds", "models"],
                }
            },
        )
    },
    FAILURE,
)
