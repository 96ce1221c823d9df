"""Escapes texts of bundles, rows and servers for the media that show them: messages, terminals, JSON, HTML and SQL.

A name may have control characters, line breaks, and characters that change the direction of what follows. Shown as they are,
they forge lines of logs or command terminals. The Java class ``leapstream.runtime.Printable`` escapes the same characters in
the same way.
"""

from __future__ import annotations

import html
import json
import re
from typing import Any

MOST_CHARACTERS = 1000
"""The number of characters of a value that a message shows."""

_UNPRINTABLE = (
    r"\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    r"\ud800-\udfff\U000e0000-\U000e0fff"
)
_CHARACTER = re.compile(f"[{_UNPRINTABLE}]")
_CHARACTER_IN_LINES = re.compile(f"(?!\n)[{_UNPRINTABLE}]")
_NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def printable(text: str) -> str:
    """The text in one line: control characters, line breaks and characters that are not shown become Python's escapes."""
    return _CHARACTER.sub(_escape, text)


def printable_lines(text: str) -> str:
    """Like :func:`printable`, but line breaks stay."""
    return _CHARACTER_IN_LINES.sub(_escape, text)


def message_value(text: str) -> str:
    """The text for a message: printable, and without the characters after the first :data:`MOST_CHARACTERS`."""
    cut = text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + "…"
    return printable(cut)


def is_printable(text: str) -> bool:
    """True if :func:`printable` leaves the text as it is."""
    return _CHARACTER.search(text) is None


def json_text(value: Any, *, indent: int | None = None) -> str:
    """The value as JSON, without characters that a terminal does not show."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return _CHARACTER_IN_LINES.sub(lambda match: "".join(f"\\u{unit:04x}" for unit in _units(match[0])), text)


def html_text(text: str) -> str:
    """The text as HTML, in elements and in attributes."""
    return html.escape(printable(text))


def sql_string(text: str) -> str:
    """The text as a string literal of Flink's SQL; characters that are not shown become code points."""
    if is_printable(text):
        return "'" + text.replace("'", "''") + "'"
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return "U&'" + _CHARACTER.sub(lambda match: "".join(f"\\{unit:04x}" for unit in _units(match[0])), escaped) + "'"


def sql_name(name: str) -> str:
    """The name as a quoted identifier of Flink's SQL.

    Identifiers have no escapes, so that a statement for people must not have a name with characters that are not shown.
    """
    return "`" + name.replace("`", "``") + "`"


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    code = ord(char)
    if char in _NAMED:
        return _NAMED[char]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _units(char: str) -> list[int]:
    data = char.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2)]
