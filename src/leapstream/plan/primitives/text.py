"""Texts, tokens and maps.

Tokens are a list of strings, of which some may be missing. The length of a string is that of its UTF-16, as in Java.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from leapstream.plan.graph import Doubles, Expr


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


@dataclass(frozen=True, eq=False, kw_only=True)
class HashedCounts(Expr):
    """How often each hash of tokens ``x`` occurs, or with ``binary`` 1 for it, as a sparse vector of ``size``.

    The hash is 32-bit Murmur3 of the UTF-8 with seed 42, modulo ``size``; with ``legacy_tail`` the bytes behind the last full
    word are mixed in one by one, signed. That of a missing token is 42.
    """

    x: Expr
    size: int
    binary: bool
    legacy_tail: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class HashedFeatures(Expr):
    """The scalars ``xs``, each added to the element at its hash of a sparse vector of ``size``; missing ones are left out.

    The hash is that of :class:`HashedCounts`. Of a number it is that of its name; of a category it is that of ``name=value``, the
    value written as Java's ``toString``, and 1 is added.
    """

    xs: tuple[Expr, ...]
    names: tuple[str, ...]
    categories: tuple[bool, ...]
    size: int


@dataclass(frozen=True, eq=False, kw_only=True)
class VocabularyCounts(Expr):
    """How often each word of ``vocabulary`` is among the tokens ``x``, or with ``binary`` 1 for it, as a sparse vector.

    The vector has an element for each distinct word; of a word that repeats the last position counts, and a position beyond
    fails. Only counts of at least ``min_count`` are stored: below 1 that is a fraction of the number of tokens.
    """

    x: Expr
    vocabulary: tuple[str, ...] = field(repr=False)
    binary: bool
    min_count: float

    @property
    def size(self) -> int:
        """Number of distinct words."""
        return len(set(self.vocabulary))


@dataclass(frozen=True, eq=False, kw_only=True)
class WordVectors(Expr):
    """Sum of the vectors of those tokens ``x`` that are among ``words`` (distinct), scaled; zeros where there are no tokens.

    Scaled by 1 / number of tokens, known or not, or with ``normalize`` divided by the sum's 2-norm. Fails where a word's
    vector is incomplete.

    Attributes:
        vectors: float64 (words, size).
        complete: which words have all of their vector.
    """

    x: Expr
    words: tuple[str, ...] = field(repr=False)
    vectors: Doubles = field(repr=False)
    complete: tuple[bool, ...] = field(repr=False)
    normalize: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class FirstMatch(Expr):
    """The int of the first of the Java regular expressions ``patterns`` that matches within the string ``x``.

    Where none does ``default``, or fails without one. A missing ``x`` fails, unless there are no patterns.
    """

    x: Expr
    patterns: tuple[str, ...]
    values: tuple[int, ...]
    default: int | None


@dataclass(frozen=True, eq=False, kw_only=True)
class ValueAt(Expr):
    """The number at position ``x`` (a double that is whole and within) of ``values``."""

    x: Expr
    values: Doubles = field(repr=False)


@dataclass(frozen=True, eq=False, kw_only=True)
class MapEntry(Expr):
    """The value of the string ``key`` in the map ``x``, or ``default``. Fails where a value is missing that may not be."""

    x: Expr
    key: Expr
    default: bool | int | float | str


@dataclass(frozen=True, eq=False, kw_only=True)
class Coalesce(Expr):
    """The first of the doubles ``xs`` that is not missing (NaN is not); missing where all are."""

    xs: tuple[Expr, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class ElementsAtLeast(Expr):
    """Those elements of the vector ``x`` that are at least ``threshold``, or their positions, as a list of doubles.

    Fails where such an element lies at ``limit`` or beyond.
    """

    x: Expr
    threshold: float
    limit: int
    gives: Literal["elements", "positions"]
