"""Products of elements."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from leapstream.bundle.types import TensorType
from leapstream.plan.graph import Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class Interaction(Expr):
    """All products of one element from each of ``xs`` (doubles and vectors), as a sparse vector; the last varies fastest.

    An element whose number of ``categories`` is 1 takes part as it is; any other as a one-hot vector of that many elements,
    with a 1 at the element's value. Only the stored elements of a sparse vector take part, and, as in MLeap, an element's
    offset in the result follows from its position among the stored elements; if two elements get one place, the last one
    counts. Fails where a vector and its ``categories`` differ in size, and where a category is not an integer in [0,
    categories).
    """

    xs: tuple[Expr, ...]
    categories: tuple[tuple[int, ...], ...]

    @property
    def needs_stored(self) -> bool:
        return any(isinstance(x.type, TensorType) for x in self.xs)


@dataclass(frozen=True, eq=False, kw_only=True)
class PolynomialExpansion(Expr):
    """All products of 1 to ``degree`` elements of the vector ``x``, in the order of Spark's expansion.

    A product multiplies from the last element to the first. Once it is 0, or at an element that is not stored, it is 0, even if
    NaN would follow. A dense ``x`` gives the products of ``size`` elements: those that it lacks count as 0, and it fails where a
    product with an element beyond ``size`` is not 0. A sparse ``x`` gives the products of its own elements, stored where they
    are not 0. Fails where an ``x`` of another size has more than 2**24 products.
    """

    x: Expr
    degree: int
    size: int

    @property
    def needs_stored(self) -> bool:
        return True


@dataclass(frozen=True, eq=False, kw_only=True)
class PowerProducts(Expr):
    """A vector with, for each of ``terms``, the product of ``x[index] ** power`` over its pairs (index, power).

    Fails where ``x`` has no element at an index.
    """

    x: Expr
    terms: tuple[tuple[tuple[int, int], ...], ...] = field(repr=False)


@dataclass(frozen=True, eq=False, kw_only=True)
class FactorProduct(Expr):
    """The dot product of the factors of the ints ``a`` and ``b``, summed in order in single precision; NaN where one is unknown.

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
