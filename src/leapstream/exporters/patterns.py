"""Python's regular expressions in Java's syntax, as far as they mean the same."""

from __future__ import annotations

import importlib
import re
from typing import Any

WORD = r"[\p{L}\p{N}_]"
_BOUNDARY = f"(?:(?<={WORD})(?!{WORD})|(?<!{WORD})(?={WORD}))"

_CLASSES = {
    "CATEGORY_WORD": r"\p{L}\p{N}_",
    "CATEGORY_DIGIT": r"\p{Nd}",
    "CATEGORY_SPACE": r"\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000",
}
"""The characters of Python's classes, within a class of Java's."""


class PatternError(ValueError):
    """A pattern has a part that Java's syntax has not, or that means something else."""


def to_java(pattern: str) -> str:
    """The pattern of Java that matches what a pattern of Python finds.

    Raises:
        PatternError: there is no such pattern; the message says why.
    """
    try:
        parser: Any = importlib.import_module("re._parser")
    except ImportError:
        # Python 3.10 has it under this name.
        parser = importlib.import_module("sre_parse")
    try:
        parsed = parser.parse(pattern)
    except re.error as error:
        raise PatternError(str(error)) from error
    if parsed.state.groups > 1:
        raise PatternError("it has groups")
    if parsed.state.flags & ~re.UNICODE:
        raise PatternError("it has flags")
    return _sequence(parsed)


def _sequence(parts: Any) -> str:
    return "".join(_part(str(kind), value) for kind, value in parts)


def _part(kind: str, value: Any) -> str:
    match kind:
        case "LITERAL":
            return _literal(value)
        case "NOT_LITERAL":
            return f"[^{_literal(value)}]"
        case "ANY":
            return r"[^\n]"
        case "IN":
            return _set(value)
        case "BRANCH":
            return f"(?:{'|'.join(map(_sequence, value[1]))})"
        case "SUBPATTERN" if value[0] is None and not value[1] and not value[2]:
            return f"(?:{_sequence(value[3])})"
        case "MAX_REPEAT" | "MIN_REPEAT":
            least, most, inner = value
            return f"(?:{_sequence(inner)}){_times(int(least), most)}{'?' if kind == 'MIN_REPEAT' else ''}"
        case "AT" if str(value) == "AT_BOUNDARY":
            return _BOUNDARY
        case "ASSERT" | "ASSERT_NOT":
            side = "" if value[0] > 0 else "<"
            return f"(?{side}{'=' if kind == 'ASSERT' else '!'}{_sequence(value[1])})"
    raise PatternError(f"its part {kind} {value if kind == 'AT' else ''}".rstrip() + " is not supported")


def _times(least: int, most: Any) -> str:
    unlimited = str(most) == "MAXREPEAT"
    if unlimited and least < 2:
        return "*" if least == 0 else "+"
    if not unlimited and (least, int(most)) == (0, 1):
        return "?"
    return f"{{{least},{'' if unlimited else int(most)}}}"


def _set(members: Any) -> str:
    """A set of characters. Sets within sets, which complements in it would be, are alternatives or conditions instead."""
    negated, inside, complements = False, [], []
    for kind, value in members:
        match str(kind):
            case "NEGATE":
                negated = True
            case "LITERAL":
                inside.append(_literal(value))
            case "RANGE":
                inside.append(f"{_literal(value[0])}-{_literal(value[1])}")
            case "CATEGORY" if str(value) in _CLASSES:
                inside.append(_CLASSES[str(value)])
            case "CATEGORY" if str(value).replace("_NOT_", "_") in _CLASSES:
                complements.append(_CLASSES[str(value).replace("_NOT_", "_")])
            case other:
                raise PatternError(f"its set has {other} {value}, which is not supported")
    given = "".join(inside)
    if negated:
        conditions = [f"(?![{given}])" if given else "", *(f"(?=[{part}])" for part in complements)]
        return f"[^{given}]" if not complements else f"(?:{''.join(conditions)}[{complements[0]}])"
    choices = [*([f"[{given}]"] if given else []), *(f"[^{part}]" for part in complements)]
    return choices[0] if len(choices) == 1 else f"(?:{'|'.join(choices)})"


def _literal(code: int) -> str:
    character = chr(code)
    if character.isalnum():
        return character
    return f"\\x{{{code:x}}}" if code > 0xFFFF else f"\\u{code:04x}"
