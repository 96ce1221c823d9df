"""Ids of requests, by which answers and the lines of the log find each other."""

from __future__ import annotations

import itertools
import re
import secrets

_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")


class RequestIds:
    """Gives each request an id.

    Args:
        mark: stands in all new ids.
    """

    def __init__(self, mark: str = "") -> None:
        self._prefix = f"{secrets.token_hex(6)}-{mark}"
        self._numbers = itertools.count(1)

    def of(self, given: str | None) -> str:
        """The id that a request brings, or a new one if it brings none that may stand in a log."""
        if given is not None and _ID.fullmatch(given):
            return given
        return f"{self._prefix}{next(self._numbers):x}"
