"""SQL scripts: their statements, as Flink's lexer sees them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from leapstream.errors import ConfigError

# What Flink's lexer takes as one piece. A backslash is an ordinary character in its strings, other than in most SQL
# lexers for Python; quotes are doubled.
_PIECE = re.compile(
    r"""
    (?P<string>  [UuNnXx]?&?'(?:[^']|'')*')
  | (?P<name>    `(?:[^`]|``)*`)
  | (?P<hint>    /\*\+.*?\*/)
  | (?P<comment> --[^\r\n]* | //[^\r\n]* | /\*.*?\*/)
  | (?P<open>    ['`] | /\*)
  | (?P<end>     ;)
  | (?P<other>   \w+ | .)
    """,
    re.VERBOSE | re.DOTALL,
)
_SET_OF_STATEMENTS = re.compile(
    r"(?:EXECUTE|(EXPLAIN)(?:\s+\w+)*?)\s+STATEMENT\s+SET\s+(?:AS\s+)?BEGIN\b", re.IGNORECASE
)
_LEGACY_SET = re.compile(r"BEGIN\s+STATEMENT\s+SET$", re.IGNORECASE)
_SETTING = re.compile(r"SET\s+'((?:[^']|'')+)'\s*=\s*'((?:[^']|'')*)'$", re.IGNORECASE)
_RESETTING = re.compile(r"RESET\s+'((?:[^']|'')+)'$", re.IGNORECASE)
_OPENING = {"'": "a quote (')", "`": "a quoted name (`)", "/*": "a comment (/*)"}


@dataclass(frozen=True)
class Statement:
    """A statement of a script.

    Attributes:
        text: without comments (hints are kept) and without the semicolon.
        line: where it begins, from 1.
    """

    text: str
    line: int

    def setting(self) -> tuple[str, str | None] | None:
        """Key and value of a ``SET 'key' = 'value'``; the value of a ``RESET 'key'`` is ``None``; else ``None``."""
        found = _SETTING.match(self.text)
        if found:
            return found[1].replace("''", "'"), found[2].replace("''", "'")
        found = _RESETTING.match(self.text)
        return (found[1].replace("''", "'"), None) if found else None


def split(script: str, where: str = "script") -> list[Statement]:
    """The statements of a script; a statement set, from its ``BEGIN`` to its ``END``, is one.

    Raises:
        ConfigError: a quote or comment, or a statement set, does not end; ``where`` and the line are in the message.
    """
    statements: list[Statement] = []
    opened: Statement | None = None
    for statement in _simple(script, where):
        if opened is None:
            if _LEGACY_SET.match(statement.text):
                opened = Statement("EXECUTE STATEMENT SET BEGIN", statement.line)
            elif _SET_OF_STATEMENTS.match(statement.text):
                opened = Statement(statement.text + ";", statement.line)
            else:
                statements.append(statement)
        elif statement.text.upper() == "END":
            statements.append(Statement(f"{opened.text}\nEND", opened.line))
            opened = None
        else:
            opened = Statement(f"{opened.text}\n{statement.text};", opened.line)
    if opened is not None:
        raise ConfigError(f"{where}: line {opened.line}: the statement set has no END")
    return statements


def _simple(script: str, where: str) -> Iterator[Statement]:
    parts: list[str] = []
    begin = -1
    for piece in _PIECE.finditer(script):
        kind, text = piece.lastgroup, piece[0]
        if kind == "open":
            line = script.count("\n", 0, piece.start()) + 1
            raise ConfigError(f"{where}: line {line}: {_OPENING[text]} does not end")
        if kind == "end":
            yield from _statement(parts, begin, script)
            parts, begin = [], -1
        elif kind == "comment":
            parts.append(" ")
        else:
            if begin < 0 and not text.isspace():
                begin = piece.start()
            parts.append(text)
    yield from _statement(parts, begin, script)


def _statement(parts: list[str], begin: int, script: str) -> Iterator[Statement]:
    if begin >= 0:
        yield Statement("".join(parts).strip(), script.count("\n", 0, begin) + 1)
