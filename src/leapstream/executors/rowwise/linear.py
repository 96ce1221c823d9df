"""Linear algebra over vectors."""

from __future__ import annotations

from operator import mul
from typing import Any

from leapstream.bundle.types import ScalarType
from leapstream.executors.implementing import implements
from leapstream.executors.rowwise.runtime import add_up
from leapstream.executors.rowwise.writer import MOST_VARIABLES, Writer
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Expr


def _products(writer: Writer, x: Expr, weights: Any, total: str = "0.0") -> str:
    """``total`` plus a vector's elements times weights, added from left to right."""
    writer.expect_size(x, len(weights))
    elements = writer.elements(x)
    if elements is not None:
        terms = [f"{e} * {writer.constant(float(v))}" for e, v in zip(elements, weights, strict=True)]
        return " + ".join([total, *terms])
    writer.namespace["mul"] = mul
    return writer.call(add_up, f"map(mul, {writer.listed(x)}, {writer.numbers(weights)})", total)


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
            writer.line(f"{total} += {term}")
        else:
            writer.line(f"{total} = {_products(writer, x, weights, total)}")
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
            writer.numbers(expr.intercepts),
        ),
    )


def mat_vec(x: list[float], matrix: list[list[float]], intercepts: list[float]) -> list[float]:
    """``matrix @ x + intercepts``."""
    return [add_up(map(mul, row, x)) + b for row, b in zip(matrix, intercepts, strict=True)]
