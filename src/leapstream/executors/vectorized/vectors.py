"""Vectors: concatenation and scaling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from leapstream.executors import failures
from leapstream.executors.columns import Column
from leapstream.executors.implementing import implements
from leapstream.executors.sparse import csr, is_csr, stacked
from leapstream.executors.vectorized.run import Run, compressed, rows_of
from leapstream.executors.vectorized.sums import NARROW, row_sums
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Doubles
from leapstream.plan.sizes import LONGEST_VECTOR

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@implements(p.Concat, sparse=True)
def _concat(run: Run, expr: p.Concat, *xs: Column) -> Column:
    if not xs:
        return Column(np.zeros((run.rows, 0)))
    # Which elements are stored depends on how many are; that is decided on dense vectors.
    if run.tracks_stored:
        xs = tuple(x.to_dense() for x in xs)
    parts = [x.values[:, None] if x.values.ndim == 1 else x.values for x in xs]
    # Where types do not say the sizes, vectors that are put together again and again double each time.
    if sum(part.shape[1] for part in parts) > LONGEST_VECTOR:
        run.fail(np.ones(run.rows, dtype=bool), failures.too_many_elements(LONGEST_VECTOR))
        return Column(np.zeros((run.rows, 0)))
    if any(is_csr(part) for part in parts):
        rows = stacked(parts, axis=1)
        return Column(_with_data(rows, rows.data + 0.0))
    result = _side_by_side(parts)
    # Adding 0 makes -0.0 the 0.0 of an element that is not stored.
    result += 0.0
    return Column(result, stored=compressed(result != 0) if run.tracks_stored else None)


@implements(p.Pack)
def _pack(run: Run, expr: p.Pack, *xs: Column) -> Column:
    return Column(_side_by_side([x.values[:, None] for x in xs]) if xs else np.zeros((run.rows, 0)))


def _side_by_side(parts: Sequence[Doubles]) -> Doubles:
    """Arrays (rows, elements) next to each other: narrow ones column by column in memory, as scalers and sums go through them."""
    width = sum(part.shape[1] for part in parts)
    result = np.empty((len(parts[0]), width), order="F" if width <= NARROW else "C")
    return np.concatenate(parts, axis=1, out=result)


@implements(p.Affine, sparse=True)
def _affine(run: Run, expr: p.Affine, x: Column) -> Column:
    width = x.values.shape[1]
    if width > expr.size and expr.keeps_stored:
        return _scale_longer(run, expr, x)
    if is_csr(x.values):
        if expr.keeps_stored:
            return x.with_values(_scaled(expr, x.values))
        x = x.to_dense(run.tracks_stored)
    values = x.values
    if width > expr.size:
        beyond = values[:, expr.size :]
        known = np.isnan(beyond).all(axis=1) if expr.keep_nan else np.zeros(run.rows, dtype=bool)
        run.fail(~known, failures.wrong_size(width, expr.size))
        result = _affine(run, expr, Column(values[:, : expr.size])).values
        return Column(np.concatenate([result, beyond], axis=1) if expr.keep_nan else result)
    result = values
    steps = (np.subtract, expr.shift), (np.divide, expr.divisor), (np.multiply, expr.factor), (np.add, expr.offset)
    for function, operands in steps:
        if operands is not None:
            result = function(result, operands[:width], out=None if result is values else result)
    if expr.fixed is not None:
        fixed = expr.fixed[:width]
        replaced = ~np.isnan(fixed)
        if expr.keep_nan:
            replaced = replaced & ~np.isnan(values)
        result = np.where(replaced, fixed, result)
    if not expr.keeps_stored:
        return Column(result)
    return x.with_values(result if x.stored is None else np.where(x.stored, result, 0.0))


def _scale_longer(run: Run, expr: p.Affine, x: Column) -> Column:
    """Scale vectors that are longer than the parameters; a row fails where it stores an element without parameters."""
    run.require_stored()
    reason = failures.wrong_size(x.values.shape[1], expr.size)
    if is_csr(x.values):
        rows = x.values
        inside = rows.indices < expr.size
        run.fail(np.bincount(rows_of(rows)[~inside], minlength=run.rows) > 0, reason)
        starts = np.concatenate([[0], np.cumsum(inside)])[rows.indptr]
        rows = csr((rows.data[inside], rows.indices[inside], starts), rows.shape)
        return x.with_values(_scaled(expr, rows))
    beyond = np.ones(run.rows, dtype=bool) if x.stored is None else x.stored[:, expr.size :].any(axis=1)
    rest = x.values[:, expr.size :]
    skipped = ~x.sparse_rows() & np.isnan(rest).all(axis=1) & expr.keep_nan
    run.fail(beyond & ~skipped, reason)
    known = Column(x.values[:, : expr.size], stored=None if x.stored is None else x.stored[:, : expr.size])
    values = np.where(skipped[:, None], x.values, 0.0)
    values[:, : expr.size] = _affine(run, expr, known).values
    return x.with_values(values)


def _with_data(rows: csr_array, data: Doubles) -> csr_array:
    """Other values, stored in the same places."""
    return csr((data, rows.indices, rows.indptr), rows.shape)


def _scaled(expr: p.Affine, rows: csr_array) -> csr_array:
    data = rows.data
    if expr.divisor is not None:
        data = data / expr.divisor[rows.indices]
    if expr.factor is not None:
        data = data * expr.factor[rows.indices]
    return _with_data(rows, data)


@implements(p.Clip, sparse=True)
def _clip(run: Run, expr: p.Clip, x: Column) -> Column:
    if is_csr(x.values):
        if expr.low <= 0 <= expr.high:
            return x.with_values(_with_data(x.values, _clipped(x.values.data, expr)))
        x = x.to_dense(run.tracks_stored)
    clipped = _clipped(x.values, expr)
    # Where 0 is clipped, too, all elements are stored.
    return x.with_values(clipped) if expr.low <= 0 <= expr.high else Column(clipped, x.valid)


def _clipped(values: Doubles, expr: p.Clip) -> Doubles:
    """NumPy's ``clip`` may turn a zero into a bound that is a zero of the other sign."""
    return np.where(values < expr.low, expr.low, np.where(values > expr.high, expr.high, values))


@implements(p.Normalize, sparse=True)
def _normalize(run: Run, expr: p.Normalize, x: Column) -> Column:
    values, power = x.values, expr.p
    if not power >= 1.0:
        run.fail(np.ones(run.rows, dtype=bool), failures.wrong_norm(power))
        return x
    if is_csr(values):
        norms = _norms(values, power)
        divisors = np.repeat(np.where(norms != 0.0, norms, 1.0), np.diff(values.indptr))
        return x.with_values(_with_data(values, values.data / divisors))
    if power == 1.0:
        norm = row_sums(np.abs(values))
    elif power == 2.0:
        norm = np.sqrt(row_sums(values * values))
    elif power == np.inf:
        norm = np.fmax.reduce(np.abs(values), axis=1, initial=0.0)
    else:
        norm = row_sums(np.abs(values) ** power) ** (1.0 / power)
    result = values / np.where(norm != 0.0, norm, 1.0)[:, None]
    if np.isnan(norm).any():
        # Elements that are not stored stay 0.
        run.require_stored()
        if x.stored is not None:
            result = np.where(x.stored, result, 0.0)
    return x.with_values(result)


def _norms(rows: csr_array, power: float) -> Doubles:
    """The p-norm of each row."""
    magnitudes = _with_data(rows, np.abs(rows.data))
    if power == np.inf:
        # NaN does not count.
        result: Doubles = _with_data(rows, np.fmax(magnitudes.data, 0.0)).max(axis=1).toarray().reshape(-1)
    elif power == 1.0:
        result = _stored_sums(rows, magnitudes.data)
    elif power == 2.0:
        result = np.sqrt(_stored_sums(rows, rows.data * rows.data))
    else:
        result = _stored_sums(rows, magnitudes.data**power) ** (1.0 / power)
    return result


def _stored_sums(rows: csr_array, data: Doubles) -> Doubles:
    """For each row the sum of what ``data`` has for its stored elements, from left to right."""
    return np.asarray(np.bincount(rows_of(rows), data, rows.shape[0]), dtype=np.float64)
