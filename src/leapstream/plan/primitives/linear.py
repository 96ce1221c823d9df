"""Linear algebra over vectors."""

from __future__ import annotations

from dataclasses import dataclass, field

from leapstream.plan.graph import Doubles, Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class Dot(Expr):
    """``x · weights + intercept``; fails where the vector ``x`` and ``weights`` differ in size."""

    x: Expr
    weights: Doubles = field(repr=False)
    intercept: float


@dataclass(frozen=True, eq=False, kw_only=True)
class MatVec(Expr):
    """``matrix @ x + intercepts`` for a matrix (rows, columns); fails where the vector ``x`` has not ``columns`` elements."""

    x: Expr
    matrix: Doubles = field(repr=False)
    intercepts: Doubles


@dataclass(frozen=True, eq=False, kw_only=True)
class LinearSum(Expr):
    """A linear model over the parts of a vector: ``intercept`` plus, for each of ``xs`` in order, the product with its weights.

    A double has one weight. The rewrite ``fuse_linear`` makes this of :class:`Dot` over :class:`Concat`, so that the vector is
    not built.
    """

    xs: tuple[Expr, ...]
    weights: tuple[Doubles, ...] = field(repr=False)
    intercept: float


@dataclass(frozen=True, eq=False, kw_only=True)
class CosineTransform(Expr):
    """The orthonormal discrete cosine transform of the vector ``x``: type II, or with ``inverse`` type III.

    If an element is NaN or infinite and ``x`` has several elements, all elements of the result are NaN. Fails where ``x`` has no
    elements.
    """

    x: Expr
    inverse: bool
