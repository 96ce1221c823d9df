"""What XGBoost does besides walking trees, in single precision."""

from __future__ import annotations

import struct

import numpy as np

from leapstream.bundle.types import ScalarType
from leapstream.executors.implementing import implements
from leapstream.executors.jvm.emitter.base import Emitter
from leapstream.executors.jvm.emitter.code import double_bytes, int_bytes, text_literal
from leapstream.executors.jvm.emitter.trees import forest_bytes
from leapstream.layouts.forest import make_explained
from leapstream.plan import primitives as p


@implements(p.Singles)
def _singles(e: Emitter, expr: p.Singles) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    used, slot = np.unique(expr.elements, return_inverse=True)
    data = int_bytes(used) + int_bytes(slot) + double_bytes(expr.missing) + int_bytes(expr.whole)
    singles = e.resource("Singles", "new Singles(data)", data)
    if expr.refusal is not None:
        e.line(f"if ({x} != null) throw new Refusal({text_literal(expr.refusal)});")
    e.define(expr, f"{singles}.pick({x}, {expr.size}, {e.buffer()})")


@implements(p.Single)
def _single(e: Emitter, expr: p.Single) -> None:
    x = e.present(expr.x) if isinstance(expr.x.type, ScalarType) else e.vector(expr.x)
    if isinstance(expr.x.type, ScalarType):
        e.define(expr, f"Singles.{expr.function}({x})")
    elif expr.function in ("softmax", "argmax"):
        e.define(expr, f"Singles.{expr.function}({x}, {e.buffer()})")
    else:
        buffer = e.buffer()
        e.line(f"{buffer}.dense({x}.size);")
        e.line(f"for (int i = 0; i < {x}.size; i++) {buffer}.value[i] = Singles.{expr.function}({x}.value[i]);")
        e.define(expr, buffer)


@implements(p.LinearSingles)
def _linear_singles(e: Emitter, expr: p.LinearSingles) -> None:
    function = "products" if expr.contributions else "sums"
    weights, base = e.doubles(expr.weights.astype(np.float64)), e.doubles(expr.base.astype(np.float64))
    e.define(expr, f"Singles.{function}({e.vector(expr.x)}, {weights}, {base}, {e.buffer()})")


@implements(p.TreeContributions)
def _tree_contributions(e: Emitter, expr: p.TreeContributions) -> None:
    explained = make_explained(expr)
    tested, number = np.unique(expr.features, return_inverse=True)
    data = [
        forest_bytes(explained.forest),
        *map(double_bytes, (explained.cover, explained.mean, expr.weights)),
        int_bytes(np.array(expr.groups, dtype=np.int32)),
        double_bytes(expr.base),
        *map(int_bytes, (number, tested)),
        struct.pack(">i", expr.num_features),
    ]
    contributions = e.resource("Contributions", "new Contributions(data)", b"".join(data))
    e.define(expr, f"{contributions}.of({e.vector(expr.x)}.value, {e.buffer()})")
