"""Inputs, types and missing values."""

from __future__ import annotations

from dataclasses import dataclass

from leapstream.bundle.types import TensorType
from leapstream.plan.graph import Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class Input(Expr):
    """The column ``name`` of the given frame."""

    name: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Cast(Expr):
    """``x`` converted to ``type``, by the rules of MLeap's ``core.types.Casting``.

    - Numbers and booleans to each other as Java converts them. A float to an integer: truncated towards zero, NaN gives 0, values
      out of range give the nearest int or long, of which short and byte keep the low bits.
    - A number to a string as Java's ``toString`` does; a boolean to "1" or "0".
    - A string to a number as Java parses it. ``""`` and ``"null"`` give a missing value, or 0 if ``type`` is not nullable.
    - A list to a vector, and a dense vector to a list.
    - A tensor of one element to a scalar: its first element, which must be stored. A scalar to a tensor without dimensions.

    A missing value stays missing. A missing number or boolean within a list or map counts as 0 or false where its basic type
    changes, or the list becomes a tensor. Fails where a string cannot be parsed or, within a list, map or tensor, is missing,
    and where a sparse tensor would become a list.
    """

    x: Expr

    @property
    def needs_stored(self) -> bool:
        return isinstance(self.x.type, TensorType) and not isinstance(self.type, TensorType)

    @property
    def takes_tensors(self) -> bool:
        return True


@dataclass(frozen=True, eq=False, kw_only=True)
class NotNull(Expr):
    """``x``; fails where it is missing."""

    x: Expr

    @property
    def takes_tensors(self) -> bool:
        return True


@dataclass(frozen=True, eq=False, kw_only=True)
class After(Expr):
    """``x``, computed after ``others``; the rows that fail or are dropped in one of these have no result here."""

    x: Expr
    others: tuple[Expr, ...]

    @property
    def takes_tensors(self) -> bool:
        return True


@dataclass(frozen=True, eq=False, kw_only=True)
class Impute(Expr):
    """``surrogate`` where the double ``x`` is missing, NaN or equal to ``missing``; otherwise ``x``."""

    x: Expr
    surrogate: float
    missing: float
