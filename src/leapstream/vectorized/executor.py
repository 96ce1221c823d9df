"""Runs a plan over a batch with NumPy, Arrow and numba: one function per primitive."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from leapstream.bundle.types import TensorType
from leapstream.errors import BackendError, PredictionError
from leapstream.plan.plan import Plan
from leapstream.plan.primitives import Expr, Origin
from leapstream.vectorized import (
    categories,
    classes,
    external,
    functions,
    linear,
    numbers,
    text,
    trees,
    values,
    vectors,
    xgboost,
)
from leapstream.vectorized.columns import WIDE, Bools, Column, joined
from leapstream.vectorized.run import ALIVE, DROPPED, Run

_FAMILIES = (values, categories, vectors, linear, functions, trees, text, numbers, classes, xgboost, external)

PRIMITIVES: dict[type[Expr], Callable[..., Column]] = {
    primitive: run for family in _FAMILIES for primitive, run in family.PRIMITIVES.items()
}
"""The function of each primitive: takes the run, the expression and the columns of its operands."""

SPARSE: frozenset[type[Expr]] = frozenset().union(*(getattr(family, "SPARSE", ()) for family in _FAMILIES))
"""The primitives that take sparse columns as they are; all others are handed dense ones."""

# 512 MiB of doubles.
_ELEMENTS = 1 << 26

_PREPARE: dict[type[Expr], Callable[[Any], Any]] = {
    primitive: prepare for family in _FAMILIES for primitive, prepare in getattr(family, "PREPARE", {}).items()
}


@dataclass(frozen=True, eq=False)
class Batch:
    """What a plan gives for a batch.

    Attributes:
        columns: the outputs, one value per given row; of no meaning for rows that failed or were dropped.
        outcome: int32 per given row: ``-1`` fine, ``-2`` dropped, else the number of the event that failed it.
        events: for each event its origin and the reason for a row.
        model: name of the model.
    """

    columns: dict[str, Column]
    outcome: npt.NDArray[np.int32]
    events: list[tuple[Origin | None, Callable[[int], str]]]
    model: str

    @property
    def kept(self) -> Bools:
        """Rows that were neither dropped nor failed."""
        return np.equal(self.outcome, ALIVE)

    @property
    def dropped(self) -> Bools:
        """Rows that were dropped."""
        return np.equal(self.outcome, DROPPED)

    @property
    def failed(self) -> Bools:
        """Rows that failed."""
        return np.greater_equal(self.outcome, 0)

    def error(self, row: int) -> PredictionError:
        """Why a row failed."""
        origin, reason = self.events[self.outcome[row]]
        where = {} if origin is None else {"node": origin.node, "op": origin.op, "column": origin.column}
        return PredictionError(reason(row), model=self.model, row=row, **where)


class VectorizedExecutor:
    """Runs one plan; holds what its primitives prepare once. Safe to use from several threads.

    Raises:
        BackendError: the plan has a primitive that this executor lacks.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        for expr in plan.order:
            if type(expr) not in PRIMITIVES:
                raise BackendError(f"the vectorized backend has no primitive {type(expr).__name__}")
        self._prepared = {id(expr): _PREPARE[type(expr)](expr) for expr in plan.order if type(expr) in _PREPARE}

    @cached_property
    def tracks_stored(self) -> bool:
        """Whether some primitive looks at which elements of a vector are stored."""
        return any(expr.needs_stored for expr in self.plan.order)

    @cached_property
    def rows_at_once(self) -> int:
        """How many rows fit into the memory that a batch may take; sparse vectors count as short ones."""
        width = 0
        for expr in self.plan.order:
            size = _size(expr)
            width += min(size, WIDE) if type(expr) in SPARSE else size
            if type(expr) not in SPARSE:
                width += sum(n for n in map(_size, expr.operands) if n >= WIDE)
        return max(1, _ELEMENTS // max(width, 1))

    def run(self, columns: Mapping[str, Column], rows: int) -> Batch:
        """Compute the outputs.

        Args:
            columns: the plan's inputs; the tensors of one column have equal dimensions.
            rows: number of rows.
        """
        limit = self.rows_at_once
        if rows <= limit:
            return self._run(columns, rows)
        parts = []
        for start in range(0, rows, limit):
            picked = np.arange(start, min(start + limit, rows))
            parts.append(self._run({name: column.take(picked) for name, column in columns.items()}, len(picked)))
        return _joined(parts, limit)

    def _run(self, columns: Mapping[str, Column], rows: int) -> Batch:
        run = Run(self._prepared, self.tracks_stored, columns, rows)
        results: dict[int, Column] = {}
        with np.errstate(all="ignore"):
            for expr, finished in self._schedule:
                run.expr = expr
                operands = [results[id(x)] for x in expr.operands]
                if type(expr) not in SPARSE:
                    operands = [x.to_dense(run.tracks_stored) for x in operands]
                results[id(expr)] = PRIMITIVES[type(expr)](run, expr, *operands)
                for key in finished:
                    del results[key]
        outputs = {name: results[id(expr)] for name, expr in self.plan.outputs}
        return Batch(outputs, run.outcome, run.events, self.plan.name)

    @cached_property
    def _schedule(self) -> list[tuple[Expr, list[int]]]:
        """The expressions, each with the results that nothing reads any more after it."""
        last = {id(x): expr for expr in self.plan.order for x in expr.operands}
        wanted = {id(expr) for _, expr in self.plan.outputs}
        finished: dict[int, list[int]] = {}
        for key, reader in last.items():
            if key not in wanted:
                finished.setdefault(id(reader), []).append(key)
        return [(expr, finished.get(id(expr), [])) for expr in self.plan.order]


def _size(expr: Expr) -> int:
    """Elements per row; 1 where the type does not say."""
    dimensions = expr.type.dimensions if isinstance(expr.type, TensorType) else None
    return 1 if dimensions is None else math.prod(max(n, 1) for n in dimensions)


def _joined(parts: Sequence[Batch], rows: int) -> Batch:
    """Batches of ``rows`` rows each, but for the last, as one."""
    events: list[tuple[Origin | None, Callable[[int], str]]] = []
    outcomes = []
    for number, part in enumerate(parts):
        outcomes.append(np.where(part.outcome >= 0, part.outcome + len(events), part.outcome))
        events.extend((origin, _shifted(reason, number * rows)) for origin, reason in part.events)
    columns = {name: joined([part.columns[name] for part in parts]) for name in parts[0].columns}
    return Batch(columns, np.concatenate(outcomes).astype(np.int32), events, parts[0].model)


def _shifted(reason: Callable[[int], str], start: int) -> Callable[[int], str]:
    return lambda row: reason(row - start)


__all__ = ["PRIMITIVES", "Batch", "VectorizedExecutor"]
