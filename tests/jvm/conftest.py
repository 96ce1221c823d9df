"""One Java virtual machine for all tests of a session: PyFlink keeps its gateway until the process ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from leapstream.bundle.frame import LeapFrame
from leapstream.bundle.types import DataType, Schema
from leapstream.jvm import gateway
from leapstream.jvm.executor import JvmExecutor
from leapstream.plan.plan import Plan, make_plan
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
        found = JvmExecutor(plan).run(LeapFrame(plan.inputs, list(rows)))
        return ["dropped" if r is None else r[0] if isinstance(r, tuple) else r for r in found]

    return results
