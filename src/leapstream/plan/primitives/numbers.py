"""Arithmetic, and vectors made of vectors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from leapstream.bundle.types import TensorType
from leapstream.plan.graph import Doubles, Expr
from leapstream.plan.primitives.values import Cast, Input, NotNull

BinaryFunction: TypeAlias = Literal[
    "add",
    "sub",
    "mul",
    "div",
    "rem",  # with the sign of a, as in Java and C
    "log_n",  # log(a) / log(b)
    "pow",  # as in Java: NaN where b is NaN, or a is 1 or -1 and b infinite
    "min",  # NaN where one is NaN; -0.0 is less than 0.0
    "max",
]


@dataclass(frozen=True, eq=False, kw_only=True)
class Constant(Expr):
    """The double ``value``, in every row."""

    value: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Binary(Expr):
    """``function`` of the doubles ``a`` and ``b``."""

    a: Expr
    b: Expr
    function: BinaryFunction


@dataclass(frozen=True, eq=False, kw_only=True)
class RequireWithin(Expr):
    """The double ``x``; fails where it lies outside of [low, high] (NaN passes)."""

    x: Expr
    low: float
    high: float


@dataclass(frozen=True, eq=False, kw_only=True)
class CosineTransform(Expr):
    """The discrete cosine transform of the vector ``x``, scaled to be orthonormal: type II, or its inverse (type III).

    Of more than one element, all are NaN where one is NaN or infinite. Fails where ``x`` has no elements.
    """

    x: Expr
    inverse: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class Interaction(Expr):
    """All products of one element from each of ``xs`` (doubles and vectors), as a sparse vector; the last varies fastest.

    Each element stands for as many elements as ``categories`` says: for itself where that is 1, else for a one-hot vector with
    a 1 at its value. Of sparse vectors only what is stored takes part, and the position among what is stored decides where an
    element's place in the result begins, as in MLeap (of two elements with one place the last counts). Fails where a vector
    has another size than its ``categories``, or a category is no integer in [0, categories).
    """

    xs: tuple[Expr, ...]
    categories: tuple[tuple[int, ...], ...]

    @property
    def needs_stored(self) -> bool:
        return any(isinstance(x.type, TensorType) for x in self.xs)


@dataclass(frozen=True, eq=False, kw_only=True)
class PolynomialExpansion(Expr):
    """All products of 1 to ``degree`` of the ``size`` elements of the vector ``x``, in the order of Spark's expansion.

    Each product goes from the last element to the first, and is 0 from where it is 0 (even when NaN would follow) or meets an
    element that is not stored. Where some are not, the result stores what is not 0, and ``x`` fails when it has another size.
    Where all are stored, elements that ``x`` lacks count as 0, and ``x`` fails when a product with what is too many is not 0.
    """

    x: Expr
    degree: int
    size: int

    @property
    def needs_stored(self) -> bool:
        return True


@dataclass(frozen=True, eq=False, kw_only=True)
class PowerProducts(Expr):
    """For each of ``terms``, pairs of index and power, the product of these powers of elements of the vector ``x``.

    Fails where ``x`` lacks an index.
    """

    x: Expr
    terms: tuple[tuple[tuple[int, int], ...], ...] = field(repr=False)


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
class MinHash(Expr):
    """For each pair the least ``((1 + i) * a + b) % 2038074743`` over the indices ``i`` of elements of ``x`` that are not 0.

    In Java's 32-bit arithmetic, which overflows. Fails where all elements are 0.
    """

    x: Expr
    a: npt.NDArray[np.int32]
    b: npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False, kw_only=True)
class Reshape(Expr):
    """The tensor ``x`` with the dimensions that ``type`` declares; fails where it has another number of elements."""

    x: Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class Interpolate(Expr):
    """The prediction at the double ``x``, linear between ``boundaries``, constant beyond (NaN lies beyond the last).

    At a boundary that repeats it is that of the boundary on which Java's binary search hits. -0.0 is less than 0.0.
    """

    x: Expr
    boundaries: Doubles = field(repr=False)
    predictions: Doubles = field(repr=False)


@dataclass(frozen=True, eq=False, kw_only=True)
class FactorProduct(Expr):
    """Product of the factors of the ints ``a`` and ``b``, summed in order in single precision; NaN where one is unknown.

    Attributes:
        a_ids, b_ids: int32 (n,), sorted, distinct.
        a_factors, b_factors: float32 (n, rank).
    """

    a: Expr
    b: Expr
    a_ids: npt.NDArray[np.int32] = field(repr=False)
    a_factors: npt.NDArray[np.float32] = field(repr=False)
    b_ids: npt.NDArray[np.int32] = field(repr=False)
    b_factors: npt.NDArray[np.float32] = field(repr=False)
