"""Values that requests give as texts: rows of CSV, and what a text stands for in a column."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

from leapstream.bundle.types import BasicType
from leapstream.javalike.numbers import PARSERS
from leapstream.serving.failures import RequestError


def csv_rows(body: bytes) -> list[list[str]]:
    """The rows of a body of CSV; lines that are empty are none.

    Raises:
        RequestError: it is not CSV.
    """
    try:
        return [
            fields for fields in csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True) if fields
        ]
    except (csv.Error, UnicodeDecodeError) as error:
        raise RequestError(f"the body is not CSV: {error}") from None


def _boolean(text: str) -> bool:
    return text.lower() == "true"


_PARSERS: dict[BasicType, Callable[[str], Any]] = {
    **PARSERS,
    BasicType.BOOLEAN: _boolean,
    BasicType.STRING: str,
    BasicType.BYTE_STRING: str.encode,
}


def parser(base: BasicType) -> Callable[[str], Any]:
    """The function that reads a value of a type as Java does. It raises ``ValueError`` for a text that is none."""
    return _PARSERS[base]
