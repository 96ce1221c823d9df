"""Linear algebra over vectors."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import compress
from operator import mul
from typing import Any

import numpy as np

from leapstream.bundle.types import ScalarType
from leapstream.executors.implementing import implements
from leapstream.executors.rowwise.arrays import by_arrays
from leapstream.executors.rowwise.runtime import add_up
from leapstream.executors.rowwise.stored import listed_conditions, require_stored_alone, stored_elements
from leapstream.executors.rowwise.writer import MOST_VARIABLES, Writer
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Doubles, Expr

_FEW_OUTPUTS = 8
"""Arrays multiply a vector of few elements by more rows in less time."""


def _products(writer: Writer, x: Expr, weights: Any, total: str = "0.0", stored: list[str] | str | None = None) -> str:
    """``total`` plus a vector's stored elements times weights, added from left to right."""
    writer.expect_size(x, len(weights))
    sparse = writer.sparse(x)
    if sparse is not None:
        return writer.call(add_up, f"[x * {writer.view(weights)}[i] for i, x in {sparse[0]}.items()]", total)
    elements = writer.elements(x)
    if elements is not None:
        terms = [f"{e} * {writer.constant(float(v))}" for e, v in zip(elements, weights, strict=True)]
        if stored is not None:
            terms = [f"({term} if {there} else 0.0)" for term, there in zip(terms, stored, strict=True)]
        return " + ".join([total, *terms])
    writer.namespace |= {"mul": mul, "compress": compress}
    products = f"map(mul, {writer.listed(x)}, {writer.numbers(weights)})"
    if stored is not None:
        products = f"compress({products}, {listed_conditions(stored)})"
    return writer.call(add_up, products, total)


def _stored(writer: Writer, expr: p.Dot | p.MatVec) -> list[str] | str | None:
    """The conditions of the operand's elements, where some may not be stored and that matters."""
    if not expr.needs_stored:
        return None
    if writer.sparse(expr.x) is None:
        return stored_elements(writer, expr.x)
    require_stored_alone(expr.x)
    return None


@implements(p.Dot)
def _dot(writer: Writer, expr: p.Dot) -> None:
    products = _products(writer, expr.x, expr.weights, stored=_stored(writer, expr))
    writer.define(expr, f"{products} + {writer.constant(float(expr.intercept))}")


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
    stored = _stored(writer, expr)
    sparse = writer.sparse(expr.x)
    if sparse is not None and rows > _FEW_OUTPUTS:
        matrix = writer.constant(np.ascontiguousarray(expr.matrix.T, dtype=np.float64))
        intercepts = writer.constant(np.asarray(expr.intercepts, dtype=np.float64))
        writer.define(expr, writer.call(sparse_mat_vec, sparse[0], matrix, intercepts))
        return
    if sparse is not None:
        sums = [_products(writer, expr.x, row) for row in expr.matrix]
        writer.define(
            expr,
            f"[{', '.join(f'{s} + {writer.constant(float(b))}' for s, b in zip(sums, expr.intercepts, strict=True))}]",
        )
        return
    if rows * columns <= 2 * MOST_VARIABLES and writer.elements(expr.x) is not None:
        sums = [_products(writer, expr.x, row, stored=stored) for row in expr.matrix]
        writer.define_elements(
            expr, [f"{s} + {writer.constant(float(b))}" for s, b in zip(sums, expr.intercepts, strict=True)]
        )
        return
    data = writer.constant(expr.matrix.tolist()), writer.numbers(expr.intercepts)
    if stored is None:
        writer.define(expr, writer.call(mat_vec, writer.listed(expr.x), *data))
    else:
        writer.define(expr, writer.call(stored_mat_vec, writer.listed(expr.x), listed_conditions(stored), *data))


def sparse_mat_vec(x: Mapping[int, float], columns: Doubles, intercepts: Doubles) -> list[float]:
    """``columns.T @ x + intercepts`` for a vector of few elements, each sum from left to right."""
    with np.errstate(all="ignore"):
        terms = np.zeros((len(x) + 1, columns.shape[1]))
        if x:
            np.multiply(columns[list(x)], np.array(list(x.values()))[:, None], out=terms[1:])
        # Sums of all beginnings are made one after the other; they start with a row of 0.0, which matters to -0.0.
        result: list[float] = (np.cumsum(terms, axis=0)[-1] + intercepts).tolist()
    return result


def mat_vec(x: list[float], matrix: list[list[float]], intercepts: list[float]) -> list[float]:
    """``matrix @ x + intercepts``."""
    return [add_up(map(mul, row, x)) + b for row, b in zip(matrix, intercepts, strict=True)]


def stored_mat_vec(
    x: list[float], stored: list[bool], matrix: list[list[float]], intercepts: list[float]
) -> list[float]:
    """``matrix @ x + intercepts`` where elements that are not stored take no part."""
    return [add_up(compress(map(mul, row, x), stored)) + b for row, b in zip(matrix, intercepts, strict=True)]


@implements(p.CosineTransform)
def _cosine_transform(writer: Writer, expr: p.CosineTransform) -> None:
    by_arrays(writer, expr)
