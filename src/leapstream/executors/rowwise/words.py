"""Vectors of known words."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any

import numpy as np

from leapstream.executors.implementing import implements
from leapstream.executors.rowwise.counts import count, define_counts
from leapstream.executors.rowwise.runtime import UnusualRecordError, add_up
from leapstream.executors.rowwise.writer import Writer
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Doubles


@implements(p.VocabularyCounts)
def _vocabulary_counts(writer: Writer, expr: p.VocabularyCounts) -> None:
    positions = writer.constant({word: i for i, word in enumerate(expr.vocabulary)})
    counts = writer.call(
        vocabulary_counts,
        *(writer.present(expr.x), positions, str(expr.size), str(expr.binary), writer.constant(float(expr.min_count))),
    )
    define_counts(writer, expr, counts, expr.size)


def vocabulary_counts(
    tokens: Sequence[str | None], positions: dict[str | None, int], size: int, binary: bool, least: float
) -> dict[int, float]:
    """See :class:`leapstream.plan.primitives.VocabularyCounts`."""
    counts = count([positions[token] for token in tokens if token in positions])
    if counts and max(counts) >= size:
        raise UnusualRecordError
    if not least >= 1.0:
        least *= len(tokens)
    if not least <= 1.0:
        counts = {position: number for position, number in counts.items() if number >= least}
    return dict.fromkeys(counts, 1.0) if binary else counts


@implements(p.WordVectors)
def _word_vectors(writer: Writer, expr: p.WordVectors) -> None:
    vectors = np.ascontiguousarray(expr.vectors, dtype=np.float64)
    known = {
        word: vector if complete else None
        for word, vector, complete in zip(expr.words, vectors, expr.complete, strict=True)
    }
    function = word_vector_of_norm_1 if expr.normalize else mean_word_vector
    writer.define(expr, writer.call(function, writer.present(expr.x), writer.constant(known), str(vectors.shape[1])))


def _sum_vectors(tokens: Sequence[str | None], known: dict[Any, Doubles | None], size: int) -> Doubles:
    """The sum of the vectors of known tokens, added one after the other; ``None`` stands for an incomplete vector."""
    total = np.zeros(size)
    for token in tokens:
        if token in known:
            vector = known[token]
            if vector is None:
                raise UnusualRecordError
            total += vector
    return total


def mean_word_vector(tokens: Sequence[str | None], known: dict[Any, Doubles | None], size: int) -> list[float]:
    """The sum of the vectors of known tokens, divided by the number of all tokens."""
    total = _sum_vectors(tokens, known, size)
    total *= 1.0 / max(len(tokens), 1)
    result: list[float] = total.tolist()
    return result


def word_vector_of_norm_1(tokens: Sequence[str | None], known: dict[Any, Doubles | None], size: int) -> list[float]:
    """The sum of the vectors of known tokens, divided by its norm."""
    total: list[float] = _sum_vectors(tokens, known, size).tolist()
    if not tokens:
        return total
    norm = sqrt(add_up([x * x for x in total]))
    if norm == 0.0:
        raise UnusualRecordError
    return [x / norm for x in total]
