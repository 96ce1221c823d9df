"""Vectors of known words."""

from __future__ import annotations

from dataclasses import dataclass, field

from leapstream.plan.graph import Doubles, Expr


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
