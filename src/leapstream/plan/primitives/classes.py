"""Classes: scores turned into probabilities and predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from leapstream.plan.graph import Doubles, Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class Softmax(Expr):
    """Probabilities of the margins ``x``: ``exp(x - m) / sum`` with ``m`` the greatest margin when positive, else 0.

    Where the greatest margin is infinite its class has probability 1.
    """

    x: Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class NormalizeSum(Expr):
    """The vector ``x`` divided by the sum of its elements; ``x`` itself where that is 0."""

    x: Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class ArgMax(Expr):
    """Index, as a double, of the greatest element of ``x``, the first of equals (Spark's ``Vector.argmax``: a NaN in front wins).

    With ``thresholds`` each element is first divided by its threshold; a threshold of 0 makes it infinite.
    """

    x: Expr
    thresholds: Doubles | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class RequireElements(Expr):
    """The vector ``x``; fails where it stores an element that is not ``allowed``, as NaN never is."""

    x: Expr
    allowed: Literal["zero_or_one", "nonnegative"]


@dataclass(frozen=True, eq=False, kw_only=True)
class ExpNormalize(Expr):
    """``exp(x - m) / sum`` with ``m`` the greatest element of the vector ``x`` and the sum over its elements; or its logarithm.

    The logarithm is computed as ``x - (log(sum) + m)``. Where an element is NaN or infinity, or all are -infinity, all are NaN.
    """

    x: Expr
    log: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class SquareSums(Expr):
    """The sum of the squares of every ``size`` consecutive elements of the vector ``x``, whose length is a multiple of that."""

    x: Expr
    size: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Greatest(Expr):
    """The greatest element of the vector ``x``, or its position as a double, the first of equals.

    Elements are compared as Java's ``Double.compare`` does: NaN is the greatest, and 0.0 is greater than -0.0.
    """

    x: Expr
    position: bool
