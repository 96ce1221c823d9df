"""Linear algebra over vectors."""

from __future__ import annotations

import numpy as np

from leapstream.bundle.types import ScalarType
from leapstream.executors.implementing import implements, lowers
from leapstream.executors.jvm.emitter.base import Emitter
from leapstream.executors.jvm.emitter.code import (
    boolean_literal,
    double_literal,
)
from leapstream.plan import primitives as p


@lowers(p.Dot)
def _dot(expr: p.Dot) -> p.LinearSum:
    return p.LinearSum(
        xs=(expr.x,), weights=(expr.weights,), intercept=expr.intercept, type=expr.type, origin=expr.origin
    )


@implements(p.MatVec)
def _mat_vec(emitter: Emitter, expr: p.MatVec) -> None:
    x = emitter.vector(expr.x)
    emitter.place(expr)
    matrix, intercepts = emitter.doubles(expr.matrix), emitter.doubles(expr.intercepts)
    emitter.define(expr, f"Linear.matVec({x}, {matrix}, {intercepts}, {expr.matrix.shape[1]}, {emitter.buffer()})")


@implements(p.LinearSum)
def _linear_sum(emitter: Emitter, expr: p.LinearSum) -> None:
    names = [emitter.present(x) if isinstance(x.type, ScalarType) else emitter.vector(x) for x in expr.xs]
    emitter.place(expr)
    weights = emitter.doubles(np.concatenate([np.zeros(0), *expr.weights]))
    emitter.define(expr, "0.0")
    total = emitter.value(expr)
    at = 0
    for x, name, part in zip(expr.xs, names, expr.weights, strict=True):
        if isinstance(x.type, ScalarType):
            emitter.line(f"{total} += {name} * {weights}[{at}];")
        else:
            emitter.line(f"{total} = Linear.add({total}, {name}, {weights}, {at}, {len(part)});")
        at += len(part)
    emitter.line(f"{total} += {double_literal(expr.intercept)};")


@implements(p.CosineTransform)
def _cosine_transform(emitter: Emitter, expr: p.CosineTransform) -> None:
    x = emitter.vector(expr.x)
    emitter.place(expr)
    transform = emitter.resource("CosineTransform", "new CosineTransform()", b"")
    emitter.define(expr, f"{transform}.transform({x}, {boolean_literal(expr.inverse)}, {emitter.buffer()})")
