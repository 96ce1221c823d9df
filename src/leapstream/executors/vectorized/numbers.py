"""Arithmetic, and vectors made of vectors."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import fft
from scipy.sparse import csr_array

from leapstream.executors.columns import WIDE, Bools, Column
from leapstream.executors.implementing import implements
from leapstream.executors.vectorized.run import Run, beyond, require_vector, size_error
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Doubles

Indices = npt.NDArray[np.intp]

# Elements that the expansion of one row may have.
_MOST = 1 << 24


def _nothing(run: Run, width: int) -> Column:
    """A result for rows that have all failed."""
    return Column(csr_array((run.rows, width)) if width >= WIDE else np.zeros((run.rows, width)))


def _partial(x: Column) -> Bools:
    """Rows of dense ``x`` that do not store all elements."""
    if x.stored is None:
        return np.zeros(len(x.values), dtype=np.bool_)
    every: Bools = x.stored.all(axis=1)
    return np.logical_not(every)


# ---- numbers ----------------------------------------------------------------------------------------------------------


@implements(p.Constant)
def _constant(run: Run, expr: p.Constant) -> Column:
    return Column(np.full(run.rows, expr.value))


def _pow(a: Doubles, b: Doubles) -> Doubles:
    """C gives 1 for powers of 1 and -1 that Java has no number for."""
    return np.where(np.isnan(b) | (np.isinf(b) & (np.abs(a) == 1.0)), np.nan, np.power(a, b))


_BINARY: dict[str, Callable[[Doubles, Doubles], Doubles]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "rem": np.fmod,
    "log_n": lambda a, b: np.log(a) / np.log(b),
    "pow": _pow,
    "min": lambda a, b: np.where(a == b, np.where(np.signbit(a), a, b), np.minimum(a, b)),
    "max": lambda a, b: np.where(a == b, np.where(np.signbit(a), b, a), np.maximum(a, b)),
}


@implements(p.Binary)
def _binary(run: Run, expr: p.Binary, a: Column, b: Column) -> Column:
    return Column(_BINARY[expr.function](a.values, b.values))


@implements(p.RequireWithin)
def _within(run: Run, expr: p.RequireWithin, x: Column) -> Column:
    outside = (x.values < expr.low) | (x.values > expr.high)
    run.fail(outside, lambda row: f"{x.values[row]} is outside of [{expr.low}, {expr.high}]")
    return x


@implements(p.Interpolate, prepare=lambda expr: _ordered_bits(expr.boundaries))
def _interpolate(run: Run, expr: p.Interpolate, x: Column) -> Column:
    boundaries, values = expr.boundaries, expr.predictions
    found, above = _binary_search(run.prepared[id(expr)], _ordered_bits(x.values))
    last = len(boundaries) - 1
    right = np.clip(above, 1, max(last, 1)).clip(max=last)
    left = np.maximum(right - 1, 0)
    x1, y1, x2, y2 = boundaries[left], values[left], boundaries[right], values[right]
    between = y1 + (y2 - y1) * (x.values - x1) / (x2 - x1)
    outside = np.where(above == 0, values[0], values[-1])
    inside = np.where((above == 0) | (above > last), outside, between)
    return Column(np.where(found >= 0, values[found], inside))


def _ordered_bits(values: Doubles) -> npt.NDArray[np.int64]:
    """Integers in the order that Java's ``Double.compare`` gives doubles."""
    bits = np.where(np.isnan(values), np.nan, values).view(np.int64)
    return bits ^ ((bits >> 63) & np.int64(2**63 - 1))


def _binary_search(keys: npt.NDArray[np.int64], wanted: npt.NDArray[np.int64]) -> tuple[Indices, Indices]:
    """Where Java's binary search hits, or -1; and where it would insert."""
    low = np.zeros(len(wanted), dtype=np.intp)
    high = np.full(len(wanted), len(keys) - 1, dtype=np.intp)
    found = np.full(len(wanted), -1, dtype=np.intp)
    searching = low <= high
    while searching.any():
        middle = np.where(searching, (low + high) >> 1, 0)
        key = keys[middle]
        found = np.where(searching & (key == wanted), middle, found)
        low = np.where(searching & (key < wanted), middle + 1, low)
        high = np.where(searching & (key > wanted), middle - 1, high)
        searching &= (key != wanted) & (low <= high)
    return found, low


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
    """The row of factors of each id, and whether there is one."""
    if len(ids) == 0:
        return np.zeros((len(x.values), factors.shape[1]), dtype=np.float32), np.zeros(len(x.values), dtype=np.bool_)
    at = np.searchsorted(ids, x.values).clip(max=len(ids) - 1)
    return factors[at], np.equal(ids[at], x.values)


# ---- vectors ----------------------------------------------------------------------------------------------------------


@implements(p.CosineTransform)
def _cosine_transform(run: Run, expr: p.CosineTransform, x: Column) -> Column:
    if not require_vector(run, x):
        return _nothing(run, 0)
    values = x.values
    size = values.shape[1]
    if size == 0:
        run.fail(np.ones(run.rows, dtype=bool), "the vector has no elements")
    if size < 2:
        return Column(values)
    transform = fft.idct if expr.inverse else fft.dct
    fine = np.isfinite(values).all(axis=1)
    result = np.full(values.shape, np.nan)
    result[fine] = transform(values[fine], norm="ortho", axis=1)
    return Column(result)


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
    """What an input of :class:`Interact` contributes."""
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
    run.fail(wrong, "a category is no integer that its element may have")
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
    for x, categories in zip(xs, expr.categories, strict=True):
        if x.values.ndim != 1 and not require_vector(run, x, len(categories)):
            return _nothing(run, width)
    total = _Entries(np.ones(run.rows, dtype=np.intp), np.zeros(run.rows, dtype=np.intp), np.ones(run.rows))
    size = 1
    for x, categories in zip(reversed(xs), reversed(expr.categories), strict=True):
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
        wide = csr_array((total.value, total.place, starts), (run.rows, width))
        wide.sort_indices()
        return Column(wide)
    owner = total.owner
    result = np.zeros((run.rows, width))
    result[owner, total.place] = total.value
    if not run.tracks_stored:
        return Column(result)
    stored = np.zeros(result.shape, dtype=bool)
    stored[owner, total.place] = True
    return Column(result, stored=stored)


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
    if not require_vector(run, x):
        return _nothing(run, width)
    values, size = x.values, x.values.shape[1]
    partial = _partial(x)
    if size != expr.size:
        run.fail(partial, size_error(x, expr.size))
        if math.comb(size + expr.degree, expr.degree) > _MOST:
            run.fail(np.ones(run.rows, dtype=bool), size_error(x, expr.size))
            return _nothing(run, width)
    special = x.stored is not None or not np.isfinite(values).all()
    result = np.zeros((run.rows, width))
    terms = np.ones((run.rows, 1))
    for parent, element, place in _products(size, expr.degree):
        before = terms[:, parent]
        terms = before * values[:, element]
        if special:
            ended = before == 0.0
            if x.stored is not None:
                ended |= ~x.stored[:, element]
            terms[ended] = 0.0
        inside = place < width
        result[:, place[inside]] = terms[:, inside]
        if not inside.all():
            run.fail((terms[:, ~inside] != 0.0).any(axis=1), size_error(x, expr.size))
    stored = (result != 0.0) | ~partial[:, None]
    if width >= WIDE:
        _, index = np.nonzero(stored)
        starts = np.concatenate([[0], np.cumsum(stored.sum(axis=1))])
        return Column(csr_array((result[stored], index, starts), result.shape))
    return Column(result, stored=stored)


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
    if not require_vector(run, x) or len(expr.terms) == 0:
        return Column(np.zeros((run.rows, len(expr.terms))))
    size = x.values.shape[1]
    if len(terms.element) and terms.element.max() >= size:
        run.fail(np.ones(run.rows, dtype=bool), beyond(x, int(terms.element.max())))
        return Column(np.zeros((run.rows, len(expr.terms))))
    powers = np.concatenate([np.ones((run.rows, 1)), np.power(x.values[:, terms.element], terms.power)], axis=1)
    return Column(np.multiply.reduceat(powers[:, terms.factors], terms.starts, axis=1))


class _Recoding(NamedTuple):
    """The tables as one: a sorted code for each table and key, with the value."""

    positions: Indices
    keys: Doubles
    codes: Indices
    values: Doubles
    others: Doubles | None


def _prepare_recode(expr: p.Recode) -> _Recoding:
    keys = np.unique(np.concatenate([np.zeros(0), *(keys for keys, _ in expr.tables)]))
    codes = [i * len(keys) + np.searchsorted(keys, table) for i, (table, _) in enumerate(expr.tables)]
    return _Recoding(
        np.array(expr.positions, dtype=np.intp),
        keys,
        np.concatenate([np.zeros(0, dtype=np.intp), *codes]),
        np.concatenate([np.zeros(0), *(values for _, values in expr.tables)]),
        None if expr.others is None else np.array(expr.others),
    )


def _looked_up(recoding: _Recoding, table: Indices, x: Doubles) -> tuple[Doubles, Bools]:
    """The values of ``x`` in their tables, and where there is none."""
    missing = np.ones(x.shape, dtype=bool)
    values = np.full(x.shape, np.nan)
    if len(recoding.codes):
        key = np.searchsorted(recoding.keys, x).clip(max=len(recoding.keys) - 1)
        code = table * len(recoding.keys) + key
        at = np.searchsorted(recoding.codes, code).clip(max=len(recoding.codes) - 1)
        missing = (recoding.keys[key] != x) | (recoding.codes[at] != code)
        values = recoding.values[at]
    if recoding.others is not None:
        values = np.where(missing, np.broadcast_to(recoding.others[table], x.shape), values)
    return values, missing


@implements(p.Recode, prepare=_prepare_recode, sparse=True)
def _recode(run: Run, expr: p.Recode, x: Column) -> Column:
    recoding: _Recoding = run.prepared[id(expr)]
    if not require_vector(run, x, expr.size):
        return _nothing(run, expr.size)
    if len(expr.positions) == 0:
        return x
    if isinstance(x.values, csr_array):
        rows = x.values
        table = np.searchsorted(recoding.positions, rows.indices).clip(max=len(recoding.positions) - 1)
        picked = np.flatnonzero(recoding.positions[table] == rows.indices)
        values, missing = _looked_up(recoding, table[picked], rows.data[picked])
        data = rows.data.copy()
        data[picked] = values
        result = x.with_values(csr_array((data, rows.indices, rows.indptr), rows.shape))
        failed = np.zeros(run.rows, dtype=bool)
        failed[np.searchsorted(rows.indptr, picked[missing], side="right") - 1] = True
    else:
        values, missing = _looked_up(recoding, np.arange(len(recoding.positions)), x.values[:, recoding.positions])
        if x.stored is not None:
            stored = x.stored[:, recoding.positions]
            values = np.where(stored, values, 0.0)
            missing &= stored
        dense = x.values.copy()
        dense[:, recoding.positions] = values
        result = x.with_values(dense)
        failed = missing.any(axis=1)
    if recoding.others is None:
        run.fail(failed, "an element is none of its categories")
    return result


@implements(p.Take, sparse=True)
def _take(run: Run, expr: p.Take, x: Column) -> Column:
    indices = np.array(expr.indices, dtype=np.intp)
    if not require_vector(run, x):
        return _nothing(run, len(indices))
    size = x.values.shape[1]
    needed = int(indices.max(initial=-1)) + 1
    if expr.picks_rising:
        x = x.to_dense(track_stored=True)
    if isinstance(x.values, csr_array):
        rows = x.values
        if needed > size:
            run.fail(np.diff(rows.indptr) == size, beyond(x, needed - 1))
            rows = csr_array((rows.data, rows.indices, rows.indptr), (run.rows, needed))
        taken = rows[:, indices]
        taken.sort_indices()
        column = Column(taken)
        return column if len(indices) >= WIDE else column.to_dense(run.tracks_stored)
    partial = _partial(x)
    inside = indices < size
    if not inside.all():
        run.fail(~partial, beyond(x, needed - 1))
    if expr.picks_rising and partial.any():
        rising = inside & np.array(expr.rises)
        values = _columns(x.values, indices, np.where(partial[:, None], rising, inside))
        stored = _columns(x.stored, indices, np.where(partial[:, None], rising, inside))
    else:
        values = _columns(x.values, indices, inside)
        stored = None if x.stored is None else _columns(x.stored, indices, inside)
    return Column(values, stored=stored)


def _columns(values: Any, indices: Indices, wanted: Bools) -> Any:
    """Columns by index, 0 where they are not wanted."""
    if wanted.all():
        return values[:, indices]
    padded = np.concatenate([values, np.zeros((len(values), 1), dtype=values.dtype)], axis=1)
    taken = padded[:, np.minimum(indices, values.shape[1])]
    return np.where(wanted, taken, np.zeros((), dtype=values.dtype))


_PRIME = np.int32(2038074743)


@implements(p.MinHash, sparse=True)
def _min_hash(run: Run, expr: p.MinHash, x: Column) -> Column:
    width = len(expr.a)
    if not require_vector(run, x):
        return _nothing(run, width)
    if isinstance(x.values, csr_array):
        rows = x.values
        nonzero = rows.data != 0.0
        owner = np.repeat(np.arange(run.rows), np.diff(rows.indptr))[nonzero]
        index = rows.indices[nonzero]
    else:
        owner, index = np.nonzero(x.values)
    counts = np.bincount(owner, minlength=run.rows)
    run.fail(counts == 0, "the vector needs an element that is not 0")
    result = np.zeros((run.rows, width))
    if len(index):
        hashes = np.fmod((index[:, None].astype(np.int32) + np.int32(1)) * expr.a + expr.b, _PRIME)
        some = counts > 0
        result[some] = np.minimum.reduceat(hashes, (np.cumsum(counts) - counts)[some], axis=0)
    return Column(result)


@implements(p.Reshape)
def _reshape(run: Run, expr: p.Reshape, x: Column) -> Column:
    shape = (run.rows, *(getattr(expr.type, "dimensions", None) or ()))
    if math.prod(x.values.shape) != math.prod(shape):
        run.fail(np.ones(run.rows, dtype=bool), f"the tensor has not {math.prod(shape[1:])} elements")
        return Column(np.zeros(shape))
    return Column(x.values.reshape(shape), x.valid, None if x.stored is None else x.stored.reshape(shape))
