"""Vectors of known words."""

from __future__ import annotations

import numpy as np

from leapstream.executors.implementing import implements
from leapstream.executors.jvm.emitter.base import Emitter
from leapstream.executors.jvm.emitter.code import (
    boolean_literal,
    double_bytes,
    double_literal,
    int_bytes,
    label_bytes,
)
from leapstream.plan import primitives as p


@implements(p.VocabularyCounts)
def _vocabulary_counts(emitter: Emitter, expr: p.VocabularyCounts) -> None:
    x = emitter.present(expr.x)
    emitter.place(expr)
    words = emitter.resource("Labels", "Data.readLabels(data)", label_bytes(expr.vocabulary))
    counts = emitter.resource("Counts", "new Counts()", b"")
    rest = f"{expr.size}, {double_literal(expr.min_count)}, {boolean_literal(expr.binary)}, {emitter.buffer()}"
    emitter.define(expr, f"{counts}.words({x}, {words}, {rest})")


@implements(p.WordVectors)
def _word_vectors(emitter: Emitter, expr: p.WordVectors) -> None:
    x = emitter.present(expr.x)
    emitter.place(expr)
    complete = int_bytes(np.array(expr.complete, dtype=np.int32))
    data = label_bytes(expr.words) + double_bytes(expr.vectors) + complete
    vectors = emitter.resource("WordVectors", f"new WordVectors({expr.vectors.shape[1]}, data)", data)
    emitter.define(expr, f"{vectors}.sum({x}, {boolean_literal(expr.normalize)}, {emitter.buffer()})")
