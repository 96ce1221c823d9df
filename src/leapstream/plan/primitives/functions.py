"""Functions of numbers, and of vectors element by element or as classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from leapstream.plan.graph import Doubles, Expr

UnaryFunction: TypeAlias = Literal[
    "negate",  # -x
    "logistic",  # 1 / (1 + exp(-x))
    "one_minus",  # 1 - x
    "double",  # 2 x
    "exp",
    "log",
    "sqrt",
    "sin",
    "cos",
    "tan",
    "abs",
    "floor",
    "ceil",
    "round",  # halves up; NaN gives 0; at most and at least a 64-bit integer
    "logit",  # log(x / (1 - x))
    "reciprocal",  # 1 / x
    "square",
    "normal_cdf",  # (1 + erf(x / sqrt 2)) / 2
    "complementary_log_log",  # 1 - exp(-exp(x))
    "finite",  # -inf and inf become the least and the greatest double
    "open_unit",  # held within [1e-16, 1 - 1e-16], NaN stays
    "positive",  # at least 1e-16, inf becomes the greatest double, NaN stays
]


@dataclass(frozen=True, eq=False, kw_only=True)
class Unary(Expr):
    """``function`` of the double ``x``, or of each element of the vector ``x``."""

    x: Expr
    function: UnaryFunction


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
