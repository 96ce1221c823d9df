"""Classes: probabilities and predictions from scores."""

from __future__ import annotations

from leapstream.executors.implementing import implements
from leapstream.executors.jvm.emitter.base import Emitter
from leapstream.executors.jvm.emitter.code import (
    boolean_literal,
)
from leapstream.plan import primitives as p


@implements(p.Softmax)
def _softmax(emitter: Emitter, expr: p.Softmax) -> None:
    emitter.define(expr, f"Classes.softmax({emitter.vector(expr.x)}, {emitter.buffer()})")


@implements(p.NormalizeSum)
def _normalize_sum(emitter: Emitter, expr: p.NormalizeSum) -> None:
    emitter.define(expr, f"Classes.normalizeSum({emitter.vector(expr.x)}, {emitter.buffer()})")


@implements(p.ArgMax)
def _arg_max(emitter: Emitter, expr: p.ArgMax) -> None:
    x = emitter.vector(expr.x)
    emitter.place(expr)
    thresholds = "null" if expr.thresholds is None else emitter.doubles(expr.thresholds)
    emitter.define(expr, f"Classes.argMax({x}, {thresholds}, {emitter.buffer()})")


_CHECKS = {"zero_or_one": "requireZeroOrOne", "nonnegative": "requireNonnegative"}


@implements(p.RequireElements)
def _only(emitter: Emitter, expr: p.RequireElements) -> None:
    x = emitter.vector(expr.x)
    emitter.place(expr)
    emitter.define(expr, f"Classes.{_CHECKS[expr.allowed]}({x})")


@implements(p.ExpNormalize)
def _exp_normalize(emitter: Emitter, expr: p.ExpNormalize) -> None:
    log = boolean_literal(expr.log)
    emitter.define(expr, f"Classes.expNormalize({emitter.vector(expr.x)}, {log}, {emitter.buffer()})")


@implements(p.SquareSums)
def _square_sums(emitter: Emitter, expr: p.SquareSums) -> None:
    emitter.define(
        expr, f"Classes.squareSums({emitter.vector(expr.x)}, {expr.size}, {emitter.buffer()}, {emitter.buffer()})"
    )


@implements(p.WeightedMedian)
def _weighted_median(emitter: Emitter, expr: p.WeightedMedian) -> None:
    x = emitter.vector(expr.x)
    emitter.place(expr)
    weights = emitter.doubles(expr.weights)
    emitter.define(expr, f"Classes.weightedMedian({x}, {weights}, {emitter.buffer()})")


@implements(p.Greatest)
def _greatest(emitter: Emitter, expr: p.Greatest) -> None:
    x = emitter.vector(expr.x)
    emitter.place(expr)
    position = f"Classes.greatest({x}, {emitter.buffer()})"
    emitter.define(expr, position if expr.position else f"Selection.item({x}, {position})")
