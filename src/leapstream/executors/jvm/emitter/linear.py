"""Linear algebra over vectors."""

from __future__ import annotations

import numpy as np

from leapstream.bundle.types import ScalarType
from leapstream.executors.implementing import implements
from leapstream.executors.jvm.emitter.base import Emitter
from leapstream.executors.jvm.emitter.code import (
    double_literal,
)
from leapstream.plan import primitives as p


@implements(p.Dot)
def _dot(e: Emitter, expr: p.Dot) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    weights = e.doubles(expr.weights)
    e.define(expr, f"Vecs.dot({x}, {weights}, 0, {len(expr.weights)}) + {double_literal(expr.intercept)}")


@implements(p.MatVec)
def _mat_vec(e: Emitter, expr: p.MatVec) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    matrix, intercepts = e.doubles(expr.matrix), e.doubles(expr.intercepts)
    e.define(expr, f"Vecs.matVec({x}, {matrix}, {intercepts}, {expr.matrix.shape[1]}, {e.buffer()})")


@implements(p.Nearest)
def _nearest(e: Emitter, expr: p.Nearest) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    size = expr.centers.shape[1]
    centers = e.doubles(expr.centers)
    norms = e.resource("double[]", f"Vecs.norms({centers}, {size})", b"")
    e.define(expr, f"Vecs.nearest({x}, {centers}, {norms}, {size})")


@implements(p.LinearSum)
def _linear_sum(e: Emitter, expr: p.LinearSum) -> None:
    names = [e.present(x) if isinstance(x.type, ScalarType) else e.vector(x) for x in expr.xs]
    e.place(expr)
    weights = e.doubles(np.concatenate([np.zeros(0), *expr.weights]))
    e.define(expr, "0.0")
    total = e.value(expr)
    at = 0
    for x, name, part in zip(expr.xs, names, expr.weights, strict=True):
        if isinstance(x.type, ScalarType):
            e.line(f"{total} += {name} * {weights}[{at}];")
        else:
            e.line(f"{total} += Vecs.dot({name}, {weights}, {at}, {len(part)});")
        at += len(part)
    e.line(f"{total} += {double_literal(expr.intercept)};")
