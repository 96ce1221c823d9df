"""Linear algebra over vectors."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from leapstream.plan.graph import Doubles, Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class Dot(Expr):
    """``x · weights + intercept``; fails where the vector ``x`` and ``weights`` differ in size.

    The products are added to 0 from left to right, then the intercept; elements that are not stored take no part.
    """

    x: Expr
    weights: Doubles = field(repr=False)
    intercept: float

    @property
    def needs_stored(self) -> bool:
        """An element that is not stored is 0, which makes NaN of an infinite weight."""
        return not bool(np.isfinite(self.weights).all())


@dataclass(frozen=True, eq=False, kw_only=True)
class MatVec(Expr):
    """``matrix @ x + intercepts`` for a matrix (rows, columns); fails where the vector ``x`` has not ``columns`` elements.

    Each sum is made like that of :class:`Dot`.
    """

    x: Expr
    matrix: Doubles = field(repr=False)
    intercepts: Doubles

    @property
    def needs_stored(self) -> bool:
        """As for :class:`Dot`."""
        return not bool(np.isfinite(self.matrix).all())


@dataclass(frozen=True, eq=False, kw_only=True)
class LinearSum(Expr):
    """A linear model over the parts of a vector: ``intercept`` plus, for each of ``xs`` in order, the product with its weights.

    A double has one weight. The products of all parts are added to 0 one after the other, then the intercept. The rewrite
    ``fuse_linear`` makes this of :class:`Dot` over :class:`Concat`, so that the vector is not built; its weights are finite, so
    that it does not matter what is stored.
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
