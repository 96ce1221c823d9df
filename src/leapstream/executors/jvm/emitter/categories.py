"""Strings and numbers as categories, and back."""

from __future__ import annotations

from leapstream.bundle.types import ScalarType
from leapstream.executors.implementing import implements
from leapstream.executors.jvm.emitter.base import Emitter
from leapstream.executors.jvm.emitter.code import (
    double_literal,
    label_bytes,
)
from leapstream.plan import primitives as p


@implements(p.Lookup)
def _lookup(e: Emitter, expr: p.Lookup) -> None:
    x = e.value(expr.x)
    labels = e.resource("Labels", "Data.readLabels(data)", label_bytes(expr.labels))
    null = e.null(expr.x)
    position = e.variable("p", "int")
    if expr.invalid == "keep":
        e.line(f"{position} = {labels}.position({x});")
        e.define(expr, f"{position} < 0 ? {len(expr.labels)} : {position}")
        return
    e.place(expr)
    if null is not None:
        e.line(f'if ({null}) throw new Refusal("the value is missing");')
    e.line(f"{position} = {labels}.position({x});")
    if expr.invalid == "skip":
        e.line(f"if ({position} < 0) return false;")
    else:
        e.line(f'if ({position} < 0) throw new Refusal("unseen label \'" + {x} + "\'");')
    e.define(expr, position)


@implements(p.Label)
def _label(e: Emitter, expr: p.Label) -> None:
    x = e.present(expr.x)
    labels = e.resource("Labels", "Data.readLabels(data)", label_bytes(expr.labels))
    e.place(expr)
    e.define(expr, f"{labels}.{'label' if isinstance(expr.x.type, ScalarType) else 'labels'}({x})")


@implements(p.OneHot)
def _one_hot(e: Emitter, expr: p.OneHot) -> None:
    x = e.present(expr.x)
    e.place(expr)
    e.define(expr, f"Vecs.oneHot({_category(expr, x)}, {expr.width}, {e.buffer()})")


@implements(p.CategoryWeight)
def _category_weight(e: Emitter, expr: p.CategoryWeight) -> None:
    x = e.present(expr.x)
    e.place(expr)
    e.define(expr, f"{e.doubles(expr.padded)}[{_category(expr, x)}]")


def _category(expr: p.OneHot | p.CategoryWeight, x: str) -> str:
    return f"Vecs.category({x}, {expr.categories}, {'true' if expr.keep else 'false'})"


@implements(p.Bucketize)
def _bucketize(e: Emitter, expr: p.Bucketize) -> None:
    x = e.present(expr.x)
    splits = e.doubles(expr.splits)
    e.place(expr)
    bucket = f"Vecs.bucket({x}, {splits})"
    if expr.invalid == "keep":
        e.define(expr, f"{x} != {x} ? {len(expr.splits) - 1} : {bucket}")
        return
    e.line(
        f"if ({x} != {x}) " + ("return false;" if expr.invalid == "skip" else 'throw new Refusal("the value is NaN");')
    )
    e.define(expr, bucket)


@implements(p.Binarize)
def _binarize(e: Emitter, expr: p.Binarize) -> None:
    if isinstance(expr.x.type, ScalarType):
        e.define(expr, f"{e.present(expr.x)} > {double_literal(expr.threshold)} ? 1.0 : 0.0")
    else:
        e.define(expr, f"Vecs.binarize({e.vector(expr.x)}, {double_literal(expr.threshold)}, {e.buffer()})")
