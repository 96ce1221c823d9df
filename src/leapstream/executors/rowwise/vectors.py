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
def _concat(writer: Writer, expr: p.Concat) -> None:
    parts: list[str] = []
    unrolled = True
    for x in expr.xs:
        if isinstance(x.type, ScalarType):
            parts.append(writer.present(x))
        elif (elements := writer.elements(x)) is not None:
            parts += elements
        else:
            parts.append(f"*{writer.listed(x)}")
            unrolled = False
    if unrolled:
        writer.define_elements(expr, parts)
    else:
        writer.define(expr, f"[{', '.join(parts)}]")


@implements(p.Pack)
def _pack(writer: Writer, expr: p.Pack) -> None:
    writer.define_elements(expr, [writer.present(x) for x in expr.xs])


@implements(p.Item)
def _item(writer: Writer, expr: p.Item) -> None:
    elements = writer.elements(expr.x)
    if elements is None:
        # Beyond the last it is an IndexError.
        writer.define(expr, f"{writer.listed(expr.x)}[{expr.index}]")
    elif expr.index >= len(elements):
        raise ArraysOnlyError("Item beyond the vector")
    else:
        writer.define(expr, elements[expr.index])


@implements(p.Take)
def _take(writer: Writer, expr: p.Take) -> None:
    elements = writer.elements(expr.x)
    if elements is None:
        x = writer.listed(expr.x)
        writer.define_elements(expr, [f"{x}[{index}]" for index in expr.indices])
    elif max(expr.indices, default=-1) >= len(elements):
        raise ArraysOnlyError("Take beyond the vector")
    else:
        writer.define_elements(expr, [elements[index] for index in expr.indices])


# ---- element by element -----------------------------------------------------------------------------------------------


@implements(p.Affine)
def _affine(writer: Writer, expr: p.Affine) -> None:
    if expr.divisor is not None and not np.all(expr.divisor):
        raise ArraysOnlyError("Affine with a divisor of 0")
    elements = writer.elements(expr.x)
    if elements is None:
        writer.define(expr, writer.call(affine, writer.listed(expr.x), writer.constant(_steps(expr))))
        return
    if len(elements) > expr.size:
        raise ArraysOnlyError("Affine of a vector that is too long")
    writer.define_elements(expr, [_affine_element(writer, expr, i, x) for i, x in enumerate(elements)])


def _affine_element(writer: Writer, expr: p.Affine, i: int, x: str) -> str:
    formula = x
    for step, sign in ((expr.shift, "-"), (expr.divisor, "/"), (expr.factor, "*"), (expr.offset, "+")):
        if step is not None:
            formula = f"({formula} {sign} {writer.constant(float(step[i]))})"
    if expr.fixed is not None and not math.isnan(expr.fixed[i]):
        fixed = writer.constant(float(expr.fixed[i]))
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
def _clip(writer: Writer, expr: p.Clip) -> None:
    bounds = writer.constant(float(expr.low)), writer.constant(float(expr.high))
    writer.define_each(expr, expr.x, lambda x: writer.call(runtime.clip, x, *bounds))


@implements(p.Normalize)
def _normalize(writer: Writer, expr: p.Normalize) -> None:
    if not expr.p >= 1.0:
        raise ArraysOnlyError("Normalize with p less than 1")
    writer.define(expr, writer.call(runtime.normalize, writer.listed(expr.x), writer.constant(float(expr.p))))


# ---- linear algebra ---------------------------------------------------------------------------------------------------


def _products(writer: Writer, x: Expr, weights: Any) -> str:
    """The sum of a vector's elements times weights, in order."""
    writer.expect_size(x, len(weights))
    elements = writer.elements(x)
    if elements is not None:
        return " + ".join(f"{e} * {writer.constant(float(v))}" for e, v in zip(elements, weights, strict=True)) or "0.0"
    writer.namespace["mul"] = mul
    return f"sum(map(mul, {writer.listed(x)}, {writer.constant([float(v) for v in weights])}))"


@implements(p.Dot)
def _dot(writer: Writer, expr: p.Dot) -> None:
    writer.define(expr, f"{_products(writer, expr.x, expr.weights)} + {writer.constant(float(expr.intercept))}")


@implements(p.LinearSum)
def _linear_sum(writer: Writer, expr: p.LinearSum) -> None:
    total = writer.variable()
    writer.line(f"{total} = 0.0")
    for x, weights in zip(expr.xs, expr.weights, strict=True):
        if isinstance(x.type, ScalarType):
            weight = float(weights[0])
            term = writer.present(x) if weight == 1.0 else f"{writer.present(x)} * {writer.constant(weight)}"
        else:
            term = _products(writer, x, weights)
        writer.line(f"{total} += {term}")
    writer.define(expr, f"{total} + {writer.constant(float(expr.intercept))}")


@implements(p.MatVec)
def _mat_vec(writer: Writer, expr: p.MatVec) -> None:
    rows, columns = expr.matrix.shape
    writer.expect_size(expr.x, columns)
    if rows * columns <= 2 * MOST_VARIABLES and writer.elements(expr.x) is not None:
        sums = [_products(writer, expr.x, row) for row in expr.matrix]
        writer.define_elements(
            expr, [f"{s} + {writer.constant(float(b))}" for s, b in zip(sums, expr.intercepts, strict=True)]
        )
        return
    writer.define(
        expr,
        writer.call(
            mat_vec,
            writer.listed(expr.x),
            writer.constant(expr.matrix.tolist()),
            writer.constant(_floats(expr.intercepts)),
        ),
    )


def _floats(values: Any) -> list[float]:
    return [float(v) for v in values]


def mat_vec(x: list[float], matrix: list[list[float]], intercepts: list[float]) -> list[float]:
    """``matrix @ x + intercepts``."""
    return [sum(map(mul, row, x)) + b for row, b in zip(matrix, intercepts, strict=True)]


# ---- classes ----------------------------------------------------------------------------------------------------------


@implements(p.Softmax)
def _softmax(writer: Writer, expr: p.Softmax) -> None:
    writer.define(expr, writer.call(runtime.softmax, writer.listed(expr.x)))


@implements(p.ExpNormalize)
def _exp_normalize(writer: Writer, expr: p.ExpNormalize) -> None:
    writer.define(expr, writer.call(runtime.exp_normalize, writer.listed(expr.x), str(expr.log)))


@implements(p.NormalizeSum)
def _normalize_sum(writer: Writer, expr: p.NormalizeSum) -> None:
    writer.define(expr, writer.call(runtime.normalize_sum, writer.listed(expr.x)))


@implements(p.ArgMax)
def _arg_max(writer: Writer, expr: p.ArgMax) -> None:
    x = writer.listed(expr.x)
    if expr.thresholds is None:
        writer.define(expr, f"float({writer.call(runtime.arg_max, x)})")
    else:
        writer.define(
            expr, f"float({writer.call(runtime.arg_max_scaled, x, writer.constant(_floats(expr.thresholds)))})"
        )
