"""Vectors of known words."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from leapstream.executors import failures
from leapstream.executors.columns import Column
from leapstream.executors.implementing import implements
from leapstream.executors.texts import text_array
from leapstream.executors.vectorized.lists import Ints, counted, list_starts, owners
from leapstream.executors.vectorized.run import Run
from leapstream.executors.vectorized.sums import row_sums
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Doubles


def _prepare_vocabulary(expr: p.VocabularyCounts) -> tuple[pa.Array, Ints]:
    positions = {word: i for i, word in enumerate(expr.vocabulary)}
    return text_array(list(positions)), np.array([*positions.values(), -1], dtype=np.int64)


def _found(tokens: pa.Array, words: pa.Array) -> Ints:
    """The index of each token in ``words``; the number of words if the token is not one of them."""
    import pyarrow.compute as pc

    return np.asarray(pc.index_in(tokens, value_set=words, skip_nulls=True).fill_null(len(words)), dtype=np.int64)


@implements(p.VocabularyCounts, prepare=_prepare_vocabulary, sparse=True)
def _vocabulary_counts(run: Run, expr: p.VocabularyCounts, x: Column) -> Column:
    words, positions = run.prepared[id(expr)]
    starts = list_starts(x.values)
    index = positions[_found(x.values.flatten(), words)]
    count = np.diff(starts).astype(np.float64)
    least = np.full(run.rows, expr.min_count) if expr.min_count >= 1.0 else count * expr.min_count
    beyond = index >= expr.size
    if beyond.any():
        owner = np.repeat(np.arange(run.rows), np.diff(starts))[beyond]
        pairs, times = np.unique(np.stack([owner, index[beyond]]), axis=1, return_counts=True)
        counted_rows = pairs[0][times >= least[pairs[0]]]
        run.fail(np.isin(np.arange(run.rows), counted_rows), failures.no_element_for_word())
        index = np.where(beyond, -1, index)
    return counted(run, index, starts, least, expr.binary, expr.size)


def _prepare_word_vectors(expr: p.WordVectors) -> tuple[pa.Array, Doubles]:
    return text_array(expr.words), np.ascontiguousarray(expr.vectors, dtype=np.float64)


@implements(p.WordVectors, prepare=_prepare_word_vectors)
def _word_vectors(run: Run, expr: p.WordVectors, x: Column) -> Column:
    from leapstream.executors.vectorized import textkernels

    words, vectors = run.prepared[id(expr)]
    starts = list_starts(x.values)
    index = _found(x.values.flatten(), words)
    broken = np.append(~np.array(expr.complete, dtype=bool), False)[index]
    if broken.any():
        run.fail(owners(starts, broken), failures.incomplete_word_vector())
    index[(index == len(words)) | broken] = -1
    total = np.zeros((run.rows, vectors.shape[1]))
    textkernels.sum_vectors(index, starts, vectors, total)
    count = np.diff(starts)[:, None]
    if expr.normalize:
        total /= np.where(count == 0, 1.0, np.sqrt(row_sums(total * total))[:, None])
    else:
        total *= 1.0 / np.maximum(count, 1)
    stored = np.broadcast_to(count > 0, total.shape) if run.tracks_stored else None
    return Column(total, stored=stored)
