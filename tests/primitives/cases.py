"""Cases of primitives: an expression, rows, and what each row gives on every executor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from leapstream import BackendError, Tensor
from leapstream.bundle.types import BasicType, DataType, ListType, ScalarType, Schema, TensorType
from leapstream.executors.columns import WIDE
from leapstream.executors.contract import Executor
from leapstream.plan import primitives as p
from leapstream.plan.graph import Expr, Origin, Plan
from leapstream.plan.planning import make_plan
from tests.primitives.running import DROPPED, Failed, Tolerance, run, run_alone, same
from tests.primitives.tolerances import tolerance_of

STRING = ScalarType(BasicType.STRING, nullable=False)
MAYBE_STRING = ScalarType(BasicType.STRING)
MAYBE_DOUBLE = ScalarType(BasicType.DOUBLE)
LONG = ScalarType(BasicType.LONG, nullable=False)
STRINGS = ListType(BasicType.STRING, nullable=False)
DOUBLES = ListType(BasicType.DOUBLE, nullable=False)
VECTOR = p.vector(None)
FLOATS = TensorType(BasicType.FLOAT, nullable=False)
TEXTS = TensorType(BasicType.STRING, nullable=False)


def column(data_type: DataType, name: str = "x") -> p.Input:
    """An input of a plan."""
    return p.Input(name=name, type=data_type)


NUMBER = column(p.DOUBLE)
"""The column ``x`` of doubles."""
VEC = column(VECTOR)
"""The column ``x`` of vectors of any size."""
TEXT = column(STRING)
"""The column ``x`` of strings."""
TOKENS = column(STRINGS)
"""The column ``x`` of lists of strings."""


def together(size: int) -> p.Concat:
    """The column ``x`` of doubles, and zeros, put together as a vector; it is sparse from six elements on."""
    zeros = [p.Constant(value=0.0, type=p.DOUBLE)] * (size - 1)
    return p.Concat(xs=(NUMBER, *zeros), type=p.vector(size))


@dataclass(frozen=True)
class Fails:
    """A row that fails.

    Attributes:
        reason: the text.
        at: the primitive that fails the row; ``None`` for the last one of the plan.
    """

    reason: str
    at: type[Expr] | None = None


@dataclass(frozen=True)
class Case:
    """An expression and what it gives for rows.

    Attributes:
        name: a sentence that says what holds.
        expr: the expression; the inputs that it reads, in their order, are the columns of a row.
        rows: pairs of a row and the result. A row of a plan with one input is that input's value; a result is a value,
            :data:`~tests.primitives.running.DROPPED` or a :class:`Fails`. A tensor that is expected to be sparse has to store the
            same elements, and a vector that is expected to be dense has to be dense, where an executor tells them apart.
    """

    name: str
    expr: Expr
    rows: Sequence[tuple[Any, Any]]

    def __str__(self) -> str:
        return self.name.replace(" ", "-")

    @property
    def primitives(self) -> set[type[Expr]]:
        """The primitives of the case."""
        return {type(expr) for expr in self.plan.order}

    @property
    def plan(self) -> Plan:
        """A plan with the expression as its only output, ``out``."""
        return plan_of(out=self.expr)

    def check(self, executor: Executor) -> None:
        """Assert what an executor gives for the rows, as one batch and one by one, or that it says what it lacks."""
        plan = self.plan
        missing = executor.missing(plan)
        if missing:
            with pytest.raises(BackendError) as raised:
                executor.prepare(plan)
            assert str(raised.value) == f"the {executor.name} executor lacks {', '.join(missing)} for model 'model'"
            return
        prepared = executor.prepare(plan)
        last = plan.outputs[0][1]
        tolerance = tolerance_of(plan)
        pairs = [((row,) if len(plan.inputs) == 1 else row, expected) for row, expected in self.rows]
        rows = [row for row, _ in pairs]
        for way in (run, run_alone):
            for (row, expected), found in zip(pairs, way(prepared, rows), strict=True):
                message = f"{executor.name}, {way.__name__}, row {row}: {found}, not {expected}"
                assert _agree(found, expected, last, tolerance), message
                if isinstance(expected, Tensor) and isinstance(found, dict):
                    assert _stores(found["out"], expected, executor), message


def _agree(found: Any, expected: Any, last: Expr, tolerance: Tolerance) -> bool:
    if isinstance(expected, Fails):
        at = type(last) if expected.at is None else expected.at
        return (
            isinstance(found, Failed)
            and found.reason == expected.reason
            and found.origin is not None
            and (found.origin.node, found.origin.op) == ("node", at.__name__)
        )
    if expected is DROPPED:
        return found is DROPPED
    return isinstance(found, dict) and same(found["out"], expected, tolerance)


def _stores(found: Tensor, expected: Tensor, executor: Executor) -> bool:
    """True if the same elements are stored, for executors that distinguish them: arrays are sparse only if they are wide."""
    if executor.name == "rowwise" or (
        executor.name == "vectorized" and not (expected.is_sparse and expected.size >= WIDE)
    ):
        return True
    if expected.indices is None or found.indices is None:
        return found.is_sparse == expected.is_sparse
    return sorted(found.indices.tolist()) == sorted(expected.indices.tolist())


# ---- plans ------------------------------------------------------------------------------------------------------------


def plan_of(**outputs: Expr) -> Plan:
    """A plan of expressions; each except inputs has the place ``node``, the primitive's name and the column that it reads."""
    made: dict[int, Expr] = {}
    created = [located for expr in outputs.values() for located in _located(expr, made)]
    inputs = [expr for expr in created if isinstance(expr, p.Input)]
    schema = Schema.of([(x.name, x.type) for x in inputs])
    return make_plan("model", schema, created, [(name, made[id(expr)]) for name, expr in outputs.items()])


def _located(expr: Expr, made: dict[int, Expr]) -> Iterator[Expr]:
    """The expressions that are not made yet, operands first, with their places."""
    if id(expr) in made:
        return
    for operand in expr.operands:
        yield from _located(operand, made)
    copy = expr.with_operands(tuple(made[id(x)] for x in expr.operands))
    if not isinstance(expr, p.Input):
        column = next((x.name for x in expr.operands if isinstance(x, p.Input)), None)
        copy = replace(copy, origin=Origin("node", type(expr).__name__, column))
    made[id(expr)] = copy
    yield copy
