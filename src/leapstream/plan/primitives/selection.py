"""Elements of vectors: picked, recoded, put into other shapes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from leapstream.plan.graph import Doubles, Expr
from leapstream.plan.primitives.values import Cast, Input, NotNull


@dataclass(frozen=True, eq=False, kw_only=True)
class Item(Expr):
    """Element ``index`` of the vector ``x``."""

    x: Expr
    index: int


@dataclass(frozen=True, eq=False, kw_only=True)
class ElementsAtLeast(Expr):
    """Those elements of the vector ``x`` that are at least ``threshold``, or their positions, as a list of doubles.

    Fails where such an element lies at ``limit`` or beyond.
    """

    x: Expr
    threshold: float
    limit: int
    gives: Literal["elements", "positions"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Recode(Expr):
    """The vector ``x`` of ``size`` elements with some of them looked up; what is not stored stays 0.

    The element at ``positions[i]`` becomes the value that ``tables[i]`` has for it (keys sorted, none NaN or -0.0), or where it
    has none ``others[i]``; without ``others`` the row fails. Fails where ``x`` has another size.
    """

    x: Expr
    size: int
    positions: tuple[int, ...]
    tables: tuple[tuple[Doubles, Doubles], ...] = field(repr=False)
    others: tuple[float, ...] | None

    @property
    def needs_stored(self) -> bool:
        return any(not np.any((keys == 0.0) & (values == 0.0)) for keys, values in self.tables)


@dataclass(frozen=True, eq=False, kw_only=True)
class Take(Expr):
    """The elements of the vector ``x`` at ``indices``; stores what ``x`` stores.

    An index beyond ``x`` fails, or is not stored where ``x`` does not store all elements. With ``rising`` such an ``x`` gives
    only elements whose index is greater than all before it.
    """

    x: Expr
    indices: tuple[int, ...]
    rising: bool = False

    @property
    def rises(self) -> tuple[bool, ...]:
        """Which indices are greater than all before."""
        highest = -1
        result = []
        for index in self.indices:
            result.append(index > highest)
            highest = max(highest, index)
        return tuple(result)

    @property
    def picks_rising(self) -> bool:
        """Whether an ``x`` that does not store all elements lacks some of those that are asked for."""
        return self.rising and not all(self.rises)

    @property
    def needs_stored(self) -> bool:
        # Vectors that a plan makes are long enough.
        return self.picks_rising or isinstance(self.x, (Input, Cast, NotNull))


@dataclass(frozen=True, eq=False, kw_only=True)
class Reshape(Expr):
    """The tensor ``x`` with the dimensions that ``type`` declares; fails where it has another number of elements."""

    x: Expr
