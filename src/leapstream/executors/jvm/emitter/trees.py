"""Ensembles of decision trees."""

from __future__ import annotations

import struct

import numpy as np

from leapstream.executors.implementing import implements
from leapstream.executors.jvm.emitter.base import Emitter
from leapstream.executors.jvm.emitter.code import (
    double_bytes,
    double_literal,
    int_bytes,
)
from leapstream.layouts.forest import Forest, make_forest
from leapstream.plan import primitives as p


def forest_bytes(forest: Forest) -> bytes:
    """The trees as ``leapstream.runtime.Forest`` reads them."""
    ints = (forest.root, forest.depth, forest.order, forest.feature, forest.child, forest.first)
    sets = (forest.set_start, forest.set_end, forest.set_left)
    doubles = (forest.threshold, forest.data)
    numbers = [*map(int_bytes, (*ints, *sets)), *map(double_bytes, doubles), struct.pack(">i", forest.size)]
    ranks = forest.ranks
    if ranks is None:
        return b"".join([*numbers, b"\0"])
    masks = ranks.mask.T.reshape(-1).view(np.int32)
    tables = (ranks.feature, ranks.count, ranks.compared, ranks.before.reshape(-1), masks, ranks.reached.reshape(-1))
    return b"".join(
        [
            *numbers,
            b"\1",
            struct.pack(">ii", ranks.levels, ranks.below),
            *map(int_bytes, tables),
            *map(double_bytes, (ranks.cut.reshape(-1), ranks.low, ranks.scale)),
        ]
    )


@implements(p.Trees)
def _trees(e: Emitter, expr: p.Trees) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    forest = e.resource("Forest", "new Forest(data)", forest_bytes(make_forest(expr)))
    elements = f"Vecs.elements({x}, {e.buffer()}), {x}.size"
    if expr.combine in ("leaf", "votes"):
        e.define(expr, f"{forest}.leaves({elements}, {expr.width}, {e.buffer()})")
    elif expr.combine == "groups":
        assert expr.base is not None
        groups = e.resource("int[]", "Data.readInts(data)", int_bytes(np.array(expr.groups, dtype=np.int32)))
        e.define(expr, f"{forest}.groupSums({elements}, {groups}, {e.doubles(expr.base)}, {e.buffer()})")
    else:
        mean = f" / {double_literal(len(expr.trees))}" if expr.combine == "mean" else ""
        e.define(expr, f"{forest}.sum({elements}){mean}")
