"""Failures of requests: each kind of error with its status code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from leapstream.errors import BackendError, BundleError, LeapstreamError, PredictionError, SchemaError, SourceError


class ServingError(LeapstreamError):
    """A request fails; the class tells the status code and the kind that the metrics count."""

    status = 400
    kind = "request"
    headers: tuple[tuple[bytes, bytes], ...] = ()
    """HTTP headers of the answer, besides those that its status code asks for."""


class RequestError(ServingError):
    """A request cannot be read: it is not JSON, or lacks something."""


class UnknownModelError(ServingError):
    """A model, or a version of it, that is not served."""

    status = 404
    kind = "unknown_model"


class UnknownPathError(ServingError):
    """A path that no protocol has."""

    status = 404
    kind = "unknown_path"


class MethodError(ServingError):
    """A path that exists for other methods."""

    status = 405
    kind = "method"

    def __init__(self, message: str, allowed: str) -> None:
        super().__init__(message)
        self.headers = ((b"allow", allowed.encode()),)


class UnauthorizedError(ServingError):
    """A request without the server's token."""

    status = 401
    kind = "unauthorized"


class ForbiddenError(ServingError):
    """A request for something that the server's operator did not allow."""

    status = 403
    kind = "forbidden"


class ConflictError(ServingError):
    """A model of this name is there already."""

    status = 409
    kind = "conflict"


class TooLargeError(ServingError):
    """A body or a number of rows over its limit."""

    status = 413
    kind = "too_large"


class MediaTypeError(ServingError):
    """A body of a kind that the path does not read."""

    status = 415
    kind = "media_type"


class BusyError(ServingError):
    """More requests at once than the server takes."""

    status = 503
    kind = "busy"


class NotReadyError(ServingError):
    """A server that is not ready yet, or no longer."""

    status = 503
    kind = "not_ready"


class DeadlineError(ServingError):
    """A request whose time is over."""

    status = 504
    kind = "deadline"


@dataclass(frozen=True)
class Failure:
    """A request that failed.

    Attributes:
        status: the HTTP status code.
        kind: a word for the metrics: ``schema``, ``prediction``, ….
        message: for the client: one line that names model, node, column and row, and holds no secrets.
        details: the parts of the message that a program may want: ``model``, ``node``, ``op``, ``column``, ``row``.
        headers: HTTP headers of the answer.
    """

    status: int
    kind: str
    message: str
    details: dict[str, Any]
    headers: tuple[tuple[bytes, bytes], ...] = ()


_HEADERS = {503: ((b"retry-after", b"1"),), 401: ((b"www-authenticate", b"Bearer"),)}

_STATUS: tuple[tuple[type[LeapstreamError], int, str], ...] = (
    (SchemaError, 400, "schema"),
    (PredictionError, 422, "prediction"),
    (BackendError, 501, "backend"),
    (SourceError, 502, "source"),
    (BundleError, 422, "bundle"),
)


def failure_of(error: Exception, request_id: str) -> Failure:
    """The failure that an error is. The text of an error that is not ours may hold anything, so the client gets an id alone."""
    if isinstance(error, ServingError):
        return Failure(error.status, error.kind, str(error), {}, (*_HEADERS.get(error.status, ()), *error.headers))
    if isinstance(error, LeapstreamError):
        status, kind = next(((s, k) for cls, s, k in _STATUS if isinstance(error, cls)), (400, "request"))
        return Failure(status, kind, str(error), details_of(error))
    return Failure(500, "internal", f"internal error; the server's log has it under request {request_id}", {})


def details_of(error: LeapstreamError) -> dict[str, Any]:
    """The place of the row that fails, as far as the error knows it."""
    if not isinstance(error, PredictionError):
        return {}
    names = ("model", "node", "op", "column", "row")
    return {name: value for name in names if (value := getattr(error, name)) is not None}
