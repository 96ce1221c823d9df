"""Strings and numbers as categories, and back."""

from __future__ import annotations

from leapstream.bundle.types import ScalarType
from leapstream.executors.implementing import implements
from leapstream.executors.jvm.emitter.base import Emitter
from leapstream.executors.jvm.emitter.code import (
    boolean_literal,
    double_literal,
    label_bytes,
)
from leapstream.plan import primitives as p


@implements(p.Lookup)
def _lookup(emitter: Emitter, expr: p.Lookup) -> None:
    x = emitter.value(expr.x)
    labels = emitter.resource("Labels", "Data.readLabels(data)", label_bytes(expr.labels))
    null = emitter.null(expr.x)
    position = emitter.variable("p", "int")
    if expr.invalid == "keep":
        emitter.line(f"{position} = {labels}.position({x});")
        emitter.define(expr, f"{position} < 0 ? {len(expr.labels)} : {position}")
        return
    emitter.place(expr)
    if null is not None:
        emitter.line(f"if ({null}) throw Failures.missingValue();")
    emitter.line(f"{position} = {labels}.position({x});")
    if expr.invalid == "skip":
        emitter.line(f"if ({position} < 0) return false;")
    else:
        emitter.line(f"if ({position} < 0) throw Failures.unseenLabel({x});")
    emitter.define(expr, position)


@implements(p.Label)
def _label(emitter: Emitter, expr: p.Label) -> None:
    x = emitter.present(expr.x)
    labels = emitter.resource("Labels", "Data.readLabels(data)", label_bytes(expr.labels))
    emitter.place(expr)
    emitter.define(expr, f"{labels}.{'label' if isinstance(expr.x.type, ScalarType) else 'labels'}({x})")


@implements(p.OneHot)
def _one_hot(emitter: Emitter, expr: p.OneHot) -> None:
    x = emitter.present(expr.x)
    emitter.place(expr)
    emitter.define(expr, f"Categories.oneHot({_category(expr, x)}, {expr.width}, {emitter.buffer()})")


@implements(p.CategoryWeight)
def _category_weight(emitter: Emitter, expr: p.CategoryWeight) -> None:
    x = emitter.present(expr.x)
    emitter.place(expr)
    emitter.define(expr, f"{emitter.doubles(expr.padded)}[{_category(expr, x)}]")


def _category(expr: p.OneHot | p.CategoryWeight, x: str) -> str:
    return f"Categories.category({x}, {expr.categories}, {boolean_literal(expr.keep)})"


@implements(p.Bucketize)
def _bucketize(emitter: Emitter, expr: p.Bucketize) -> None:
    x = emitter.present(expr.x)
    splits = emitter.doubles(expr.splits)
    emitter.place(expr)
    bucket = f"Categories.bucket({x}, {splits})"
    if expr.invalid == "keep":
        emitter.define(expr, f"{x} != {x} ? {len(expr.splits) - 1} : {bucket}")
        return
    emitter.line(f"if ({x} != {x}) " + ("return false;" if expr.invalid == "skip" else "throw Failures.nanValue();"))
    emitter.define(expr, bucket)


@implements(p.Binarize)
def _binarize(emitter: Emitter, expr: p.Binarize) -> None:
    if isinstance(expr.x.type, ScalarType):
        emitter.define(expr, f"{emitter.present(expr.x)} > {double_literal(expr.threshold)} ? 1.0 : 0.0")
    else:
        emitter.define(
            expr, f"Categories.binarize({emitter.vector(expr.x)}, {double_literal(expr.threshold)}, {emitter.buffer()})"
        )
