"""Primitives that are rare in single records: the executor of batches computes them, for a batch of one row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from leapstream.bundle.types import DataType, Field, Schema, TensorType
from leapstream.executors.contract import DROPPED, KEPT, PreparedPlan
from leapstream.executors.rowwise.runtime import UnusualRecordError
from leapstream.executors.rowwise.stored import stores_all
from leapstream.executors.rowwise.writer import MOST_VARIABLES, Writer, is_vector
from leapstream.plan import primitives as p
from leapstream.plan.graph import Expr, Plan
from leapstream.plan.planning import make_plan

if TYPE_CHECKING:
    from leapstream.executors.columns import Column

_OUT = "out"


def by_arrays(writer: Writer, expr: Expr) -> None:
    """Let the executor of batches compute an expression, for a batch of one row."""
    plan, operands = _plan_of(expr)
    size = expr.type.size if isinstance(expr.type, TensorType) else None
    sparse = is_vector(expr.type) and size is not None and size > MOST_VARIABLES and not stores_all(expr)
    step = writer.constant(_Step(plan, writer.prepare, sparse))
    result = writer.variable()
    writer.line(f"{result} = {step}([{', '.join(map(writer.value, operands))}])")
    if expr.drops:
        writer.line(f"if {result} is {writer.constant(_GONE)}: return None")
    if sparse:
        writer.define_sparse(expr, result, size or 0)
    else:
        writer.define(expr, result)


_GONE = object()
"""The result of a step that drops the record."""


class _Step:
    """One expression of a plan, run over a batch of one row. It is prepared for the first record."""

    def __init__(self, plan: Plan, prepare: Callable[[Plan], PreparedPlan], sparse: bool) -> None:
        """A step that prepares nothing yet.

        Args:
            plan: the expression, with an input for each value that it reads.
            prepare: prepares a plan for the executor of batches.
            sparse: give the result, a vector, as a dict of element to value.
        """
        self._plan = plan
        self._prepare = prepare
        self._sparse = sparse

    @cached_property
    def _prepared(self) -> PreparedPlan:
        return self._prepare(self._plan)

    def __call__(self, values: Sequence[Any]) -> Any:
        pairs = zip(self._plan.inputs, values, strict=True)
        outcome = self._prepared.run({f.name: _column(value, f.type) for f, value in pairs}, 1)
        if outcome.states[0] == DROPPED:
            return _GONE
        if outcome.states[0] != KEPT:
            raise UnusualRecordError
        return self._value(outcome.columns[_OUT])

    def _value(self, column: Column | list[Any]) -> Any:
        from leapstream.executors.columns import leap_values
        from leapstream.executors.sparse import is_csr

        kind = self._plan.outputs[0][1].type
        if not is_vector(kind) or isinstance(column, list) or not (column.valid is None or column.valid[0]):
            return leap_values(column, kind)[0]
        if self._sparse and is_csr(column.values):
            return dict(zip(column.values.indices.tolist(), column.values.data.tolist(), strict=True))
        row = column.to_dense().values[0]
        if row.ndim != 1:
            raise UnusualRecordError
        if self._sparse:
            # All bits of 0.0 are 0, and those of -0.0 are not.
            places = np.flatnonzero(row.view(np.int64))
            return dict(zip(places.tolist(), row[places].tolist(), strict=True))
        return row.tolist()


def _plan_of(expr: Expr) -> tuple[Plan, list[Expr]]:
    """A plan of the expression, and what its inputs stand for.

    Vectors that may not store all of their elements are computed in the plan once more, so that it is known what they store.
    """
    operands: list[Expr] = []
    created: list[Expr] = []
    made: dict[int, Expr] = {}

    def place(x: Expr, whole: bool) -> Expr:
        if id(x) not in made:
            if whole:
                made[id(x)] = x.with_operands(tuple(place(y, not _is_given(y)) for y in x.operands))
            else:
                made[id(x)] = p.Input(name=str(len(operands)), type=x.type, origin=x.origin)
                operands.append(x)
            created.append(made[id(x)])
        return made[id(x)]

    out = place(expr, whole=True)
    schema = Schema(tuple(Field(str(i), x.type) for i, x in enumerate(operands)))
    return make_plan("record", schema, created, [(_OUT, out)]), operands


def _is_given(x: Expr) -> bool:
    return not isinstance(x.type, TensorType) or stores_all(x)


def _column(value: Any, data_type: DataType) -> Column:
    from leapstream.executors.columns import Column, column_of

    if is_vector(data_type) and value is not None:
        return Column(np.array([value], dtype=np.float64))
    return column_of([value], data_type)
