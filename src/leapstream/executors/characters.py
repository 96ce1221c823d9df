"""Characters of texts, for all executors in Python: accents, and substrings."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_SPACES = re.compile(r"\s\s+")


def strip_accents(text: str, ascii: bool) -> str:
    """See :class:`leapstream.plan.primitives.StripAccents`."""
    if text.isascii():
        return text
    found = unicodedata.normalize("NFKD", text)
    if ascii:
        return "".join(c for c in found if c < "\x80")
    return "".join(c for c in found if not unicodedata.combining(c))


def character_grams(text: str, least: int, greatest: int, words: bool) -> list[str]:
    """See :class:`leapstream.plan.primitives.CharacterGrams`."""
    text = _SPACES.sub(" ", text)
    found: list[str] = []
    if not words:
        for n in range(least, greatest + 1):
            found += (text[i : i + n] for i in range(len(text) - n + 1))
        return found
    for word in text.split():
        padded = f" {word} "
        for n in range(least, greatest + 1):
            if n >= len(padded):
                found.append(padded)
                break
            found += (padded[i : i + n] for i in range(len(padded) - n + 1))
    return found


@cache
def combining_ranges() -> tuple[int, ...]:
    """The first code point and the one after the last of each range of combining characters."""
    limits: list[int] = []
    inside = False
    for code in range(0x110000):
        if bool(unicodedata.combining(chr(code))) != inside:
            inside = not inside
            limits.append(code)
    return tuple(limits)
