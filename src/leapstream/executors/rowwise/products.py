"""Products of elements."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate, compress
from typing import Any

import numpy as np
import numpy.typing as npt

from leapstream.bundle.types import ScalarType
from leapstream.executors.implementing import implements
from leapstream.executors.rowwise.counts import define_counts
from leapstream.executors.rowwise.runtime import UnusualRecordError
from leapstream.executors.rowwise.stored import listed_conditions, require_stored_alone, stored_elements, stores_all
from leapstream.executors.rowwise.writer import ArraysOnlyError, Writer
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Expr

Floats = npt.NDArray[np.float32]

_MOST_PRODUCTS = 1024
"""Arrays compute more products in less time."""


@implements(p.Interaction)
def _interaction(writer: Writer, expr: p.Interaction) -> None:
    if math.prod(map(len, expr.categories)) > _MOST_PRODUCTS:
        raise ArraysOnlyError("Interaction of many elements")
    operands = [_stored_pairs(writer, x, len(sizes)) for x, sizes in zip(expr.xs, expr.categories, strict=True)]
    products = writer.call(interaction, f"({', '.join(operands)},)", writer.constant(expr.categories))
    define_counts(writer, expr, products, math.prod(map(sum, expr.categories)))


def _stored_pairs(writer: Writer, x: Expr, size: int) -> str:
    """The stored elements of a vector, or a number, as pairs of place and value."""
    if isinstance(x.type, ScalarType):
        return f"((0, {writer.present(x)}),)"
    writer.expect_size(x, size)
    sparse = writer.sparse(x)
    if sparse is not None:
        require_stored_alone(x)
        return f"{sparse[0]}.items()"
    stored = stored_elements(writer, x)
    pairs = writer.call(enumerate, writer.listed(x))
    return pairs if stored is None else writer.call(compress, pairs, listed_conditions(stored))


def interaction(
    operands: Sequence[Iterable[tuple[int, float]]], categories: Sequence[Sequence[int]]
) -> dict[int, float]:
    """See :class:`leapstream.plan.primitives.Interaction`; the products by place, in ascending order."""
    total = [(0, 1.0)]
    size = 1
    for stored, sizes in zip(reversed(operands), reversed(categories), strict=True):
        new = _encoded(stored, sizes)
        total = [(place + at * size, x * y) for at, y in new for place, x in total]
        size *= sum(sizes)
    return dict(sorted(dict(total).items()))


def _encoded(stored: Iterable[tuple[int, float]], sizes: Sequence[int]) -> Iterable[tuple[int, float]]:
    """The elements that an operand contributes; of those with one place the last counts."""
    result: dict[int, float] = {}
    # As in MLeap, an element's place follows from its number among those that are stored.
    for begin, (element, value) in zip(accumulate(sizes, initial=0), stored, strict=False):
        place = begin
        if sizes[element] > 1:
            if not (0 <= value < sizes[element] and value == int(value)):
                raise UnusualRecordError
            place, value = begin + int(value), 1.0
            result.pop(place, None)
        result[place] = value
    return result.items()


@implements(p.FactorProduct)
def _factor_product(writer: Writer, expr: p.FactorProduct) -> None:
    if 0 in expr.a_factors.shape or 0 in expr.b_factors.shape:
        raise ArraysOnlyError("FactorProduct without factors")
    factors = [
        f"{writer.call(factors_of, writer.present(x), writer.constant(ids.data), writer.constant(rows))}"
        for x, ids, rows in ((expr.a, expr.a_ids, expr.a_factors), (expr.b, expr.b_ids, expr.b_factors))
    ]
    writer.define(expr, writer.call(factor_product, *factors))


def factors_of(number: int, ids: Sequence[int], factors: Floats) -> Floats | None:
    """The factors of an id, ``None`` if it is unknown."""
    at = bisect_left(ids, number)
    return factors[at] if at < len(ids) and ids[at] == number else None


def factor_product(a: Floats | None, b: Floats | None) -> float:
    """The dot product in single precision, summed in order."""
    if a is None or b is None:
        return math.nan
    with np.errstate(all="ignore"):
        # Adding 0 makes the 0.0 that a sum begins with of -0.0.
        return float(np.cumsum(a * b)[-1]) + 0.0


@implements(p.PowerProducts)
def _power_products(writer: Writer, expr: p.PowerProducts) -> None:
    distinct = sorted({pair for term in expr.terms for pair in term})
    if not distinct:
        raise ArraysOnlyError("PowerProducts without powers")
    place = {pair: i for i, pair in enumerate(distinct)}
    elements = writer.constant(np.array([index for index, _ in distinct], dtype=np.intp))
    powers = writer.constant(np.array([power for _, power in distinct], dtype=np.float64))
    terms = writer.constant([[place[pair] for pair in term] for term in expr.terms])
    writer.define(expr, writer.call(power_products, writer.listed(expr.x), elements, powers, terms))


def power_products(x: list[float], elements: Any, powers: Any, terms: list[list[int]]) -> list[float]:
    """See :class:`leapstream.plan.primitives.PowerProducts`; the terms have places among the powers."""
    with np.errstate(all="ignore"):
        factors = np.power(np.array(x)[elements], powers).tolist()
    return [math.prod([factors[place] for place in term], start=1.0) for term in terms]


@implements(p.PolynomialExpansion)
def _polynomial_expansion(writer: Writer, expr: p.PolynomialExpansion) -> None:
    if not stores_all(expr.x) or math.comb(expr.size + expr.degree, expr.degree) > _MOST_PRODUCTS:
        raise ArraysOnlyError("PolynomialExpansion of vectors that may be sparse, or of many elements")
    products = writer.constant(_expansion(expr.size, expr.degree))
    writer.define(expr, writer.call(expanded, writer.listed(expr.x), str(expr.size), products))


def _expansion(size: int, degree: int) -> list[tuple[int, int]]:
    """The products in the order of Spark's expansion: each is the product of an earlier one and an element.

    A product is numbered from 1; number 0 is 1.
    """
    products: list[tuple[int, int]] = [(0, 0)]

    def expand(last: int, rest: int, factor: int) -> None:
        if rest == 0 or last < 0:
            return
        for element in range(last + 1):
            number = len(products)
            products.append((factor, element))
            expand(element, rest - 1, number)

    expand(size - 1, degree, 0)
    return products[1:]


def expanded(x: list[float], size: int, products: list[tuple[int, int]]) -> list[float]:
    """See :class:`leapstream.plan.primitives.PolynomialExpansion`."""
    if len(x) != size or not all(map(math.isfinite, x)):
        raise UnusualRecordError
    terms = [1.0]
    for factor, element in products:
        # A product that is 0 is not written, so that it is not -0.0.
        terms.append(terms[factor] * x[element] + 0.0)
    return terms[1:]
