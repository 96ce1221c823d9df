"""A plan: the expressions of a model's columns, in the order in which a row meets them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from leapstream.bundle.types import Field, Schema
from leapstream.plan.primitives import Expr, Input


@dataclass(frozen=True, eq=False)
class Plan:
    """What an executor runs.

    Attributes:
        name: name of the model, for error messages.
        inputs: the columns to be given, in order, with the types they are given in; each is an :class:`Input` of the plan.
        outputs: the columns asked for, in order: (name, expression).
        effects: expressions that may drop rows and have to be evaluated even if no output reads them.
        order: every expression that outputs and effects need, operands first, otherwise in the pipeline's order.
    """

    name: str
    inputs: Schema
    outputs: tuple[tuple[str, Expr], ...]
    effects: tuple[Expr, ...]
    order: tuple[Expr, ...]

    @cached_property
    def output_schema(self) -> Schema:
        """Names and types of the outputs."""
        return Schema(tuple(Field(name, expr.type) for name, expr in self.outputs))


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
