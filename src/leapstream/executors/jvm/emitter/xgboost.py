"""Computations of XGBoost besides tree traversal: features, functions and contributions in single precision."""

from __future__ import annotations

import struct

import numpy as np

from leapstream.bundle.types import ScalarType
from leapstream.executors.implementing import implements
from leapstream.executors.jvm.emitter.base import Emitter
from leapstream.executors.jvm.emitter.code import double_bytes, int_bytes, text_literal
from leapstream.executors.jvm.emitter.trees import forest_bytes
from leapstream.layouts.forest import make_explained_forest
from leapstream.plan import primitives as p


@implements(p.FloatFeatures)
def _singles(emitter: Emitter, expr: p.FloatFeatures) -> None:
    x = emitter.vector(expr.x)
    emitter.place(expr)
    used, slot = np.unique(expr.elements, return_inverse=True)
    data = int_bytes(used) + int_bytes(slot) + double_bytes(expr.missing) + int_bytes(expr.whole)
    singles = emitter.resource("FloatFeatures", "new FloatFeatures(data)", data)
    if expr.failure is not None:
        emitter.line(f"if ({x} != null) throw new RowFailure({text_literal(expr.failure)});")
    emitter.define(expr, f"{singles}.pick({x}, {expr.size}, {emitter.buffer()})")


SPELLING = {
    "single": "Xgboost.single",
    "exp": "Xgboost.exp",
    "logistic": "Xgboost.logistic",
    "step": "Xgboost.step",
    "round": "Xgboost.round",
}
"""The functions of single precision in Java."""


@implements(p.FloatFunction)
def _single(emitter: Emitter, expr: p.FloatFunction) -> None:
    x = emitter.present(expr.x) if isinstance(expr.x.type, ScalarType) else emitter.vector(expr.x)
    if isinstance(expr.x.type, ScalarType):
        emitter.define(expr, f"{SPELLING[expr.function]}({x})")
    else:
        buffer = emitter.buffer()
        emitter.line(f"{buffer}.dense({x}.size);")
        emitter.line(f"for (int i = 0; i < {x}.size; i++) {buffer}.value[i] = {SPELLING[expr.function]}({x}.value[i]);")
        emitter.define(expr, buffer)


@implements(p.FloatSoftmax)
def _float_softmax(emitter: Emitter, expr: p.FloatSoftmax) -> None:
    emitter.define(expr, f"Xgboost.softmax({emitter.vector(expr.x)}, {emitter.buffer()})")


@implements(p.FloatLinear)
def _linear_singles(emitter: Emitter, expr: p.FloatLinear) -> None:
    function = "products" if expr.contributions else "sums"
    weights, base = emitter.doubles(expr.weights.astype(np.float64)), emitter.doubles(expr.base.astype(np.float64))
    emitter.define(expr, f"Xgboost.{function}({emitter.vector(expr.x)}, {weights}, {base}, {emitter.buffer()})")


@implements(p.TreeContributions)
def _tree_contributions(emitter: Emitter, expr: p.TreeContributions) -> None:
    explained = make_explained_forest(expr)
    tested, number = np.unique(expr.features, return_inverse=True)
    data = [
        forest_bytes(explained.forest, None),
        *map(double_bytes, (explained.cover, explained.mean, expr.weights)),
        int_bytes(np.array(expr.groups, dtype=np.int32)),
        double_bytes(expr.base),
        *map(int_bytes, (number, tested)),
        struct.pack(">i", expr.num_features),
    ]
    contributions = emitter.resource("TreeContributions", "new TreeContributions(data)", b"".join(data))
    emitter.define(expr, f"{contributions}.of({emitter.vector(expr.x)}.value, {emitter.buffer()})")
