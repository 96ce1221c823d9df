"""Hashes of tokens, of features and of vectors."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from leapstream.bundle.types import BasicType
from leapstream.executors import failures
from leapstream.executors.columns import Column
from leapstream.executors.implementing import implements
from leapstream.executors.sparse import csr, is_csr
from leapstream.executors.texts import text_array, with_question_marks
from leapstream.executors.vectorized.lists import Ints, counted, list_starts, nulls, utf8, vector_rows
from leapstream.executors.vectorized.run import Run
from leapstream.javalike.numbers import number_strings
from leapstream.plan import primitives as p

_SEED = 42


def _hashes(strings: pa.Array, size: int, legacy_tail: bool = False) -> Ints:
    """The hash of each string, or the seed for a missing one, modulo ``size``."""
    from leapstream.executors.vectorized import textkernels

    strings = with_question_marks(strings)
    index = np.empty(len(strings), np.int64)
    textkernels.hashes(*utf8(strings), _SEED, legacy_tail, index)
    index %= size
    if strings.null_count:
        index[nulls(strings)] = _SEED % size
    return index


@implements(p.HashedCounts, sparse=True)
def _hashed_counts(run: Run, expr: p.HashedCounts, x: Column) -> Column:
    index = _hashes(x.values.flatten(), expr.size, expr.legacy_tail)
    return counted(run, index, list_starts(x.values), np.zeros(run.rows), expr.binary, expr.size)


@implements(p.SignedHashes, sparse=True)
def _signed_hashes(run: Run, expr: p.SignedHashes, x: Column) -> Column:
    from leapstream.executors.vectorized import textkernels

    tokens = x.values.flatten()
    strings = with_question_marks(tokens)
    found = np.empty(len(strings), np.int64)
    textkernels.hashes(*utf8(strings), 0, False, found)
    kept = np.ones(len(found), dtype=np.bool_)
    if tokens.null_count:
        kept = ~nulls(tokens)
    starts = np.concatenate([[0], np.cumsum(kept)])[list_starts(x.values)]
    found = found[kept]
    signs = np.where(found < 0, -1.0, 1.0) if expr.signed else np.ones(len(found))
    rows = csr((signs, np.abs(found) % expr.size, starts), (run.rows, expr.size))
    rows.sum_duplicates()
    if expr.binary:
        rows.data[:] = 1.0
    return vector_rows(run, rows.indptr, rows.indices.astype(np.int32), rows.data, rows.nnz, expr.size)


def _categories(x: Column, base: BasicType, name: str, size: int) -> Ints:
    """The hash of ``name=value``; each distinct value is written once."""
    import pyarrow.compute as pc

    if isinstance(x.values, pa.Array):
        encoded = x.values.dictionary_encode()
        distinct, position = encoded.dictionary, np.asarray(encoded.indices.fill_null(0))
    elif base is BasicType.BOOLEAN:
        distinct, position = pa.array(["false", "true"]), x.values.astype(np.intp)
    else:
        # -0.0 is not 0.0 in Java's words, nor is one NaN another to NumPy's view of bits.
        bits = x.values.view(f"i{x.values.dtype.itemsize}")
        values, position = np.unique(bits, return_inverse=True)
        distinct = pa.array(number_strings(values.view(x.values.dtype), base), pa.string())
    if len(distinct) == 0:
        return np.zeros(len(x), np.int64)
    index: Ints = _hashes(pc.binary_join_element_wise(text_array([f"{name}="])[0], distinct, ""), size)[position]
    return index


@implements(p.HashedFeatures, sparse=True)
def _hashed_features(run: Run, expr: p.HashedFeatures, *xs: Column) -> Column:
    from leapstream.executors.vectorized import textkernels

    index = np.empty((run.rows, len(xs)), np.int64)
    numbers = np.ones((run.rows, len(xs)))
    for at, (x, operand, name, category) in enumerate(zip(xs, expr.xs, expr.names, expr.categories, strict=True)):
        if category:
            index[:, at] = _categories(x, operand.type.base, name, expr.size)
        else:
            index[:, at] = _hashes(text_array([name]), expr.size)[0]
            numbers[:, at] = x.values
        present = x.present()
        if present is not None:
            index[~present, at] = -1
    row_starts = np.zeros(run.rows + 1, np.int64)
    columns, values = np.empty(index.size, np.int32), np.empty(index.size)
    stored = textkernels.sums(index, numbers, row_starts, columns, values)
    return vector_rows(run, row_starts, columns, values, stored, expr.size)


_PRIME = np.int32(2038074743)


@implements(p.MinHash, sparse=True)
def _min_hash(run: Run, expr: p.MinHash, x: Column) -> Column:
    width = len(expr.a)
    if is_csr(x.values):
        rows = x.values
        nonzero = rows.data != 0.0
        owner = np.repeat(np.arange(run.rows), np.diff(rows.indptr))[nonzero]
        index = rows.indices[nonzero]
    else:
        owner, index = np.nonzero(x.values)
    counts = np.bincount(owner, minlength=run.rows)
    run.fail(counts == 0, failures.all_zeros())
    result = np.zeros((run.rows, width))
    if len(index):
        hashes = np.fmod((index[:, None].astype(np.int32) + np.int32(1)) * expr.a + expr.b, _PRIME)
        some = counts > 0
        result[some] = np.minimum.reduceat(hashes, (np.cumsum(counts) - counts)[some], axis=0)
    return Column(result)
