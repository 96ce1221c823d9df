"""One Java virtual machine for all tests of a session: PyFlink keeps its gateway until the process ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from leapstream.bundle.types import DataType, Schema
from leapstream.executors.columns import column_of, leap_values
from leapstream.executors.jvm import gateway
from leapstream.executors.jvm.executor import JvmPlan
from leapstream.plan.graph import Plan
from leapstream.plan.planning import make_plan
from leapstream.plan.primitives import Expr, Input, Origin

ORIGIN = Origin("node", "op", "x")
Run = Callable[..., list[Any]]


def plan_of(expr: Expr, *between: Expr) -> Plan:
    """A plan with one output, of an expression and those it needs (``between`` in their order, inputs first)."""
    inputs = [x for x in between if isinstance(x, Input)]
    schema = Schema.of([(x.name, x.type) for x in inputs])
    return make_plan("model", schema, [*between, expr], [("out", expr)])


def column(data_type: DataType, name: str = "x") -> Input:
    return Input(name=name, type=data_type)


@pytest.fixture(scope="session")
def java() -> None:
    gateway.runtime()


@pytest.fixture
def run(java: None) -> Run:
    """Runs an expression over rows; gives the output of each, the reason where it fails, ``"dropped"`` where it is dropped."""

    def results(expr: Expr, *between: Expr, rows: Sequence[Sequence[Any]]) -> list[Any]:
        plan = plan_of(expr, *between)
        prepared = JvmPlan(plan)
        # Rows of their own: tensors may differ in size.
        outcomes = [
            prepared.run({f.name: column_of([v], f.type) for f, v in zip(plan.inputs, row, strict=True)}, 1)
            for row in rows
        ]
        return [
            "dropped" if o.dropped[0] else o.error(0) if o.failed[0] else leap_values(o.columns["out"], expr.type)[0]
            for o in outcomes
        ]

    return results
