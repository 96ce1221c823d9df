"""Ensembles of decision trees."""

from __future__ import annotations

import numpy as np

from leapstream.bundle.definition import CATEGORICAL, CATEGORICAL_NOT, CONTINUOUS, LEAF
from leapstream.jvm.emitter.base import Emit, Emitter
from leapstream.jvm.emitter.code import (
    double_bytes,
    double_literal,
    int_bytes,
)
from leapstream.plan import primitives as p
from leapstream.plan.forest import make_forest
from leapstream.plan.primitives import Expr


def _forest(expr: p.Trees) -> bytes:
    """The trees as ``leapstream.runtime.Forest`` reads them."""
    forest = make_forest(expr)
    kind = forest.kind
    # Sorted for a binary search; the trees keep their own order.
    for node in np.flatnonzero(kind >= CATEGORICAL):
        forest.data[forest.data_start[node] : forest.data_end[node]].sort()
    parts = [
        int_bytes(forest.root),
        int_bytes(np.where(kind == LEAF, -1, np.where(kind == CONTINUOUS, forest.feature, -2 - forest.feature))),
        double_bytes(forest.threshold),
        int_bytes(np.where(kind == LEAF, forest.data_start, forest.right)),
        int_bytes(forest.data_start),
        int_bytes(forest.data_end),
        int_bytes((kind != CATEGORICAL_NOT).astype(np.int32)),
        double_bytes(forest.data),
        double_bytes(forest.weights),
    ]
    return b"".join(parts)


def _trees(e: Emitter, expr: p.Trees) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    forest = e.resource("Forest", "new Forest(data)", _forest(expr))
    elements = f"Vecs.elements({x}, {e.buffer()}), {x}.size"
    if expr.combine in ("leaf", "votes"):
        e.define(expr, f"{forest}.leaves({elements}, {expr.width}, {e.buffer()})")
    else:
        mean = f" / {double_literal(len(expr.trees))}" if expr.combine == "mean" else ""
        e.define(expr, f"{forest}.sum({elements}){mean}")


PRIMITIVES: dict[type[Expr], Emit] = {
    p.Trees: _trees,
}
