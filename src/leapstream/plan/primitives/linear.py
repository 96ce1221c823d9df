"""Linear algebra over vectors."""

from __future__ import annotations

from dataclasses import dataclass, field

from leapstream.plan.graph import Doubles, Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class Dot(Expr):
    """``x · weights + intercept``; fails where the vector ``x`` has another size than ``weights``."""

    x: Expr
    weights: Doubles = field(repr=False)
    intercept: float


@dataclass(frozen=True, eq=False, kw_only=True)
class MatVec(Expr):
    """``matrix @ x + intercepts`` with a matrix (rows, columns); fails where the vector ``x`` has another size than columns."""

    x: Expr
    matrix: Doubles = field(repr=False)
    intercepts: Doubles


@dataclass(frozen=True, eq=False, kw_only=True)
class LinearSum(Expr):
    """A linear model over parts of a vector that is never built (made by fusion from :class:`Dot` over :class:`Concat`).

    ``intercept`` plus, for each of ``xs`` in order: a double times its one weight; a vector's dot product with its weights.
    """

    xs: tuple[Expr, ...]
    weights: tuple[Doubles, ...] = field(repr=False)
    intercept: float


@dataclass(frozen=True, eq=False, kw_only=True)
class CosineTransform(Expr):
    """The discrete cosine transform of the vector ``x``, scaled to be orthonormal: type II, or its inverse (type III).

    Of more than one element, all are NaN where one is NaN or infinite. Fails where ``x`` has no elements.
    """

    x: Expr
    inverse: bool
