"""Elements of vectors: selection, recoding, reshaping."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from leapstream.plan.graph import Doubles, Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class Item(Expr):
    """Element ``index`` of the vector ``x``."""

    x: Expr
    index: int


@dataclass(frozen=True, eq=False, kw_only=True)
class ElementsAtLeast(Expr):
    """The elements of the vector ``x`` that are at least ``threshold``, or their indexes, as a list of doubles.

    Fails where the index of such an element is at least ``limit``.
    """

    x: Expr
    threshold: float
    limit: int
    gives: Literal["elements", "positions"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Recode(Expr):
    """The vector ``x`` of ``size`` elements with some elements replaced by table; elements that are not stored stay 0.

    ``tables[i]`` is a pair (keys, values), the keys sorted, without NaN and -0.0. The element at ``positions[i]`` becomes the
    value of its key; if it is not a key, it becomes ``others[i]``, or without ``others`` the row fails. Fails where ``x`` has
    another size.
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
    """The elements of the vector ``x`` at ``indices``; the result is sparse where ``x`` is, and stores those that ``x`` stores.

    An index beyond ``x`` fails if ``x`` is dense; otherwise the element is not stored. With ``rising``, a sparse ``x`` gives
    only the elements whose index is greater than all indices before.
    """

    x: Expr
    indices: tuple[int, ...]
    rising: bool = False

    @property
    def rises(self) -> tuple[bool, ...]:
        """For each index, true if it is greater than all indices before."""
        highest = -1
        result = []
        for index in self.indices:
            result.append(index > highest)
            highest = max(highest, index)
        return tuple(result)

    @property
    def picks_rising(self) -> bool:
        """True if, for a sparse ``x``, ``rising`` leaves out some of ``indices``."""
        return self.rising and not all(self.rises)

    @property
    def needs_stored(self) -> bool:
        return self.picks_rising


@dataclass(frozen=True, eq=False, kw_only=True)
class Reshape(Expr):
    """The tensor ``x`` with the dimensions that ``type`` declares; fails where it has another number of elements."""

    x: Expr

    @property
    def takes_tensors(self) -> bool:
        return True
