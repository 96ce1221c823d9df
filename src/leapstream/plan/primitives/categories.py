"""Strings and numbers as categories, and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from leapstream.bundle.types import ScalarType, TensorType
from leapstream.plan.graph import Doubles, Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class Lookup(Expr):
    """Index of the string ``x`` in ``labels`` as a double; for a label that repeats, its last index.

    Where ``x`` is missing, the result is ``len(labels)`` with ``keep``; otherwise the row fails. Where ``x`` is not in
    ``labels``, the result is ``len(labels)`` with ``keep``; the row drops with ``skip`` and fails with ``error``.
    """

    x: Expr
    labels: tuple[str, ...] = field(repr=False)
    invalid: Literal["error", "skip", "keep"]

    @property
    def drops(self) -> bool:
        return self.invalid == "skip"


@dataclass(frozen=True, eq=False, kw_only=True)
class Label(Expr):
    """``labels[int(x)]`` for a double ``x``, or for each element of a list or that a tensor of doubles stores.

    Doubles are truncated towards zero. Fails where an index is out of range. The result of a sparse tensor is sparse.
    """

    x: Expr
    labels: tuple[str, ...] = field(repr=False)

    @property
    def needs_stored(self) -> bool:
        return isinstance(self.x.type, TensorType)

    @property
    def takes_tensors(self) -> bool:
        return True


@dataclass(frozen=True, eq=False, kw_only=True)
class OneHot(Expr):
    """A sparse vector of ``width`` elements that stores 1 at index ``x`` (a double), or nothing if ``x >= width``.

    Fails where ``x`` is not an integer of 32 bits. A category outside of [0, categories) fails, or with ``keep`` is replaced by
    ``categories``.
    """

    x: Expr
    categories: int
    width: int
    keep: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class CategoryWeight(Expr):
    """The dot product of a :class:`OneHot` with ``weights``: the weight at the vector's 1, or 0 where it stores nothing.

    Fails where :class:`OneHot` does.
    """

    x: Expr
    weights: Doubles = field(repr=False)
    categories: int
    keep: bool

    @property
    def padded(self) -> Doubles:
        """The weights of all ``categories + 1`` possible indexes; 0 for an index at which :class:`OneHot` stores nothing."""
        return np.concatenate([self.weights, np.zeros(max(0, self.categories + 1 - len(self.weights)))])


@dataclass(frozen=True, eq=False, kw_only=True)
class Bucketize(Expr):
    """Index ``i`` of the bucket [splits[i], splits[i+1]) that contains the double ``x``; the last one includes its upper bound.

    For NaN the result is ``len(splits) - 1`` with ``keep``; the row drops with ``skip`` and fails with ``error``. Fails where
    ``x`` is outside of the splits. Where the splits do not rise, or differ only in the sign of 0, the result is the bucket that
    Java's binary search finds.
    """

    x: Expr
    splits: Doubles
    invalid: Literal["error", "skip", "keep"]

    @property
    def rises(self) -> bool:
        """True if each split is greater than the one before."""
        return bool((self.splits[1:] > self.splits[:-1]).all()) and not bool(
            np.signbit(self.splits[self.splits == 0.0]).any()
        )

    @property
    def drops(self) -> bool:
        return self.invalid == "skip"


@dataclass(frozen=True, eq=False, kw_only=True)
class Binarize(Expr):
    """1 where ``x`` (a double, or each element of a vector) is greater than ``threshold``, otherwise 0; NaN gives 0.

    Elements that a sparse vector does not store give 0, even if ``threshold`` is negative.
    """

    x: Expr
    threshold: float

    @property
    def needs_stored(self) -> bool:
        return self.threshold < 0 and not isinstance(self.x.type, ScalarType)
