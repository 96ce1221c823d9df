"""Rewrites of a plan that keep its results, such as a linear model that reads the parts of an assembled vector."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from leapstream.bundle.types import ScalarType, TensorType
from leapstream.plan.graph import Plan
from leapstream.plan.planning import make_plan
from leapstream.plan.primitives import (
    DOUBLE,
    Affine,
    After,
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
    if not isinstance(expr, Dot) or not isinstance(expr.x, Concat) or not expr.x.xs or expr.needs_stored:
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
    if isinstance(expr, (After, Affine, Clip, Normalize)):
        return certain_size(expr.x)
    if isinstance(expr, Concat):
        sizes = [certain_size(part) for part in expr.xs]
        return None if None in sizes else sum(size for size in sizes if size is not None)
    return None


def fuse_affine(expr: Expr) -> Expr:
    """Rewrite ``Affine`` over ``Affine`` to one, if its order of steps can compute both with the same rounding."""
    if not isinstance(expr, Affine) or not isinstance(expr.x, Affine):
        return expr
    outer, inner = expr, expr.x
    # Where the inner one keeps a vector sparse, an element that is not stored has to give 0 there, and it has to be +0.
    if outer.fixed is not None or inner.fixed is not None or inner.size != outer.size or inner.needs_stored:
        return expr
    first, second = _steps(inner), _steps(outer)
    if list(second) == ["shift"] and outer.shift is not None and "offset" not in first:
        second = {"offset": -outer.shift}
    order = [_ORDER.index(name) for name in (*first, *second)]
    if order != sorted(set(order)):
        return expr
    steps: dict[str, Doubles | None] = {**dict.fromkeys(_ORDER), **first, **second}
    fused = replace(inner, type=outer.type, **steps)  # type: ignore[arg-type]
    # A step that only makes a vector dense has to stay.
    return fused if fused.keeps_stored == (inner.keeps_stored and outer.keeps_stored) else expr


_ORDER = ("shift", "divisor", "factor", "offset")


def _steps(affine: Affine) -> dict[str, Doubles]:
    """The steps that are not ``None`` and change a number, in the order in which they are computed."""
    steps = {name: getattr(affine, name) for name in _ORDER}
    # Adding 0 is a step: it makes 0 of -0.
    idle = {"shift": 0.0, "divisor": 1.0, "factor": 1.0}
    return {
        name: values
        for name, values in steps.items()
        if values is not None and not (name in idle and (values == idle[name]).all() and not np.signbit(values).any())
    }


REWRITES: tuple[Rewrite, ...] = (fuse_linear, fuse_affine)
"""The rewrites that help every executor."""


def optimize(plan: Plan) -> Plan:
    """The plan after all rewrites; expressions that nothing reads any more are gone."""
    for rewrite in REWRITES:
        plan = rewritten(plan, rewrite)
    return plan


def rewritten(plan: Plan, rewrite: Rewrite) -> Plan:
    """The plan after a rewrite of all its expressions, operands first, nested plans included; itself if none changes."""
    replaced: dict[int, Expr] = {}
    created: list[Expr] = []
    known: set[int] = set()

    def create(expr: Expr) -> None:
        if id(expr) not in known:
            known.add(id(expr))
            # A rewrite may make operands of its own.
            for operand in expr.operands:
                create(operand)
            created.append(expr)

    for expr in plan.order:
        result = expr
        operands = tuple(replaced[id(x)] for x in expr.operands)
        if _differ(expr.operands, operands):
            result = result.with_operands(operands)
        nested = tuple(rewritten(inner, rewrite) for inner in expr.nested)
        if _differ(expr.nested, nested):
            result = result.with_nested(nested)
        replaced[id(expr)] = rewrite(result)
        create(replaced[id(expr)])
    if not _differ(plan.order, tuple(replaced[id(expr)] for expr in plan.order)):
        return plan
    return make_plan(plan.name, plan.inputs, created, [(name, replaced[id(expr)]) for name, expr in plan.outputs])


def _differ(before: Sequence[object], after: Sequence[object]) -> bool:
    return any(a is not b for a, b in zip(before, after, strict=True))


def lower(plan: Plan, lowerings: Mapping[type[Expr], Rewrite]) -> Plan:
    """The plan with other primitives in place of those that an executor rewrites; it keeps its inputs.

    Args:
        plan: the plan.
        lowerings: a rewrite for each primitive that is replaced; it may give primitives that have rewrites too.
    """

    def rewrite(expr: Expr) -> Expr:
        found = lowerings.get(type(expr))
        return expr if found is None else found(expr)

    inputs = plan.inputs
    while (lowered := rewritten(plan, rewrite)) is not plan:
        plan = lowered
    return replace(plan, inputs=inputs) if plan.inputs != inputs else plan
