"""Descriptions of the requests that a route answers; :mod:`leapstream.serving.openapi` makes the OpenAPI document from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from leapstream.serving.registry import ServedModel


@dataclass(frozen=True, eq=False)
class Shared:
    """A schema that the document has once, under a name, wherever it is used.

    Attributes:
        name: its name; where two schemas have one name, the second gets a number.
        schema: the JSON schema.
    """

    name: str
    schema: Mapping[str, Any]


JsonSchema: TypeAlias = Mapping[str, Any] | Shared
"""A JSON schema; parts of it may be :class:`Shared`."""

BINARY: JsonSchema = {}
"""The schema of a body that is not text."""


@dataclass(frozen=True)
class Content:
    """A body, of a request or an answer.

    Attributes:
        description: one sentence.
        schemas: its schema by media type; none if it is empty.
        examples: records, messages, … by media type, as JSON.
        required: a request may not leave it out.
    """

    description: str
    schemas: Mapping[str, JsonSchema] = field(default_factory=dict)
    examples: Mapping[str, Any] = field(default_factory=dict)
    required: bool = True


@dataclass(frozen=True)
class Parameter:
    """A parameter in the query, in a header, or in the path.

    Attributes:
        name: its name.
        description: one sentence.
        schema: the schema of its value. The items of an array are separated by commas.
        place: where it stands.
    """

    name: str
    description: str
    schema: JsonSchema
    place: Literal["query", "header", "path"] = "query"


@dataclass(frozen=True)
class Operation:
    """The description of a route.

    Attributes:
        id: its name in generated clients; the protocol's name comes before it.
        summary: a few words.
        answers: what is answered, by status code.
        failure: the form of the answer to a request that fails.
        failures: the status codes of failures, without those that any request may have (see :data:`COMMON_FAILURES`).
        description: more about it.
        parameters: its parameters. A part of the path that is not among them is any text; ``{name}`` is the name of a model.
        body: what a request brings.
    """

    id: str
    summary: str
    answers: Mapping[int, Content]
    failure: Content
    failures: Sequence[int] = ()
    description: str = ""
    parameters: Sequence[Parameter] = ()
    body: Content | None = None


COMMON_FAILURES: Mapping[int, str] = {
    400: "The request cannot be read.",
    401: "The request lacks the server's token.",
    403: "The server's operator does not allow it.",
    404: "There is no such model, or no such version of it.",
    409: "There is one of this name already.",
    413: "The body or the number of rows is over its limit.",
    415: "The body is of a kind that is not read here.",
    422: "A row fails.",
    500: "It fails.",
    501: "The model cannot be run here.",
    502: "A bundle cannot be fetched.",
    503: "The server is not ready, or answers too many requests at once.",
    504: "The time of the request is over.",
}
"""The meanings of the status codes of failures."""

ModelOperation: TypeAlias = Callable[["ServedModel"], Operation]
"""Describes a route for a served model, whose name stands in the path for ``{name}``."""
