"""Vectors: concatenation and scaling."""

from __future__ import annotations

from leapstream.bundle.types import ScalarType
from leapstream.executors.implementing import implements
from leapstream.executors.jvm.emitter.base import Emitter
from leapstream.executors.jvm.emitter.code import (
    boolean_literal,
    double_literal,
)
from leapstream.plan import primitives as p


@implements(p.Concat)
def _concat(emitter: Emitter, expr: p.Concat) -> None:
    buffer = emitter.buffer()
    parts = [emitter.present(x) if isinstance(x.type, ScalarType) else emitter.vector(x) for x in expr.xs]
    _fill(emitter, expr, parts, buffer)
    if not all(isinstance(reader, p.Trees) for reader in emitter.readers[id(expr)]):
        emitter.line(f"{buffer}.compress();")
    emitter.define(expr, buffer)


@implements(p.Pack)
def _pack(emitter: Emitter, expr: p.Pack) -> None:
    buffer = emitter.buffer()
    _fill(emitter, expr, [emitter.present(x) for x in expr.xs], buffer)
    emitter.define(expr, buffer)


def _fill(emitter: Emitter, expr: p.Concat | p.Pack, parts: list[str], buffer: str) -> None:
    """Make a buffer a dense vector of numbers and vectors."""
    if all(isinstance(x.type, ScalarType) for x in expr.xs):
        emitter.line(f"{buffer}.dense({len(parts)});")
        for i, part in enumerate(parts):
            emitter.line(f"{buffer}.value[{i}] = {part};")
    else:
        emitter.place(expr)
        emitter.line(f"{buffer}.dense(0);")
        for part in parts:
            emitter.line(f"Vectors.append({part}, {buffer});")


@implements(p.Affine)
def _affine(emitter: Emitter, expr: p.Affine) -> None:
    x = emitter.vector(expr.x)
    emitter.place(expr)
    steps = (expr.shift, expr.divisor, expr.factor, expr.offset, expr.fixed)
    arrays = ", ".join("null" if step is None else emitter.doubles(step) for step in steps)
    keep = boolean_literal(expr.keep_nan)
    emitter.define(expr, f"Vectors.affine({x}, {expr.size}, {arrays}, {keep}, {emitter.buffer()})")


@implements(p.Clip)
def _clip(emitter: Emitter, expr: p.Clip) -> None:
    bounds = f"{double_literal(expr.low)}, {double_literal(expr.high)}"
    if isinstance(expr.x.type, ScalarType):
        emitter.define(expr, f"Functions.clip({emitter.present(expr.x)}, {bounds})")
    else:
        emitter.define(expr, f"Vectors.clip({emitter.vector(expr.x)}, {bounds}, {emitter.buffer()})")


@implements(p.Normalize)
def _normalize(emitter: Emitter, expr: p.Normalize) -> None:
    x = emitter.vector(expr.x)
    emitter.place(expr)
    emitter.define(expr, f"Vectors.normalize({x}, {double_literal(expr.p)}, {emitter.buffer()})")
