"""The OpenAPI 3.1 document of a server, made from the routes of its protocols and from its models."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from leapstream.installation import VERSION
from leapstream.serving.context import Context
from leapstream.serving.http import Request, Response, Route
from leapstream.serving.operations import COMMON_FAILURES, Content, Operation, Parameter, Shared
from leapstream.serving.protocols.plain import FAILURE, failure_response
from leapstream.serving.registry import LATEST, ServedModel
from leapstream.serving.values import encode

NAME = "openapi"
PATH = "/openapi.json"

_DESCRIPTION = "Predictions of MLeap Bundles. Each protocol is a tag; all of them answer for the same models."
_TOKEN = "token"
_MODEL = "{name}"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


def routes(context: Context, described: Sequence[Route]) -> Iterator[Route]:
    """The request of the document.

    Args:
        context: the models and settings.
        described: the routes of the protocols.
    """
    has_token = context.settings.token is not None
    made: tuple[Any, bytes] | None = None

    def openapi(request: Request) -> Response:
        nonlocal made
        models = tuple(context.models)
        wanted = (models, request.root)
        found = made
        if found is None or found[0] != wanted:
            body = encode(document(all_routes, models, has_token=has_token, root=request.root))
            made = found = wanted, body
        return Response(found[1])

    operation = Operation(
        "document",
        "This document",
        {200: Content("An OpenAPI 3.1 document.", {"application/json": {"type": "object", "required": ["openapi"]}})},
        FAILURE,
    )
    route = Route("GET", PATH, openapi, failure_response, NAME, blocking=True, operation=operation)
    all_routes = [*described, route]
    yield route


def document(
    described: Sequence[Route], models: Iterable[ServedModel], *, has_token: bool, root: str = ""
) -> dict[str, Any]:
    """The document, as JSON's types.

    Args:
        described: the routes; those without a description are left out.
        models: the models.
        has_token: clients need the server's token.
        root: the path under which the application is mounted.
    """
    return _Document(models, has_token=has_token, root=root).of(described)


class _Document:
    def __init__(self, models: Iterable[ServedModel], *, has_token: bool, root: str) -> None:
        self._root = root
        self._models = list(models)
        self._has_token = has_token
        self._schemas: dict[str, Any] = {}
        self._ids: set[str] = set()

    def of(self, described: Sequence[Route]) -> dict[str, Any]:
        paths: dict[str, dict[str, Any]] = {}
        for route in described:
            if isinstance(route.operation, Operation):
                paths.setdefault(route.path, {})[route.method.lower()] = self._operation(
                    route, route.operation, route.path
                )
            elif route.operation is not None:
                for served in self._models:
                    path = route.path.replace(_MODEL, quote(served.name, safe=""))
                    operation = self._operation(route, route.operation(served), path, served)
                    paths.setdefault(path, {})[route.method.lower()] = operation
        tags = dict.fromkeys(route.protocol for route in described if route.operation is not None)
        components: dict[str, Any] = {"schemas": self._schemas, "headers": {"RequestId": _REQUEST_ID}}
        whole: dict[str, Any] = {
            "openapi": "3.1.0",
            "info": {"title": "leapstream", "version": VERSION, "description": _DESCRIPTION},
            "servers": [{"url": self._root or "/"}],
            "tags": [{"name": tag} for tag in tags],
            "paths": paths,
            "components": components,
        }
        if self._has_token:
            components["securitySchemes"] = {_TOKEN: {"type": "http", "scheme": "bearer"}}
            whole["security"] = [{_TOKEN: []}]
        return whole

    def _operation(
        self, route: Route, operation: Operation, path: str, served: ServedModel | None = None
    ) -> dict[str, Any]:
        name = f"{route.protocol}_{operation.id}" + ("" if served is None else f"_{served.name}")
        needs_token = self._has_token and not route.open
        statuses = (
            {400, 503, 504, *operation.failures}
            | ({413} if operation.body else set())
            | ({401} if needs_token else set())
        )
        failures = {
            status: Content(COMMON_FAILURES[status], operation.failure.schemas, operation.failure.examples)
            for status in sorted(statuses)
        }
        made: dict[str, Any] = {
            "operationId": next(n for n in _names(name) if n not in self._ids),
            "tags": [route.protocol],
            "summary": operation.summary,
            "responses": {
                str(status): self._answer(content) for status, content in {**failures, **operation.answers}.items()
            },
        }
        self._ids.add(made["operationId"])
        if operation.description:
            made["description"] = operation.description
        parameters = [self._parameter(p) for p in (*self._parts(operation, path), *operation.parameters)]
        if parameters:
            made["parameters"] = parameters
        if operation.body is not None:
            made["requestBody"] = {**self._content(operation.body), "required": operation.body.required}
        if self._has_token and route.open:
            made["security"] = []
        return made

    def _parts(self, operation: Operation, path: str) -> Iterator[Parameter]:
        """The parameters of the path that the operation does not describe."""
        known = {p.name for p in operation.parameters if p.place == "path"}
        for name in re.findall(r"\{(\w+)\}", path):
            if name == "name" and name not in known:
                names = [served.name for served in self._models]
                yield Parameter(
                    name, "A model's name.", {"type": "string", **({"enum": names} if names else {})}, "path"
                )
            elif name == "version" and name not in known:
                schema = {"type": "string", "examples": [LATEST]}
                yield Parameter(name, f"A version of the model; {LATEST} is the live one.", schema, "path")
            elif name not in known:
                yield Parameter(name, f"The {name}.", {"type": "string"}, "path")

    def _parameter(self, parameter: Parameter) -> dict[str, Any]:
        made = {
            "name": parameter.name,
            "in": parameter.place,
            "description": parameter.description,
            "schema": self._schema(parameter.schema),
        }
        if parameter.place == "path":
            made["required"] = True
        elif made["schema"].get("type") == "array":
            made["explode"] = False
        return made

    def _answer(self, content: Content) -> dict[str, Any]:
        return {**self._content(content), "headers": {"x-request-id": {"$ref": "#/components/headers/RequestId"}}}

    def _content(self, content: Content) -> dict[str, Any]:
        made: dict[str, Any] = {"description": content.description}
        if content.schemas:
            made["content"] = {media_type: {"schema": self._schema(s)} for media_type, s in content.schemas.items()}
        for media_type, example in content.examples.items():
            made["content"][media_type]["example"] = example
        return made

    def _schema(self, schema: Any) -> Any:
        """A schema with references to the shared ones in it."""
        if isinstance(schema, Shared):
            resolved = self._schema(schema.schema)
            names = _names(schema.name)
            name = next(n for n in names if self._schemas.get(n, resolved) == resolved)
            self._schemas[name] = resolved
            return {"$ref": f"#/components/schemas/{name}"}
        if isinstance(schema, Mapping):
            return {key: self._schema(part) for key, part in schema.items()}
        if isinstance(schema, (list, tuple)):
            return [self._schema(part) for part in schema]
        return schema


def _names(wanted: str) -> Iterator[str]:
    """The name, as far as a document may have it, and the names that come into question when it is taken."""
    name = _UNSAFE.sub("_", wanted)
    yield name
    for number in itertools.count(2):
        yield f"{name}_{number}"


_REQUEST_ID = {
    "description": "The request's own id, or a new one.",
    "required": True,
    "schema": {"type": "string"},
}
