"""Numbers: constants, checks, interpolation."""

from __future__ import annotations

from dataclasses import dataclass, field

from leapstream.plan.graph import Doubles, Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class Constant(Expr):
    """The double ``value``."""

    value: float


@dataclass(frozen=True, eq=False, kw_only=True)
class RequireWithin(Expr):
    """The double ``x``; fails where it is outside of [low, high]. NaN does not fail."""

    x: Expr
    low: float
    high: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Polynomials(Expr):
    """The values of several polynomials at the double ``x``, a vector; each interval of ``x`` has polynomials of its own.

    The interval is the number of ``breaks`` (m,) that are at most ``x``; NaN is in the first one. Element j is the polynomial
    ``coefficients[interval, j]`` (m + 1, outputs, degree + 1), the highest power first, of ``x - origins[interval]`` (m + 1,), by
    Horner's method.
    """

    x: Expr
    breaks: Doubles = field(repr=False)
    origins: Doubles = field(repr=False)
    coefficients: Doubles = field(repr=False)


@dataclass(frozen=True, eq=False, kw_only=True)
class Interpolate(Expr):
    """The prediction at the double ``x``: interpolated linearly between ``boundaries``, constant beyond them.

    NaN counts as greater than the last boundary, and -0.0 as less than 0.0. At a boundary that repeats, the result is the
    prediction of the one that Java's binary search finds.
    """

    x: Expr
    boundaries: Doubles = field(repr=False)
    predictions: Doubles = field(repr=False)
