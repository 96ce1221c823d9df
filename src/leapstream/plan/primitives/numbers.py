"""Numbers: constants, checks, interpolation."""

from __future__ import annotations

from dataclasses import dataclass, field

from leapstream.plan.graph import Doubles, Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class Constant(Expr):
    """The double ``value``, in every row."""

    value: float


@dataclass(frozen=True, eq=False, kw_only=True)
class RequireWithin(Expr):
    """The double ``x``; fails where it lies outside of [low, high] (NaN passes)."""

    x: Expr
    low: float
    high: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Interpolate(Expr):
    """The prediction at the double ``x``, linear between ``boundaries``, constant beyond (NaN lies beyond the last).

    At a boundary that repeats it is that of the boundary on which Java's binary search hits. -0.0 is less than 0.0.
    """

    x: Expr
    boundaries: Doubles = field(repr=False)
    predictions: Doubles = field(repr=False)
