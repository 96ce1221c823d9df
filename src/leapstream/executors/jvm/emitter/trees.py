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
from leapstream.layouts.leaftables import LeafTables, make_leaf_tables
from leapstream.plan import primitives as p


def forest_bytes(forest: Forest, tables: LeafTables | None) -> bytes:
    """The trees as ``leapstream.runtime.Forest`` reads them."""
    ints = (forest.root, forest.depth, forest.order, forest.feature, forest.child, forest.first)
    sets = (forest.set_start, forest.set_end, forest.set_left)
    doubles = (forest.threshold, forest.data)
    numbers = [*map(int_bytes, (*ints, *sets)), *map(double_bytes, doubles), struct.pack(">i", forest.size)]
    if tables is None:
        return b"".join([*numbers, b"\0"])
    masks = tables.mask.T.reshape(-1).view(np.int32)
    arrays = (
        tables.feature,
        tables.count,
        tables.compared,
        tables.before.reshape(-1),
        masks,
        tables.reached.reshape(-1),
    )
    return b"".join(
        [
            *numbers,
            b"\1",
            struct.pack(">ii", tables.levels, tables.below),
            *map(int_bytes, arrays),
            *map(double_bytes, (tables.cut.reshape(-1), tables.low, tables.scale)),
        ]
    )


@implements(p.Trees)
def _trees(emitter: Emitter, expr: p.Trees) -> None:
    x = emitter.vector(expr.x)
    emitter.place(expr)
    nodes = make_forest(expr)
    forest = emitter.resource("Forest", "new Forest(data)", forest_bytes(nodes, make_leaf_tables(nodes)))
    elements = f"Vectors.elements({x}, {emitter.buffer()}), {x}.size"
    if expr.combine in ("leaf", "votes"):
        emitter.define(expr, f"{forest}.leaves({elements}, {expr.width}, {emitter.buffer()})")
    elif expr.combine == "groups":
        assert expr.base is not None
        groups = emitter.ints(expr.groups)
        emitter.define(
            expr, f"{forest}.groupSums({elements}, {groups}, {emitter.doubles(expr.base)}, {emitter.buffer()})"
        )
    else:
        mean = f" / {double_literal(len(expr.trees))}" if expr.combine == "mean" else ""
        emitter.define(expr, f"{forest}.sum({elements}){mean}")
