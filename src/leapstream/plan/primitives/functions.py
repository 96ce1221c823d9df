"""Functions of one number and of two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from leapstream.plan.graph import Expr

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


BinaryFunction: TypeAlias = Literal[
    "add",
    "sub",
    "mul",
    "div",
    "rem",  # with the sign of a, as in Java and C
    "log_n",  # log(a) / log(b)
    "pow",  # as in Java: NaN where b is NaN, or a is 1 or -1 and b infinite
    "min",  # NaN where one is NaN; -0.0 is less than 0.0
    "max",
]


@dataclass(frozen=True, eq=False, kw_only=True)
class Binary(Expr):
    """``function`` of the doubles ``a`` and ``b``."""

    a: Expr
    b: Expr
    function: BinaryFunction
