"""Strings and numbers as categories, and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from leapstream.bundle.types import ScalarType
from leapstream.plan.graph import Doubles, Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class Lookup(Expr):
    """Index of the string ``x`` among ``labels`` as a double; the last position of a label that repeats.

    Where ``x`` is missing: ``len(labels)`` with ``keep``, else fails. Where it is no label: ``len(labels)`` with ``keep``,
    drops with ``skip``, fails with ``error``.
    """

    x: Expr
    labels: tuple[str, ...] = field(repr=False)
    invalid: Literal["error", "skip", "keep"]

    @property
    def drops(self) -> bool:
        return self.invalid == "skip"


@dataclass(frozen=True, eq=False, kw_only=True)
class Label(Expr):
    """The string at position ``x`` (double, or a list or vector of doubles; cut towards zero) of ``labels``; fails elsewhere."""

    x: Expr
    labels: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, eq=False, kw_only=True)
class OneHot(Expr):
    """A sparse vector of ``width`` that stores 1 at position ``x`` (double), or nothing when that is ``width`` or beyond.

    ``x`` fails when it is no integer. Outside of [0, categories) it fails, or counts as ``categories`` when ``keep``.
    """

    x: Expr
    categories: int
    width: int
    keep: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class CategoryWeight(Expr):
    """The dot product of a :class:`OneHot` with ``weights``: the weight at its 1, or 0 where it stores nothing.

    Fails as :class:`OneHot` does.
    """

    x: Expr
    weights: Doubles = field(repr=False)
    categories: int
    keep: bool

    @property
    def padded(self) -> Doubles:
        """A weight for every position that :class:`OneHot` knows: 0 for those that it does not store."""
        return np.concatenate([self.weights, np.zeros(max(0, self.categories + 1 - len(self.weights)))])


@dataclass(frozen=True, eq=False, kw_only=True)
class Bucketize(Expr):
    """Number of the bucket [splits[i], splits[i+1]) that holds the double ``x``; the last bucket includes its upper bound.

    NaN: ``len(splits) - 1`` with ``keep``, drops with ``skip``, fails with ``error``. Fails outside of the splits.
    """

    x: Expr
    splits: Doubles
    invalid: Literal["error", "skip", "keep"]

    @property
    def drops(self) -> bool:
        return self.invalid == "skip"


@dataclass(frozen=True, eq=False, kw_only=True)
class Binarize(Expr):
    """1 where ``x`` (a double, or each element of a vector) is greater than ``threshold``, else 0; NaN gives 0.

    Elements that a sparse vector does not store stay 0.
    """

    x: Expr
    threshold: float

    @property
    def needs_stored(self) -> bool:
        return self.threshold < 0 and not isinstance(self.x.type, ScalarType)
