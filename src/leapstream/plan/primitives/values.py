"""Inputs, types and missing values."""

from __future__ import annotations

from dataclasses import dataclass

from leapstream.bundle.types import TensorType
from leapstream.plan.graph import Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class Input(Expr):
    """A column of the given frame, as it is."""

    name: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Cast(Expr):
    """``x`` converted to ``type``, by the rules of MLeap's ``core.types.Casting``.

    Between numbers and booleans as Java converts (to an integer: towards zero, NaN to 0, saturating at int or long and then
    cut to the low bits for short and byte); numbers to strings as ``toString`` gives them, booleans to "1" and "0"; strings
    to numbers as Java parses them, ``""`` and ``"null"`` are missing, or 0 where ``type`` is not nullable; a list
    becomes a vector, a dense vector a list; a tensor of
    one element a scalar (its first element, which has to be stored); a scalar a tensor without dimensions. Fails where a string
    is no number, and where a sparse tensor is to be a list. A missing value stays missing.
    """

    x: Expr

    @property
    def needs_stored(self) -> bool:
        return isinstance(self.x.type, TensorType) and not isinstance(self.type, TensorType)


@dataclass(frozen=True, eq=False, kw_only=True)
class NotNull(Expr):
    """``x``; fails where it is missing."""

    x: Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class Impute(Expr):
    """``surrogate`` where the double ``x`` is missing, NaN or equal to ``missing``; else ``x``."""

    x: Expr
    surrogate: float
    missing: float
