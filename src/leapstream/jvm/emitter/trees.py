"""Ensembles of decision trees."""

from __future__ import annotations

import struct

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
    ints = (forest.root, forest.depth, forest.order, forest.feature, forest.child, forest.first)
    sets = (forest.set_start, forest.set_end, forest.set_left)
    doubles = (forest.threshold, forest.data)
    return b"".join([*map(int_bytes, (*ints, *sets)), *map(double_bytes, doubles), struct.pack(">i", forest.size)])


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
