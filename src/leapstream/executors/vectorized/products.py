"""Products of elements."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from leapstream.executors import failures
from leapstream.executors.columns import WIDE, Bools, Column
from leapstream.executors.contract import KEPT
from leapstream.executors.implementing import implements
from leapstream.executors.sparse import csr
from leapstream.executors.vectorized.run import (
    Indices,
    Run,
    UnequalSizesError,
    failed_vectors,
    require_size,
)
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Doubles

# Elements that the expansion of one row may have.
_MOST = 1 << 24


@implements(p.FactorProduct)
def _factor_product(run: Run, expr: p.FactorProduct, a: Column, b: Column) -> Column:
    first, known_first = _factors(expr.a_ids, expr.a_factors, a)
    second, known_second = _factors(expr.b_ids, expr.b_factors, b)
    total = np.zeros(run.rows, dtype=np.float32)
    for x, y in zip(first.T, second.T, strict=True):
        total += x * y
    return Column(np.where(known_first & known_second, total, np.float32(np.nan)))


def _factors(
    ids: npt.NDArray[np.int32], factors: npt.NDArray[np.float32], x: Column
) -> tuple[npt.NDArray[np.float32], Bools]:
    """The row of factors of each id, and true where there is one."""
    if len(ids) == 0:
        return np.zeros((len(x.values), factors.shape[1]), dtype=np.float32), np.zeros(len(x.values), dtype=np.bool_)
    at = np.searchsorted(ids, x.values).clip(max=len(ids) - 1)
    return factors[at], np.equal(ids[at], x.values)


class _Entries(NamedTuple):
    """Elements of the rows of a sparse array, row by row."""

    counts: Indices
    place: Indices
    value: Doubles

    @property
    def owner(self) -> Indices:
        """The row of each element."""
        return np.repeat(np.arange(len(self.counts)), self.counts)


def _within_groups(counts: Indices) -> Indices:
    """0, 1, … for each group of ``counts`` elements."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)


def _encode(run: Run, x: Column, categories: tuple[int, ...]) -> _Entries:
    """The stored elements that an input of :class:`~leapstream.plan.primitives.Interaction` contributes."""
    sizes = np.array(categories, dtype=np.intp)
    values = x.values.reshape(run.rows, len(sizes))
    stored = np.ones(values.shape, dtype=bool) if x.stored is None else x.stored.reshape(values.shape)
    counts = stored.sum(axis=1)
    owner, element = np.nonzero(stored)
    value = values[owner, element]
    begin = (np.cumsum(sizes) - sizes)[_within_groups(counts)]
    nominal = sizes[element] > 1
    if not nominal.any():
        return _Entries(counts, begin, value)
    valid = (value >= 0) & (value < sizes[element]) & (np.trunc(value) == value)
    wrong = np.zeros(run.rows, dtype=bool)
    wrong[owner[nominal & ~valid]] = True
    run.fail(wrong, failures.no_category_of_element())
    index = begin + np.where(nominal & valid, value, 0.0).astype(np.intp)
    value = np.where(nominal, 1.0, value)
    # Of those with one place the last counts.
    place = owner * int(sizes.sum()) + index
    _, last = np.unique(place[::-1], return_index=True)
    kept = np.sort(len(place) - 1 - last)
    return _Entries(np.bincount(owner[kept], minlength=run.rows), index[kept], value[kept])


@implements(p.Interaction)
def _interact(run: Run, expr: p.Interaction, *xs: Column) -> Column:
    width = math.prod(map(sum, expr.categories))
    total = _Entries(np.ones(run.rows, dtype=np.intp), np.zeros(run.rows, dtype=np.intp), np.ones(run.rows))
    size = 1
    for x, categories in zip(reversed(xs), reversed(expr.categories), strict=True):
        if x.values.ndim != 1 and not require_size(run, x, len(categories)):
            return failed_vectors(run, width)
        new = _encode(run, x, categories)
        times = total.counts[new.owner]
        starts = (np.cumsum(total.counts) - total.counts)[new.owner]
        old = _within_groups(times) + np.repeat(starts, times)
        total = _Entries(
            new.counts * total.counts,
            total.place[old] + np.repeat(new.place, times) * size,
            total.value[old] * np.repeat(new.value, times),
        )
        size *= sum(categories)
    if width >= WIDE:
        starts = np.concatenate([[0], np.cumsum(total.counts)])
        wide = csr((total.value, total.place, starts), (run.rows, width))
        wide.sort_indices()
        return Column(wide)
    owner = total.owner
    result = np.zeros((run.rows, width))
    result[owner, total.place] = total.value
    if not run.tracks_stored:
        return Column(result)
    stored = np.zeros(result.shape, dtype=bool)
    stored[owner, total.place] = True
    return Column(result, stored=stored).as_sparse()


@lru_cache(maxsize=16)
def _products(size: int, degree: int) -> tuple[tuple[Indices, Indices, Indices], ...]:
    """The terms of a polynomial expansion, by the number of factors.

    For each number: of which shorter term (its number among them) each is the product with which element, and its place.
    """
    levels = []
    lowest = np.array([size - 1], dtype=np.intp)
    place = np.array([0], dtype=np.intp)
    for rest in range(degree, 0, -1):
        parent = np.repeat(np.arange(len(lowest)), lowest + 1)
        element = _within_groups(lowest + 1)
        skipped = np.array([math.comb(i + rest, rest) for i in range(size)], dtype=np.intp)
        place = place[parent] + skipped[element]
        lowest = element
        levels.append((parent, element, place - 1))
    return tuple(levels)


@implements(p.PolynomialExpansion)
def _expand(run: Run, expr: p.PolynomialExpansion, x: Column) -> Column:
    width = math.comb(expr.size + expr.degree, expr.degree) - 1
    values, size = x.values, x.values.shape[1]
    sparse = x.sparse_rows()
    if size != expr.size:
        own = math.comb(size + expr.degree, expr.degree)
        if own > _MOST:
            run.fail(np.ones(run.rows, dtype=bool), failures.wrong_size(size, expr.size))
            return failed_vectors(run, width)
        left = run.states == KEPT
        if (left & sparse).any():
            if (left & ~sparse).any():
                raise UnequalSizesError(run.rows, [np.flatnonzero(left & ~sparse), np.flatnonzero(left & sparse)])
            width = own - 1
    special = x.stored is not None or not np.isfinite(values).all()
    result = np.zeros((run.rows, width))
    terms = np.ones((run.rows, 1))
    for parent, element, place in _products(size, expr.degree):
        before = terms[:, parent]
        # A product that is 0 is not written, so that it is not -0.0.
        terms = before * values[:, element] + 0.0
        if special:
            ended = before == 0.0
            if x.stored is not None:
                ended |= ~x.stored[:, element]
            terms[ended] = 0.0
        inside = place < width
        result[:, place[inside]] = terms[:, inside]
        if not inside.all():
            run.fail((terms[:, ~inside] != 0.0).any(axis=1), failures.wrong_size(size, expr.size))
    stored = (result != 0.0) | ~sparse[:, None]
    if width >= WIDE:
        _, index = np.nonzero(stored)
        starts = np.concatenate([[0], np.cumsum(stored.sum(axis=1))])
        return Column(csr((result[stored], index, starts), result.shape))
    return Column(result, stored=stored, complete=sparse & stored.all(axis=1))


class _Powers(NamedTuple):
    """Distinct powers of elements, and the products as places among them; place 0 stands for 1."""

    element: Indices
    power: Doubles
    factors: Indices
    starts: Indices


def _prepare_powers(expr: p.PowerProducts) -> _Powers:
    distinct = sorted({pair for term in expr.terms for pair in term})
    place = {pair: i + 1 for i, pair in enumerate(distinct)}
    # Every product begins with 1, so that none is empty.
    factors = [at for term in expr.terms for at in (0, *(place[pair] for pair in term))]
    lengths = np.array([len(term) + 1 for term in expr.terms], dtype=np.intp)
    return _Powers(
        np.array([index for index, _ in distinct], dtype=np.intp),
        np.array([power for _, power in distinct], dtype=np.float64),
        np.array(factors, dtype=np.intp),
        np.cumsum(lengths) - lengths,
    )


@implements(p.PowerProducts, prepare=_prepare_powers)
def _power_products(run: Run, expr: p.PowerProducts, x: Column) -> Column:
    terms: _Powers = run.prepared[id(expr)]
    if len(expr.terms) == 0:
        return Column(np.zeros((run.rows, len(expr.terms))))
    size = x.values.shape[1]
    if len(terms.element) and terms.element.max() >= size:
        first = next(index for term in expr.terms for index, _ in term if index >= size)
        run.fail(np.ones(run.rows, dtype=bool), failures.element_beyond(size, first))
        return Column(np.zeros((run.rows, len(expr.terms))))
    powers = np.concatenate([np.ones((run.rows, 1)), np.power(x.values[:, terms.element], terms.power)], axis=1)
    return Column(np.multiply.reduceat(powers[:, terms.factors], terms.starts, axis=1))
