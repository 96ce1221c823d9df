"""Rewrites of a plan that keep its results, such as a linear model that reads the parts of an assembled vector."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from leapstream.bundle.types import ScalarType, TensorType
from leapstream.plan.graph import Plan
from leapstream.plan.planning import make_plan
from leapstream.plan.primitives import (
    DOUBLE,
    Affine,
    CategoryWeight,
    Clip,
    Concat,
    Dot,
    Doubles,
    Expr,
    LinearSum,
    Normalize,
    OneHot,
    Pack,
)

Rewrite = Callable[[Expr], Expr]


def fuse_linear(expr: Expr) -> Expr:
    """Rewrite ``Dot`` over ``Concat`` to one sum over the parts, so that neither the vector nor one-hot parts are built."""
    if not isinstance(expr, Dot) or not isinstance(expr.x, Concat):
        return expr
    sizes = [certain_size(part) for part in expr.x.xs]
    known = [size for size in sizes if size is not None]
    if len(known) != len(sizes) or sum(known) != len(expr.weights):
        return expr
    weights = np.split(expr.weights, np.cumsum(known)[:-1])
    terms = [_term(part, given) for part, given in zip(expr.x.xs, weights, strict=True)]
    return LinearSum(
        xs=tuple(x for x, _ in terms),
        weights=tuple(given for _, given in terms),
        intercept=expr.intercept,
        type=expr.type,
        origin=expr.origin,
    )


def _term(part: Expr, weights: Doubles) -> tuple[Expr, Doubles]:
    if not isinstance(part, OneHot):
        return part, weights
    weight = CategoryWeight(
        x=part.x, weights=weights, categories=part.categories, keep=part.keep, type=DOUBLE, origin=part.origin
    )
    return weight, np.ones(1)


def certain_size(expr: Expr) -> int | None:
    """The number of elements in every row, 1 for a number; ``None`` if it may differ by row, as in input columns."""
    if isinstance(expr.type, ScalarType):
        return 1
    if isinstance(expr, (OneHot, Pack)) and isinstance(expr.type, TensorType):
        return expr.type.size
    if isinstance(expr, (Affine, Clip, Normalize)):
        return certain_size(expr.x)
    if isinstance(expr, Concat):
        sizes = [certain_size(part) for part in expr.xs]
        return None if None in sizes else sum(size for size in sizes if size is not None)
    return None


REWRITES: tuple[Rewrite, ...] = (fuse_linear,)


def optimize(plan: Plan) -> Plan:
    """Apply all rewrites to a plan, and remove expressions that nothing reads any more."""
    replaced: dict[int, Expr] = {}
    created: list[Expr] = []
    known: set[int] = set()
    for expr in plan.order:
        operands = expr.operands
        changed = tuple(replaced[id(x)] for x in operands)
        result = expr if all(a is b for a, b in zip(operands, changed, strict=True)) else expr.with_operands(changed)
        for rewrite in REWRITES:
            result = rewrite(result)
        replaced[id(expr)] = result
        # A rewrite may create new operands.
        for made in (*result.operands, result):
            if id(made) not in known:
                known.add(id(made))
                created.append(made)
    outputs = [(name, replaced[id(expr)]) for name, expr in plan.outputs]
    return make_plan(plan.name, plan.inputs, created, outputs)
