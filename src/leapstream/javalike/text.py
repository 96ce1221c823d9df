"""Functions of strings with Java's results: lower case, letters, matches of regular expressions."""

from __future__ import annotations

import math
import time
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import regex

from leapstream.javalike.regex import JavaPattern, translate

T = TypeVar("T")

# ---- lower case -------------------------------------------------------------------------------------------------------

_SIGMA = "Σ"
_NAMED_CASED = r"\u02b0-\u02b8\u02c0\u02c1\u02e0-\u02e4\u0345\u037a\u1d2c-\u1d61\u2160-\u217f\u24b6-\u24e9"
_CASED = regex.compile(rf"[\p{{Lu}}\p{{Ll}}\p{{Lt}}{_NAMED_CASED}]")

# The words of Java's break iterator: letters and digits with some punctuation between; a mark belongs to the character before.
_FORMAT = r"[\p{Cf}--\u00ad]*"
_MARKS = r"[[\p{Mn}\p{Me}\p{Cf}]--\u00ad]*"
_LETTERS = rf"(?:[[\p{{L}}\p{{Mc}}]--[\u3005\u4e00-\u9fa5\uf900-\ufa2d\u30a1-\u30fe\u3041-\u309e]]{_MARKS})+"
_BETWEEN_LETTERS = rf"[\p{{Pd}}\p{{Pc}}\u00ad\u2027\"'.]{_FORMAT}"
_NUMBERS = rf"(?:\p{{N}}{_MARKS})+"
_BETWEEN_NUMBERS = rf"[\"',\u066b.]{_FORMAT}"
_WORD_PART = rf"{_LETTERS}(?:{_BETWEEN_LETTERS}{_LETTERS})*[\u0964\u0965]?"
_NUMBER = rf"{_NUMBERS}(?:{_BETWEEN_NUMBERS}{_NUMBERS})*"
_WORD = regex.compile(rf"(?:{_WORD_PART})?(?:{_NUMBER}{_WORD_PART})*(?:{_NUMBER})?", regex.V1)


def lower(text: str) -> str:
    """``String.toLowerCase`` in the root locale.

    The result is that of Python's ``str.lower``, except that Java finds the end of a word, where a sigma has another form, with
    its break iterator.
    """
    if _SIGMA not in text:
        return text.lower()
    parts: list[str] = []
    for start, end in _words(text):
        pieces = text[start:end].split(_SIGMA)
        at = start
        for piece in pieces[:-1]:
            at += len(piece)
            parts += [piece.lower(), "ς" if _ends_word(text, at, start, end) else "σ"]
            at += 1
        parts.append(pieces[-1].lower())
    return "".join(parts)


def _ends_word(text: str, at: int, start: int, end: int) -> bool:
    """True if the word from ``start`` to ``end`` has a cased letter before the index ``at``, and none after it."""
    before = at
    while not _is_edge(text, before, start):
        if _CASED.match(text, before - 1):
            break
        before -= 1
    else:
        return False
    after = at + 1
    while not _is_edge(text, after, end):
        if _CASED.match(text, after):
            return False
        after += 1
    return True


def _is_edge(text: str, at: int, edge: int) -> bool:
    """True if Java takes ``at`` for the edge of a word; it does so after each pair of surrogates that does not begin the text."""
    return at == edge or (at > 1 and text[at - 1] > "\uffff")


def _words(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    while start < len(text):
        match = _WORD.match(text, start)
        end = max(start + 1, match.end() if match else 0)
        yield start, end
        start = end


# ---- letters ----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def letters() -> npt.NDArray[np.bool_]:
    """For each character of the Basic Multilingual Plane, true if it is a letter (categories L*): bool (65536,)."""
    return np.array([unicodedata.category(chr(c)).startswith("L") for c in range(0x10000)])


# ---- matches ----------------------------------------------------------------------------------------------------------


_PAIR = regex.compile(r"[\U00010000-\U0010ffff]")


class UncertainMatchError(ValueError):
    """Java's matches in a text cannot be determined in Python. The message says why."""


_FEW_STEPS = 10**8
"""Steps that take about a second: a match that can take no more needs no clock."""


@dataclass(frozen=True)
class Matcher:
    """Finds the matches of a Java pattern in texts.

    Each method may take a second, and 10 µs more for each character; then it raises ``TimeoutError``.
    """

    pattern: JavaPattern
    compiled: tuple[Any, ...]

    @classmethod
    def of(cls, pattern: str) -> Matcher:
        """The matcher of a pattern.

        Raises:
            BundleError, UnsupportedOpError: see :func:`~leapstream.javalike.regex.translate`.
        """
        translated = translate(pattern)
        return cls(translated, tuple(regex.compile(source, regex.V0) for source in translated.sources))

    def found(self, text: str) -> bool:
        """True if the pattern matches a part of ``text``.

        Raises:
            UncertainMatchError: versions of Java disagree, or a match may lie inside a pair of surrogates.
            TimeoutError: it takes too long.
        """
        limit = self._seconds(text)
        found = self._agreed(text, lambda compiled: compiled.search(text, timeout=limit) is not None)
        if not found:
            self._check_pairs(text)
        return found

    def matches(self, text: str) -> list[str]:
        """All matches, one after the other.

        Raises:
            UncertainMatchError: versions of Java disagree, or a match may lie inside a pair of surrogates.
            TimeoutError: it takes too long.
        """
        self._check_pairs(text)
        return self._agreed(text, lambda compiled: self._found(compiled, text))

    def gaps(self, text: str) -> list[str]:
        """The parts of ``text`` between the matches, as ``Pattern.split`` returns them.

        Raises:
            UncertainMatchError: versions of Java disagree, or a match may lie inside a pair of surrogates.
            TimeoutError: it takes too long.
        """
        self._check_pairs(text)
        return self._agreed(text, lambda compiled: self._gaps(compiled, text))

    def _seconds(self, text: str) -> float | None:
        """The time limit for a text; ``None`` where matching is quick for sure."""
        loops = self.pattern.loops
        # The ways to share a part of the text among the loops.
        quick = loops < 8 and len(text) < _FEW_STEPS and math.comb(len(text) + int(loops), int(loops) + 1) <= _FEW_STEPS
        return None if quick else 1.0 + 1e-5 * len(text)

    def _agreed(self, text: str, find: Callable[[Any], T]) -> T:
        first, *others = self.compiled
        found = find(first)
        if others and not text.isascii() and any(find(other) != found for other in others):
            raise UncertainMatchError("\\b means one thing to Java 17 and another to Java 21 here")
        return found

    def _check_pairs(self, text: str) -> None:
        """Raise an error if ``text`` has pairs of surrogates and Java may find a match that starts inside one."""
        if self.pattern.splits_pairs and _PAIR.search(text):
            raise UncertainMatchError("a match may lie within a pair of surrogates")

    def _spans(self, compiled: Any, text: str) -> Iterator[tuple[int, int]]:
        """Start and end of each match; after an empty match Java continues at the next character."""
        limit = self._seconds(text)
        if not self.pattern.matches_empty:
            yield from (match.span() for match in compiled.finditer(text, timeout=limit))
            return
        end = None if limit is None else time.process_time() + limit
        at = 0
        while at <= len(text):
            left = None if end is None else max(end - time.process_time(), 1e-6)
            match = compiled.search(text, at, timeout=left)
            if match is None:
                return
            start, at = match.span()
            yield start, at
            if start == at:
                at += 1

    def _found(self, compiled: Any, text: str) -> list[str]:
        if compiled.groups or self.pattern.matches_empty:
            return [text[start:end] for start, end in self._spans(compiled, text)]
        found: list[str] = compiled.findall(text, timeout=self._seconds(text))
        return found

    def _gaps(self, compiled: Any, text: str) -> list[str]:
        parts: list[str] = []
        at = 0
        for start, end in self._spans(compiled, text):
            if end > 0:
                parts.append(text[at:start])
                at = end
        if at == 0:
            return [text]
        parts.append(text[at:])
        while parts and not parts[-1]:
            parts.pop()
        return parts


__all__ = ["Matcher", "UncertainMatchError", "letters", "lower"]
