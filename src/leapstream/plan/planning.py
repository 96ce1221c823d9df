"""Makes plans: keeps those expressions that the outputs need, in the order in which MLeap evaluates them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from leapstream.bundle.types import Schema
from leapstream.plan.graph import Expr, Plan
from leapstream.plan.primitives.values import Input


def make_plan(name: str, inputs: Schema, created: Sequence[Expr], outputs: Iterable[tuple[str, Expr]]) -> Plan:
    """A plan that computes ``outputs`` with only those expressions that they, or the dropping of rows, need.

    Args:
        name: name of the model.
        inputs: the columns of the frame; the plan keeps those that it reads.
        created: all expressions, in the order in which the pipeline makes them.
        outputs: the requested columns as (name, expression).
    """
    outputs = tuple(outputs)
    effects = tuple(expr for expr in created if expr.drops)
    needed: set[int] = set()
    stack: list[Expr] = [expr for _, expr in outputs]
    stack.extend(effects)
    while stack:
        expr = stack.pop()
        if id(expr) not in needed:
            needed.add(id(expr))
            stack.extend(expr.operands)
    order = tuple(expr for expr in created if id(expr) in needed)
    used = {expr.name for expr in order if isinstance(expr, Input)}
    return Plan(name, Schema(tuple(f for f in inputs if f.name in used)), outputs, effects, order)
