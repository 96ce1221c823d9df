"""Elements of vectors: selection, recoding, reshaping."""

from __future__ import annotations

import numpy as np

from leapstream.bundle.types import TensorType
from leapstream.executors.implementing import implements
from leapstream.executors.jvm.emitter.base import Emitter
from leapstream.executors.jvm.emitter.code import (
    boolean_literal,
    double_bytes,
    double_literal,
    int_bytes,
)
from leapstream.plan import primitives as p


@implements(p.Item)
def _item(emitter: Emitter, expr: p.Item) -> None:
    x = emitter.vector(expr.x)
    emitter.place(expr)
    emitter.define(expr, f"Selection.item({x}, {expr.index})")


@implements(p.ElementsAtLeast)
def _at_least(emitter: Emitter, expr: p.ElementsAtLeast) -> None:
    x = emitter.vector(expr.x)
    emitter.place(expr)
    positions = boolean_literal(expr.gives == "positions")
    rest = f"{double_literal(expr.threshold)}, {expr.limit}, {positions}, {emitter.buffer()}"
    emitter.define(expr, f"Selection.elementsAtLeast({x}, {rest})")


@implements(p.Recode)
def _recode(emitter: Emitter, expr: p.Recode) -> None:
    x = emitter.vector(expr.x)
    emitter.place(expr)
    parts = [
        int_bytes(np.array(expr.positions, dtype=np.int64)),
        int_bytes(np.cumsum([0, *(len(keys) for keys, _ in expr.tables)])),
        double_bytes(np.concatenate([np.zeros(0), *(keys for keys, _ in expr.tables)])),
        double_bytes(np.concatenate([np.zeros(0), *(values for _, values in expr.tables)])),
        b"\0" if expr.others is None else b"\1" + double_bytes(np.array(expr.others)),
    ]
    recoding = emitter.resource("Recoding", "new Recoding(data)", b"".join(parts))
    emitter.define(expr, f"{recoding}.recode({x}, {expr.size}, {emitter.buffer()})")


@implements(p.Take)
def _take(emitter: Emitter, expr: p.Take) -> None:
    x = emitter.vector(expr.x)
    emitter.place(expr)
    rising = boolean_literal(expr.picks_rising)
    emitter.define(
        expr, f"Selection.take({x}, {emitter.ints(expr.indices)}, {rising}, {emitter.buffer()}, {emitter.buffer()})"
    )


@implements(p.Reshape)
def _reshape(emitter: Emitter, expr: p.Reshape) -> None:
    assert isinstance(expr.type, TensorType) and expr.type.dimensions is not None
    x = emitter.present(expr.x)
    emitter.place(expr)
    dimensions = "null" if len(expr.type.dimensions) == 1 else emitter.ints(expr.type.dimensions)
    emitter.define(expr, f"Selection.reshape({x}, {dimensions}, {expr.type.size}, {emitter.buffer()})")
