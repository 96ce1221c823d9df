"""Makes plans: keeps the expressions that the outputs need, in the order in which a row meets them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from leapstream.bundle.types import Schema
from leapstream.plan.graph import Expr, Plan
from leapstream.plan.primitives.values import Input


def make_plan(name: str, inputs: Schema, created: Sequence[Expr], outputs: Iterable[tuple[str, Expr]]) -> Plan:
    """A plan that computes ``outputs`` and nothing that they (and the dropping of rows) do not need.

    ``created`` lists all expressions in the order in which the pipeline makes them.
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
