"""Vectors: put together, taken apart, scaled, multiplied, and as classes."""

from __future__ import annotations

import math
from operator import mul
from typing import Any

import numpy as np

from leapstream.bundle.types import ScalarType
from leapstream.executors.implementing import implements
from leapstream.executors.rowwise import runtime
from leapstream.executors.rowwise.writer import MOST_VARIABLES, ArraysOnlyError, Writer
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Expr


@implements(p.Concat)
def _concat(w: Writer, expr: p.Concat) -> None:
    parts: list[str] = []
    unrolled = True
    for x in expr.xs:
        if isinstance(x.type, ScalarType):
            parts.append(w.present(x))
        elif (elements := w.elements(x)) is not None:
            parts += elements
        else:
            parts.append(f"*{w.listed(x)}")
            unrolled = False
    if unrolled:
        w.define_elements(expr, parts)
    else:
        w.define(expr, f"[{', '.join(parts)}]")


@implements(p.Pack)
def _pack(w: Writer, expr: p.Pack) -> None:
    w.define_elements(expr, [w.present(x) for x in expr.xs])


@implements(p.Item)
def _item(w: Writer, expr: p.Item) -> None:
    elements = w.elements(expr.x)
    if elements is None:
        # Beyond the last it is an IndexError.
        w.define(expr, f"{w.listed(expr.x)}[{expr.index}]")
    elif expr.index >= len(elements):
        raise ArraysOnlyError("Item beyond the vector")
    else:
        w.define(expr, elements[expr.index])


@implements(p.Take)
def _take(w: Writer, expr: p.Take) -> None:
    elements = w.elements(expr.x)
    if elements is None:
        x = w.listed(expr.x)
        w.define_elements(expr, [f"{x}[{index}]" for index in expr.indices])
    elif max(expr.indices, default=-1) >= len(elements):
        raise ArraysOnlyError("Take beyond the vector")
    else:
        w.define_elements(expr, [elements[index] for index in expr.indices])


# ---- element by element -----------------------------------------------------------------------------------------------


@implements(p.Affine)
def _affine(w: Writer, expr: p.Affine) -> None:
    if expr.divisor is not None and not np.all(expr.divisor):
        raise ArraysOnlyError("Affine with a divisor of 0")
    elements = w.elements(expr.x)
    if elements is None:
        w.define(expr, w.call(affine, w.listed(expr.x), w.constant(_steps(expr))))
        return
    if len(elements) > expr.size:
        raise ArraysOnlyError("Affine of a vector that is too long")
    w.define_elements(expr, [_affine_element(w, expr, i, x) for i, x in enumerate(elements)])


def _affine_element(w: Writer, expr: p.Affine, i: int, x: str) -> str:
    formula = x
    for step, sign in ((expr.shift, "-"), (expr.divisor, "/"), (expr.factor, "*"), (expr.offset, "+")):
        if step is not None:
            formula = f"({formula} {sign} {w.constant(float(step[i]))})"
    if expr.fixed is not None and not math.isnan(expr.fixed[i]):
        fixed = w.constant(float(expr.fixed[i]))
        formula = f"({fixed} if {x} == {x} else {x})" if expr.keep_nan else fixed
    return formula


def _steps(expr: p.Affine) -> list[tuple[float, float, float, float, float, bool]]:
    """The parameters of each element; ``(x - shift) / divisor * factor + offset``, or the fixed value."""

    def column(values: Any, default: float) -> list[float]:
        return [default] * expr.size if values is None else [float(v) for v in values]

    return list(
        zip(
            column(expr.shift, 0.0),
            column(expr.divisor, 1.0),
            column(expr.factor, 1.0),
            column(expr.offset, 0.0),
            column(expr.fixed, math.nan),
            [expr.keep_nan] * expr.size,
            strict=True,
        )
    )


def affine(values: list[float], steps: list[tuple[float, float, float, float, float, bool]]) -> list[float]:
    """:class:`leapstream.plan.primitives.Affine` of a list."""
    if len(values) > len(steps):
        raise runtime.UnusualRecordError
    return [
        (x - shift) / divisor * factor + offset if fixed != fixed or (keep_nan and x != x) else fixed
        for x, (shift, divisor, factor, offset, fixed, keep_nan) in zip(values, steps, strict=False)
    ]


@implements(p.Clip)
def _clip(w: Writer, expr: p.Clip) -> None:
    bounds = w.constant(float(expr.low)), w.constant(float(expr.high))
    w.define_each(expr, expr.x, lambda x: w.call(runtime.clip, x, *bounds))


@implements(p.Normalize)
def _normalize(w: Writer, expr: p.Normalize) -> None:
    if not expr.p >= 1.0:
        raise ArraysOnlyError("Normalize with p less than 1")
    w.define(expr, w.call(runtime.normalize, w.listed(expr.x), w.constant(float(expr.p))))


# ---- linear algebra ---------------------------------------------------------------------------------------------------


def _products(w: Writer, x: Expr, weights: Any) -> str:
    """The sum of a vector's elements times weights, in order."""
    w.expect_size(x, len(weights))
    elements = w.elements(x)
    if elements is not None:
        return " + ".join(f"{e} * {w.constant(float(v))}" for e, v in zip(elements, weights, strict=True)) or "0.0"
    w.namespace["mul"] = mul
    return f"sum(map(mul, {w.listed(x)}, {w.constant([float(v) for v in weights])}))"


@implements(p.Dot)
def _dot(w: Writer, expr: p.Dot) -> None:
    w.define(expr, f"{_products(w, expr.x, expr.weights)} + {w.constant(float(expr.intercept))}")


@implements(p.LinearSum)
def _linear_sum(w: Writer, expr: p.LinearSum) -> None:
    total = w.variable()
    w.line(f"{total} = 0.0")
    for x, weights in zip(expr.xs, expr.weights, strict=True):
        if isinstance(x.type, ScalarType):
            weight = float(weights[0])
            term = w.present(x) if weight == 1.0 else f"{w.present(x)} * {w.constant(weight)}"
        else:
            term = _products(w, x, weights)
        w.line(f"{total} += {term}")
    w.define(expr, f"{total} + {w.constant(float(expr.intercept))}")


@implements(p.MatVec)
def _mat_vec(w: Writer, expr: p.MatVec) -> None:
    rows, columns = expr.matrix.shape
    w.expect_size(expr.x, columns)
    if rows * columns <= 2 * MOST_VARIABLES and w.elements(expr.x) is not None:
        sums = [_products(w, expr.x, row) for row in expr.matrix]
        w.define_elements(expr, [f"{s} + {w.constant(float(b))}" for s, b in zip(sums, expr.intercepts, strict=True)])
        return
    w.define(
        expr, w.call(mat_vec, w.listed(expr.x), w.constant(expr.matrix.tolist()), w.constant(_floats(expr.intercepts)))
    )


def _floats(values: Any) -> list[float]:
    return [float(v) for v in values]


def mat_vec(x: list[float], matrix: list[list[float]], intercepts: list[float]) -> list[float]:
    """``matrix @ x + intercepts``."""
    return [sum(map(mul, row, x)) + b for row, b in zip(matrix, intercepts, strict=True)]


# ---- classes ----------------------------------------------------------------------------------------------------------


@implements(p.Softmax)
def _softmax(w: Writer, expr: p.Softmax) -> None:
    w.define(expr, w.call(runtime.softmax, w.listed(expr.x)))


@implements(p.ExpNormalize)
def _exp_normalize(w: Writer, expr: p.ExpNormalize) -> None:
    w.define(expr, w.call(runtime.exp_normalize, w.listed(expr.x), str(expr.log)))


@implements(p.NormalizeSum)
def _normalize_sum(w: Writer, expr: p.NormalizeSum) -> None:
    w.define(expr, w.call(runtime.normalize_sum, w.listed(expr.x)))


@implements(p.ArgMax)
def _arg_max(w: Writer, expr: p.ArgMax) -> None:
    x = w.listed(expr.x)
    if expr.thresholds is None:
        w.define(expr, f"float({w.call(runtime.arg_max, x)})")
    else:
        w.define(expr, f"float({w.call(runtime.arg_max_scaled, x, w.constant(_floats(expr.thresholds)))})")
