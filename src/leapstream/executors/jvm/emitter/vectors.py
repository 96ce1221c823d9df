"""Vectors: put together, taken apart, scaled."""

from __future__ import annotations

from leapstream.bundle.types import ScalarType
from leapstream.executors.implementing import implements
from leapstream.executors.jvm.emitter.base import Emitter
from leapstream.executors.jvm.emitter.code import (
    double_literal,
)
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Expr


@implements(p.Concat)
def _concat(e: Emitter, expr: p.Concat) -> None:
    buffer = e.buffer()
    parts = [e.present(x) if isinstance(x.type, ScalarType) else e.vector(x) for x in expr.xs]
    _fill(e, expr.xs, parts, buffer)
    if not all(isinstance(reader, p.Trees) for reader in e.readers[id(expr)]):
        e.line(f"{buffer}.compress();")
    e.define(expr, buffer)


@implements(p.Pack)
def _pack(e: Emitter, expr: p.Pack) -> None:
    buffer = e.buffer()
    _fill(e, expr.xs, [e.present(x) for x in expr.xs], buffer)
    e.define(expr, buffer)


def _fill(e: Emitter, xs: tuple[Expr, ...], parts: list[str], buffer: str) -> None:
    """Make a buffer a dense vector of numbers and vectors."""
    if all(isinstance(x.type, ScalarType) for x in xs):
        e.line(f"{buffer}.dense({len(parts)});")
        for i, part in enumerate(parts):
            e.line(f"{buffer}.value[{i}] = {part};")
    else:
        e.line(f"{buffer}.dense(0);")
        for part in parts:
            e.line(f"Vecs.append({part}, {buffer});")


@implements(p.Item)
def _item(e: Emitter, expr: p.Item) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    e.define(expr, f"Vecs.item({x}, {expr.index})")


@implements(p.Affine)
def _affine(e: Emitter, expr: p.Affine) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    steps = (expr.shift, expr.divisor, expr.factor, expr.offset, expr.fixed)
    arrays = ", ".join("null" if step is None else e.doubles(step) for step in steps)
    keep = "true" if expr.keep_nan else "false"
    e.define(expr, f"Vecs.affine({x}, {expr.size}, {arrays}, {keep}, {e.buffer()})")


@implements(p.Clip)
def _clip(e: Emitter, expr: p.Clip) -> None:
    e.define(
        expr, f"Vecs.clip({e.vector(expr.x)}, {double_literal(expr.low)}, {double_literal(expr.high)}, {e.buffer()})"
    )


@implements(p.Normalize)
def _normalize(e: Emitter, expr: p.Normalize) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    e.define(expr, f"Vecs.normalize({x}, {double_literal(expr.p)}, {e.buffer()})")
