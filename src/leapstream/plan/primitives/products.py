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
