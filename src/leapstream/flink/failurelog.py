"""Warnings of rows that fail and do not stop the job, at most one a minute.

The Java class ``ModelMetrics`` warns in the same way.
"""

from __future__ import annotations

import logging
import time

from leapstream.escaping import message_value
from leapstream.model import Model

_log = logging.getLogger(__name__)

_SECONDS_BETWEEN_WARNINGS = 60.0


class FailureLog:
    """Warns of the rows that fail in a model: how many since the last warning, and the last error.

    Args:
        model: the model.
        version: its version in a store; by default the uid of its bundle.
    """

    def __init__(self, model: Model, version: str | None = None) -> None:
        self._name = f"model '{message_value(model.name)}', version {message_value(version or model.definition.uid)}"
        self._unreported = 0
        self._last_error = ""
        self._warned: float | None = None

    def failed(self, rows: int, error: str) -> None:
        """Count rows, of which the last has this error; warn if the last warning was long ago."""
        self._unreported += rows
        self._last_error = error
        now = time.monotonic()
        if self._warned is None or now - self._warned >= _SECONDS_BETWEEN_WARNINGS:
            self._warned = now
            self.close()

    def close(self) -> None:
        """Warn of the rows that no warning has counted."""
        if self._unreported:
            _log.warning(
                "%s: rows that failed since the last warning: %s. The last error: %s",
                self._name,
                self._unreported,
                self._last_error,
            )
            self._unreported = 0
