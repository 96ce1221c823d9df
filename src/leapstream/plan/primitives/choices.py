"""Choices: a value, or a plan, that depends on other values."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from leapstream.plan.graph import Doubles, Expr, Plan


@dataclass(frozen=True, eq=False, kw_only=True)
class FirstMatch(Expr):
    """The int in ``values`` for the first of the Java regular expressions ``patterns`` that matches a part of the string ``x``.

    Where no pattern matches, the result is ``default``, or the row fails if there is none. Fails where ``x`` is missing, unless
    there are no patterns.
    """

    x: Expr
    patterns: tuple[str, ...]
    values: tuple[int, ...]
    default: int | None


@dataclass(frozen=True, eq=False, kw_only=True)
class ValueAt(Expr):
    """``values[x]`` for a double ``x`` that is a whole number and a valid index."""

    x: Expr
    values: Doubles = field(repr=False)


@dataclass(frozen=True, eq=False, kw_only=True)
class MapEntry(Expr):
    """The value of the string ``key`` in the map ``x``, or ``default`` if the map lacks the key.

    Fails where the value is missing, but ``type`` is not nullable.
    """

    x: Expr
    key: Expr
    default: bool | int | float | str


@dataclass(frozen=True, eq=False, kw_only=True)
class Coalesce(Expr):
    """The first of the doubles ``xs`` that is not missing; missing where all are. NaN is not a missing value."""

    xs: tuple[Expr, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Switch(Expr):
    """The only output of ``plans[position]``; ``position`` is a double that is a valid index.

    A plan's inputs are named ``0``, ``1``, … after the positions of ``xs``; a plan may have only some of them. Only its own
    plan is run for a row, and the row fails or is dropped where that plan does so.
    """

    position: Expr
    xs: tuple[Expr, ...]
    plans: tuple[Plan, ...] = field(repr=False)

    @property
    def nested(self) -> tuple[Plan, ...]:
        return self.plans

    def with_nested(self, plans: tuple[Plan, ...]) -> Switch:
        return replace(self, plans=plans)

    @property
    def drops(self) -> bool:
        return any(plan.effects for plan in self.plans)

    @property
    def needs_stored(self) -> bool:
        return any(expr.needs_stored for plan in self.plans for expr in plan.order)

    @property
    def takes_tensors(self) -> bool:
        return True
