"""Vectors: concatenation and scaling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leapstream.plan.graph import Doubles, Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class Concat(Expr):
    """The doubles and vectors ``xs`` concatenated, without -0.0; sparse where ``1.5 * nonzeros + 2 < size``, else dense."""

    xs: tuple[Expr, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Pack(Expr):
    """The doubles ``xs`` as a dense vector."""

    xs: tuple[Expr, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Affine(Expr):
    """``(x - shift) / divisor * factor + offset`` for each element of the vector ``x``; a parameter that is ``None`` is left out.

    Where ``fixed`` is not NaN, the result is that value instead; with ``keep_nan``, NaN in ``x`` stays NaN. If ``shift``,
    ``offset`` and ``fixed`` are ``None``, the result stores the elements that ``x`` stores, and ``x`` fails where it stores an
    element at an index of ``size`` or more. Otherwise the result is dense, and ``x`` fails where it has more than ``size``
    elements. With ``keep_nan`` such a dense ``x`` does not fail if all elements from index ``size`` on are NaN, nor such a sparse
    one if the result is dense. For a shorter ``x`` the first elements of the parameters are used.
    """

    x: Expr
    size: int
    shift: Doubles | None = None
    divisor: Doubles | None = None
    factor: Doubles | None = None
    offset: Doubles | None = None
    fixed: Doubles | None = None
    keep_nan: bool = False

    @property
    def keeps_stored(self) -> bool:
        """True if the result stores the elements that ``x`` stores."""
        return self.shift is None and self.offset is None and self.fixed is None

    @property
    def needs_stored(self) -> bool:
        # Only where a step makes something else of 0.
        if not self.keeps_stored:
            return False
        zeros = np.zeros(self.size)
        with np.errstate(all="ignore"):
            divided = zeros if self.divisor is None else zeros / self.divisor
            scaled = divided if self.factor is None else divided * self.factor
        return bool((np.isnan(scaled) | np.signbit(scaled)).any())


@dataclass(frozen=True, eq=False, kw_only=True)
class Clip(Expr):
    """The double ``x``, or each element of the vector ``x``, clipped to [low, high]; NaN stays NaN."""

    x: Expr
    low: float
    high: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Normalize(Expr):
    """The vector ``x`` divided by its ``p``-norm; ``x`` itself where the norm is 0. Fails if ``p`` is less than 1 or NaN."""

    x: Expr
    p: float
