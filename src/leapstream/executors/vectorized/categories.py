"""Strings and numbers as categories, and back."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from leapstream.bundle.types import TensorType
from leapstream.executors import failures
from leapstream.executors.columns import WIDE, Column
from leapstream.executors.implementing import implements
from leapstream.executors.sparse import csr, is_csr
from leapstream.executors.texts import text_array, texts_of
from leapstream.executors.vectorized.numbers import binary_search, ordered_bits
from leapstream.executors.vectorized.run import Run, compressed
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Doubles


def _prepare_lookup(expr: p.Lookup) -> tuple[pa.Array, Doubles]:
    index = {label: float(i) for i, label in enumerate(expr.labels)}
    return text_array(list(index)), np.array([*index.values(), len(expr.labels)], dtype=np.float64)


@implements(p.Lookup, prepare=_prepare_lookup)
def _lookup(run: Run, expr: p.Lookup, x: Column) -> Column:
    import pyarrow.compute as pc

    labels, index = run.prepared[id(expr)]
    found = pc.index_in(x.values, value_set=labels, skip_nulls=True)
    position = np.asarray(found.fill_null(len(labels)))
    if found.null_count and expr.invalid != "keep":
        null = np.asarray(x.values.is_null())
        run.fail(null, failures.missing_value())
        unseen = (position == len(labels)) & ~null
        if expr.invalid == "skip":
            run.drop(unseen)
        else:
            run.fail(unseen, lambda row: failures.unseen_label(texts_of(x.values[row : row + 1])[0]))
    return Column(index[position])


@implements(p.Label)
def _label(run: Run, expr: p.Label, x: Column) -> Column:
    labels = np.array([*expr.labels, None], dtype=object)
    listed = isinstance(x.values, pa.Array)
    numbers = np.asarray(x.values.flatten()) if listed else x.values
    index = np.trunc(np.where(np.isnan(numbers), 0.0, numbers))
    outside = (index < 0) | (index >= len(expr.labels))
    if x.stored is not None:
        outside &= x.stored
        index = np.where(x.stored, index, len(expr.labels))
    texts = labels[np.where(outside, len(expr.labels), index).astype(np.intp)]
    reason = failures.outside_of_labels(len(expr.labels))
    if listed:
        owner = np.repeat(np.arange(run.rows), np.diff(np.asarray(x.values.offsets)))
        failed = np.zeros(run.rows, dtype=bool)
        failed[owner[outside]] = True
        run.fail(failed, reason)
        return Column(pa.ListArray.from_arrays(x.values.offsets, text_array(texts)))
    run.fail(outside if outside.ndim == 1 else outside.reshape(run.rows, -1).any(axis=1), reason)
    if isinstance(expr.type, TensorType):
        return Column(texts, None, x.stored, x.complete)
    return Column(text_array(texts))


def _one_hot_index(run: Run, expr: p.OneHot | p.CategoryWeight, x: Column) -> npt.NDArray[np.intp]:
    """Position of the 1 in each row; ``categories`` for the category of its own."""
    values = x.values
    fraction = ~((np.trunc(values) == values) & (values >= -(2**31)) & (values < 2**31))
    run.fail(fraction, lambda row: failures.no_integer_category(values[row]))
    inside = (values >= 0) & (values < expr.categories)
    if not expr.keep:
        run.fail(~inside, lambda row: failures.outside_of_categories(values[row], expr.categories))
    return np.where(inside & ~fraction, values, expr.categories).astype(np.intp)


@implements(p.OneHot, sparse=True)
def _one_hot(run: Run, expr: p.OneHot, x: Column) -> Column:
    index = _one_hot_index(run, expr, x)
    stored = index < expr.width
    if expr.width >= WIDE:
        starts = np.concatenate([[0], np.cumsum(stored)])
        return Column(csr((np.ones(starts[-1]), index[stored], starts), (run.rows, expr.width)))
    result = np.zeros((run.rows, expr.width))
    rows = np.flatnonzero(stored)
    result[rows, index[rows]] = 1.0
    return Column(result, stored=result != 0).as_sparse() if run.tracks_stored else Column(result)


@implements(p.CategoryWeight, prepare=lambda expr: expr.padded)
def _category_weight(run: Run, expr: p.CategoryWeight, x: Column) -> Column:
    weights: Doubles = run.prepared[id(expr)]
    return Column(weights[_one_hot_index(run, expr, x)])


@implements(p.Bucketize, prepare=lambda expr: ordered_bits(expr.splits))
def _bucketize(run: Run, expr: p.Bucketize, x: Column) -> Column:
    values, splits = x.values, expr.splits
    nan = np.isnan(values)
    if expr.invalid == "skip":
        run.drop(nan)
    elif expr.invalid == "error":
        run.fail(nan, failures.nan_value())
    last = values == splits[-1]
    if expr.rises:
        # Java's binary search takes -0.0 for less than 0.0; the least number below 0 finds the same bucket.
        keys = np.where((values == 0.0) & np.signbit(values), -np.nextafter(0.0, 1.0), values)
        above = np.searchsorted(splits, keys, side="right")
        bucket = above - 1
    else:
        found, above = binary_search(run.prepared[id(expr)], ordered_bits(values))
        bucket = np.where(found >= 0, found, above - 1)
        above = np.where(found >= 0, 1, above)
    outside = ((above == 0) | (above == len(splits))) & ~last & ~nan
    run.fail(outside, lambda row: failures.outside_of_splits(values[row]))
    bucket = np.where(last, len(splits) - 2, bucket)
    return Column(np.where(nan, len(splits) - 1, bucket).astype(np.float64))


@implements(p.Binarize, sparse=True)
def _binarize(run: Run, expr: p.Binarize, x: Column) -> Column:
    if is_csr(x.values):
        above = x.values.data > expr.threshold
        kept = np.concatenate([[0], np.cumsum(above)])[x.values.indptr]
        return Column(csr((np.ones(kept[-1]), x.values.indices[above], kept), x.values.shape))
    above = x.values > expr.threshold
    if x.stored is not None:
        above &= x.stored
    return Column(above.astype(np.float64), stored=compressed(above) if run.tracks_stored and above.ndim > 1 else None)
