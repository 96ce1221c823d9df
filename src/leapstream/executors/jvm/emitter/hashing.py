"""Hashes of tokens, of features and of vectors."""

from __future__ import annotations

from leapstream.executors.implementing import implements
from leapstream.executors.jvm.emitter.base import Emitter
from leapstream.executors.jvm.emitter.code import (
    BOXES,
    boolean_literal,
    java_type,
    label_bytes,
)
from leapstream.plan import primitives as p


@implements(p.HashedCounts)
def _hashed_counts(emitter: Emitter, expr: p.HashedCounts) -> None:
    x = emitter.present(expr.x)
    hashing = emitter.resource("Hashing", f"new Hashing({expr.size}, {boolean_literal(expr.legacy_tail)})", b"")
    emitter.define(expr, f"{hashing}.counts({x}, {boolean_literal(expr.binary)}, {emitter.buffer()})")


@implements(p.SignedHashes)
def _signed_hashes(emitter: Emitter, expr: p.SignedHashes) -> None:
    x = emitter.present(expr.x)
    hashing = emitter.resource("Hashing", f"new Hashing({expr.size}, false)", b"")
    options = f"{boolean_literal(expr.signed)}, {boolean_literal(expr.binary)}"
    emitter.define(expr, f"{hashing}.signed({x}, {options}, {emitter.buffer()})")


@implements(p.HashedFeatures)
def _hashed_features(emitter: Emitter, expr: p.HashedFeatures) -> None:
    hashing = emitter.resource("Hashing", f"new Hashing({expr.size}, data)", label_bytes(expr.names))
    emitter.line(f"{hashing}.clear();")
    for i, (x, category) in enumerate(zip(expr.xs, expr.categories, strict=True)):
        null, value = emitter.null(x), emitter.value(x)
        java = java_type(x.type)
        if category:
            text = value
            if java in BOXES:
                text = f"{'NumberText.of' if java in ('double', 'float') else f'{BOXES[java]}.toString'}({value})"
            call = f"{hashing}.category({i}, {text});"
        else:
            call = f"{hashing}.number({i}, {value});"
        emitter.line(call if null is None else f"if (!({null})) {call}")
    emitter.define(expr, f"{hashing}.sums({emitter.buffer()})")


@implements(p.MinHash)
def _min_hash(emitter: Emitter, expr: p.MinHash) -> None:
    x = emitter.vector(expr.x)
    emitter.place(expr)
    emitter.define(expr, f"Hashing.minHash({x}, {emitter.ints(expr.a)}, {emitter.ints(expr.b)}, {emitter.buffer()})")
