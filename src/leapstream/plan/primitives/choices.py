"""Choices: a value, or a plan, that other values pick."""

from __future__ import annotations

from dataclasses import dataclass, field

from leapstream.plan.graph import Doubles, Expr, Plan


@dataclass(frozen=True, eq=False, kw_only=True)
class FirstMatch(Expr):
    """The int of the first of the Java regular expressions ``patterns`` that matches within the string ``x``.

    Where none does ``default``, or fails without one. A missing ``x`` fails, unless there are no patterns.
    """

    x: Expr
    patterns: tuple[str, ...]
    values: tuple[int, ...]
    default: int | None


@dataclass(frozen=True, eq=False, kw_only=True)
class ValueAt(Expr):
    """The number at position ``x`` (a double that is whole and within) of ``values``."""

    x: Expr
    values: Doubles = field(repr=False)


@dataclass(frozen=True, eq=False, kw_only=True)
class MapEntry(Expr):
    """The value of the string ``key`` in the map ``x``, or ``default``. Fails where a value is missing that may not be."""

    x: Expr
    key: Expr
    default: bool | int | float | str


@dataclass(frozen=True, eq=False, kw_only=True)
class Coalesce(Expr):
    """The first of the doubles ``xs`` that is not missing (NaN is not); missing where all are."""

    xs: tuple[Expr, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Switch(Expr):
    """The only output of ``plans[position]``, whose inputs are called ``0``, ``1``, … for ``xs``, or are some of these.

    ``position`` is a double that is a plan's number. A row fails, or is dropped, where its own plan does so; the others are not
    run for it. Fails where results of a batch differ in size.
    """

    position: Expr
    xs: tuple[Expr, ...]
    plans: tuple[Plan, ...] = field(repr=False)

    @property
    def nested(self) -> tuple[Plan, ...]:
        return self.plans

    @property
    def drops(self) -> bool:
        return any(plan.effects for plan in self.plans)

    @property
    def needs_stored(self) -> bool:
        return any(expr.needs_stored for plan in self.plans for expr in plan.order)
