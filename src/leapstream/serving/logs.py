"""The server's log: lines of text, or of JSON."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Mapping
from typing import Any, Literal

from leapstream.escaping import json_text, printable

LOG = logging.getLogger("leapstream.serving")

LogFormat = Literal["text", "json"]
# What callers add to a line by ``extra={"fields": {…}}``.
_FIELDS = "fields"


class TextFormatter(logging.Formatter):
    """A line of text: time, level, message, and the fields as ``name=value``."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        fields = getattr(record, _FIELDS, {})
        parts = [_time(record), record.levelname, printable(record.getMessage())]
        parts += [f"{name}={printable(str(value))}" for name, value in fields.items()]
        if record.exc_info:
            parts.append(printable(self.formatException(record.exc_info)))
        return " ".join(parts)


class JsonFormatter(logging.Formatter):
    """A JSON object: ``time``, ``level``, ``logger``, ``message``, and the fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        line = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, _FIELDS, {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json_text(line, indent=None)


def _time(record: logging.LogRecord) -> str:
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{moment}.{int(record.msecs):03d}Z"


def log_failure(what: str, fields: Mapping[str, Any], error: Exception) -> None:
    """Log that a request or call failed; with the traceback if its ``kind`` is ``internal``.

    Args:
        what: ``request`` or ``call``.
        fields: what is known of it.
        error: why it failed.
    """
    if fields["kind"] == "internal":
        LOG.error("%s failed", what, extra={_FIELDS: fields}, exc_info=error)
    else:
        LOG.info("%s rejected", what, extra={_FIELDS: fields})


def set_up(log_format: LogFormat) -> None:
    """Write the log of this process, the web server's included, to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    for name in ("leapstream", "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(logging.INFO)
        logger.propagate = False
