"""Texts and their tokens."""

from __future__ import annotations

from dataclasses import dataclass, field

from leapstream.plan.graph import Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class LowerCase(Expr):
    """The string ``x`` in lower case, as by Java's ``toLowerCase`` in the root locale, including the form of a final sigma."""

    x: Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class StripAccents(Expr):
    """The string ``x`` in compatibility decomposition (NFKD), without combining characters; with ``ascii``, its ASCII characters.

    Without ``ascii``, a string of ASCII characters alone stays as it is.
    """

    x: Expr
    ascii: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class CharacterGrams(Expr):
    """The substrings of ``least`` to ``greatest`` characters of the string ``x``, shorter ones first, as tokens.

    Two and more whitespace characters (those of Python) count as one blank. With ``words``, the substrings are those of each
    word with a blank before and after it; from the length on that the word does not have, it is one substring as a whole, once.
    Characters are code points.
    """

    x: Expr
    least: int
    greatest: int
    words: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class Tokens(Expr):
    """The matches of the Java regular expression ``pattern`` in the string ``x``, or with ``gaps`` the parts between the matches.

    The parts between are those of ``Pattern.split``: without empty strings at the end, and without an empty string before an
    empty match at the start; the whole string where nothing matches.
    """

    x: Expr
    pattern: str
    gaps: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class TokensOfLength(Expr):
    """The tokens ``x`` whose length is at least ``min_length``; fails where a token is missing.

    With ``letters``, only tokens that consist of letters of the Basic Multilingual Plane.
    """

    x: Expr
    min_length: int
    letters: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class WithoutWords(Expr):
    """The tokens ``x`` that are not in ``words``; unless ``case_sensitive``, both are compared in lower case."""

    x: Expr
    words: tuple[str, ...] = field(repr=False)
    case_sensitive: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class NGrams(Expr):
    """The sequences of ``n`` consecutive tokens of ``x``, joined by blanks; a missing token is "null". Fails if ``n`` < 1."""

    x: Expr
    n: int
