"""Vectors of known words."""

from __future__ import annotations

from dataclasses import dataclass, field

from leapstream.plan.graph import Doubles, Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class VocabularyCounts(Expr):
    """The number of occurrences of each word of ``vocabulary`` among the tokens ``x``, or with ``binary`` 1, as a sparse vector.

    The vector has as many elements as there are distinct words. The index of a word is its last position in ``vocabulary``; a
    word whose index is beyond the vector fails. Only counts of at least ``min_count`` are stored; a ``min_count`` below 1 is a
    fraction of the number of tokens.
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
    """The sum of the vectors of those tokens ``x`` that are in ``words``, scaled; zeros where there are no tokens.

    The sum is divided by the number of all tokens, or with ``normalize`` by its 2-norm. Fails where a word's vector is
    incomplete.

    Attributes:
        words: distinct words.
        vectors: float64 (words, size).
        complete: for each word, true if all elements of its vector are known.
    """

    x: Expr
    words: tuple[str, ...] = field(repr=False)
    vectors: Doubles = field(repr=False)
    complete: tuple[bool, ...] = field(repr=False)
    normalize: bool
