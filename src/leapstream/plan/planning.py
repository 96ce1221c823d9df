"""Makes plans: keeps those expressions that the outputs need, in the order in which MLeap evaluates them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from leapstream.bundle.types import Schema
from leapstream.plan.graph import Expr, Plan
from leapstream.plan.primitives.values import Input


def make_plan(
    name: str,
    inputs: Schema,
    created: Sequence[Expr],
    outputs: Iterable[tuple[str, Expr]],
    absent: Collection[str] = (),
) -> Plan:
    """A plan that computes ``outputs`` with only those expressions that they, or the dropping of rows, need.

    Args:
        name: name of the model.
        inputs: the columns of the frame; the plan keeps those that it reads.
        created: all expressions, in the order in which the pipeline makes them.
        outputs: the requested columns as (name, expression).
        absent: columns that nobody gives. An expression that would drop rows by them is left out.
    """
    outputs = tuple(outputs)
    effects = tuple(
        expr
        for expr in created
        if expr.drops and not any(isinstance(x, Input) and x.name in absent for x in _reach((expr,)))
    )
    needed = {id(expr) for expr in _reach((*(expr for _, expr in outputs), *effects))}
    order = tuple(expr for expr in created if id(expr) in needed)
    used = _inputs(order)
    return Plan(name, Schema(tuple(f for f in inputs if f.name in used)), outputs, effects, order)


def needed_inputs(plan: Plan) -> tuple[str, ...]:
    """Names of the inputs that the outputs of a plan need, in order; the dropping of rows may need others."""
    needed = _inputs(expr for _, expr in plan.outputs)
    return tuple(name for name in plan.inputs.names if name in needed)


def _inputs(exprs: Iterable[Expr]) -> set[str]:
    """Names of the inputs that expressions read."""
    return {expr.name for expr in _reach(exprs) if isinstance(expr, Input)}


def _reach(exprs: Iterable[Expr]) -> list[Expr]:
    """The expressions and all that they are computed from, each once."""
    found: dict[int, Expr] = {}
    stack = list(exprs)
    while stack:
        expr = stack.pop()
        if id(expr) not in found:
            found[id(expr)] = expr
            stack.extend(expr.operands)
    return list(found.values())
