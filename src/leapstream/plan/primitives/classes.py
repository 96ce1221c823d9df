"""Classes: probabilities and predictions from scores."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from leapstream.plan.graph import Doubles, Expr
from leapstream.plan.primitives.trees import Trees
from leapstream.plan.primitives.vectors import Pack


@dataclass(frozen=True, eq=False, kw_only=True)
class Softmax(Expr):
    """Probabilities of the margins ``x``: ``exp(x - m) / sum``, with ``m`` the greatest margin if that is positive, otherwise 0.

    Where the greatest margin is infinite, its class has probability 1.
    """

    x: Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class NormalizeSum(Expr):
    """The vector ``x`` divided by the sum of its elements; ``x`` itself where the sum is 0. Stores what ``x`` stores."""

    x: Expr

    @property
    def needs_stored(self) -> bool:
        # A stored 0 becomes -0.0 where the sum is negative; trees and packed numbers store all elements.
        return not isinstance(self.x, (Trees, Pack))


@dataclass(frozen=True, eq=False, kw_only=True)
class ArgMax(Expr):
    """Index, as a double, of the greatest element of ``x``; the first among equals; 0 if the first element is NaN.

    This is Spark's ``Vector.argmax``, which ignores any other NaN. With ``thresholds``, each element is first divided by its
    threshold; a threshold of 0 makes the element infinite.
    """

    x: Expr
    thresholds: Doubles | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class RequireElements(Expr):
    """The vector ``x``; fails where it stores an element that is not ``allowed``. NaN is never allowed."""

    x: Expr
    allowed: Literal["zero_or_one", "nonnegative"]


@dataclass(frozen=True, eq=False, kw_only=True)
class ExpNormalize(Expr):
    """The softmax of the vector ``x``, or with ``log`` its logarithm.

    With ``m`` the greatest element and ``sum`` the sum of ``exp(x - m)``, the softmax is ``exp(x - m) / sum`` and its logarithm
    ``x - (log(sum) + m)``. If an element is NaN or +infinity, or all are -infinity, all elements of the result are NaN.
    """

    x: Expr
    log: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class SquareSums(Expr):
    """The sum of squares of each block of ``size`` elements of the vector ``x``, whose length is a multiple of ``size``."""

    x: Expr
    size: int


@dataclass(frozen=True, eq=False, kw_only=True)
class WeightedMedian(Expr):
    """The element of the vector ``x`` at which the ``weights``, added up by rising elements, reach half of their sum.

    NaN is the greatest element, and equal elements keep their order; if the sum is NaN, it is the least element. Fails where
    ``x`` and ``weights`` differ in size; there is at least one weight.
    """

    x: Expr
    weights: Doubles = field(repr=False)


@dataclass(frozen=True, eq=False, kw_only=True)
class Greatest(Expr):
    """The greatest element of the vector ``x``, or with ``position`` its index as a double; the first among equals.

    Elements are compared as Java's ``Double.compare`` does: NaN is the greatest, and 0.0 is greater than -0.0.
    """

    x: Expr
    position: bool
