"""Options for fetching remote bundles: cache directory, time-out, retries, limits."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leapstream.bundle.limits import Limits
from leapstream.errors import ConfigError
from leapstream.installation import cache_directory

STORAGE_OPTIONS = "LEAPSTREAM_STORAGE_OPTIONS"


def _storage_options() -> Mapping[str, Any]:
    """The storage options of the environment.

    Raises:
        ConfigError: they are not a JSON object.
    """
    text = os.environ.get(STORAGE_OPTIONS)
    if not text:
        return {}
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ConfigError(f"{STORAGE_OPTIONS} has to be a JSON object")
    return found


@dataclass(frozen=True)
class SourceOptions:
    """Options for fetching a remote bundle.

    Attributes:
        cache_dir: where fetched bundles are kept; ``None`` takes the environment variable ``LEAPSTREAM_CACHE_DIR``,
            else ``leapstream`` in the user's cache directory of this platform.
        timeout: seconds that one attempt of one request may take as a whole: a look-up, a listing, or the transfer
            of one object. Raise it for objects that take longer than that to transfer.
        retries: further attempts after a transient failure (time-out, connection error, HTTP 408, 429, 5xx), with
            exponential back-off and jitter.
        storage_options: given to the fsspec file system, such as ``token``, ``endpoint_url`` or ``anon``; by default the
            JSON object in the environment variable ``LEAPSTREAM_STORAGE_OPTIONS``. Never shown by ``repr``, as it may
            hold secrets.
        max_size: largest number of bytes that a bundle may have, as stored; ``None`` for no limit.
        max_files: largest number of files in a bundle that is a remote directory; ``None`` for no limit.
        limits: limits on the size of a bundle as it is read, local or remote; ``None`` for the defaults of
            :class:`leapstream.bundle.limits.Limits`.

    Raises:
        ConfigError: an option is out of its range.
    """

    cache_dir: str | os.PathLike[str] | None = None
    timeout: float = 30.0
    retries: int = 3
    storage_options: Mapping[str, Any] = field(default_factory=_storage_options, repr=False, hash=False)
    max_size: int | None = 4 * 1024**3
    max_files: int | None = 100_000
    limits: Limits | None = None

    def __post_init__(self) -> None:
        if not (self.timeout > 0 and math.isfinite(self.timeout)):
            raise ConfigError(f"timeout must be a positive number of seconds, not {self.timeout!r}")
        if self.retries < 0:
            raise ConfigError(f"retries must not be negative, but is {self.retries!r}")
        for name, value in (("max_size", self.max_size), ("max_files", self.max_files)):
            if value is not None and value <= 0:
                raise ConfigError(f"{name} must be positive or None, not {value!r}")

    def cache_path(self) -> Path:
        """The cache directory that these options stand for; it need not exist yet."""
        return Path(self.cache_dir) if self.cache_dir else cache_directory()
