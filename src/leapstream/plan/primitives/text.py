"""Texts and their tokens."""

from __future__ import annotations

from dataclasses import dataclass, field

from leapstream.plan.graph import Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class LowerCase(Expr):
    """The string ``x`` in lower case, as Java's ``toLowerCase`` in the root locale; final sigma included."""

    x: Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class Tokens(Expr):
    """The parts of the string ``x`` that the Java regular expression ``pattern`` matches, or with ``gaps`` what lies between.

    Gaps are those of ``Pattern.split``: without empty strings at the end, nor one in front of an empty match; the string itself
    where nothing matches.
    """

    x: Expr
    pattern: str
    gaps: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class TokensOfLength(Expr):
    """The tokens ``x`` of at least ``min_length``, with ``letters`` only those of letters of the Basic Multilingual Plane alone.

    Fails where a token is missing.
    """

    x: Expr
    min_length: int
    letters: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class WithoutWords(Expr):
    """The tokens ``x`` without ``words``; both in lower case when compared, unless ``case_sensitive``."""

    x: Expr
    words: tuple[str, ...] = field(repr=False)
    case_sensitive: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class NGrams(Expr):
    """Every ``n`` tokens of ``x`` that follow each other, joined by blanks; a missing one is "null". Fails where ``n`` < 1."""

    x: Expr
    n: int
