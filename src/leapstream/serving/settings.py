"""The settings of a server."""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property

from leapstream.errors import ConfigError
from leapstream.serving.failures import UnauthorizedError


@dataclass(frozen=True)
class RequestLimits:
    """Limits on requests; they hold for each worker.

    Attributes:
        max_body: bytes of a body, after decompression.
        max_rows: rows of a request.
        max_concurrent: requests at once; more are answered with 503.
        timeout: seconds that a request may take.
    """

    max_body: int = 64 << 20
    max_rows: int = 100_000
    max_concurrent: int = 512
    timeout: float = 60.0

    def __post_init__(self) -> None:
        for f in fields(self):
            if not getattr(self, f.name) > 0:
                raise ConfigError(f"{f.name} is {getattr(self, f.name)!r}, and has to be positive")


@dataclass(frozen=True)
class SparkMLSettings:
    """The settings of SageMaker's SparkML container.

    Attributes:
        schema: the JSON of the schema of requests that bring none; ``None`` if there is none.
        accept: the media type of answers to requests that name none; by default ``text/csv``.
    """

    schema: str | None = None
    accept: str = "text/csv"

    @classmethod
    def from_environment(cls) -> SparkMLSettings:
        """The settings in the environment variables that the container has; an empty one counts as none."""
        return cls(
            os.environ.get("SAGEMAKER_SPARKML_SCHEMA") or None,
            os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or cls.accept,
        )


@dataclass(frozen=True)
class DriftSettings:
    """The way in which rows are compared with the profiles of their models.

    Attributes:
        window: seconds of a window; windows begin at its multiples since 1970.
        rows_per_second: the rows that each process counts of a version in a second, on average; 0 counts none.
        burst: the most rows that it counts at once.
    """

    window: float = 3600.0
    rows_per_second: int = 200
    burst: int = 20_000

    def __post_init__(self) -> None:
        if self.window < 1 or self.rows_per_second < 0:
            raise ConfigError("a window of drift has at least a second, and rows are not negative")


@dataclass(frozen=True)
class Settings:
    """Everything that a server is told at its start.

    Attributes:
        limits: limits on requests.
        token: the bearer token that requests have to bring; ``None`` lets everybody in.
        allow_load: the prefixes of URIs from which requests may load models; without any, they may neither load nor unload.
        sparkml: the settings of SageMaker's protocol.
        drift: the way in which rows are compared with profiles.
    """

    limits: RequestLimits = field(default_factory=RequestLimits)
    token: str | None = field(default=None, repr=False)
    allow_load: tuple[str, ...] = ()
    sparkml: SparkMLSettings = SparkMLSettings()
    drift: DriftSettings = DriftSettings()

    @cached_property
    def _authorization(self) -> bytes | None:
        return None if self.token is None else f"Bearer {self.token}".encode()

    def authorize(self, headers: Mapping[bytes, bytes], message: str) -> None:
        """Make sure that a request has the token, if there is one.

        Raises:
            UnauthorizedError: it has not; with the message.
        """
        expected = self._authorization
        if expected is not None and not hmac.compare_digest(headers.get(b"authorization", b""), expected):
            raise UnauthorizedError(message)


TOKEN_VARIABLE = "LEAPSTREAM_TOKEN"
"""The environment variable of the bearer token."""


def token_from_environment() -> str | None:
    """The bearer token of the environment; an empty one counts as none."""
    return os.environ.get(TOKEN_VARIABLE) or None


_UNITS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def seconds(given: str, what: str) -> float:
    """A time such as ``30s``, ``500ms`` or ``5 min``, in seconds; a number alone is seconds.

    Raises:
        ConfigError: it is not a time; the message has ``what``.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", given.strip())
    if match is None or match[2] not in _UNITS:
        raise ConfigError(f"{what} is {given!r}, and has to be a time such as 30s, 500ms or 5min")
    return float(match[1]) * _UNITS[match[2]]
