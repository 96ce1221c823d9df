"""Runs a plan over a batch with NumPy, Arrow and numba: one function per primitive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from leapstream.bundle.types import TensorType
from leapstream.errors import BackendError, PredictionError
from leapstream.plan import primitives as p
from leapstream.plan.plan import Plan
from leapstream.plan.primitives import Expr, Origin
from leapstream.vectorized import categories, classes, functions, linear, numbers, text, trees, values, vectors, xgboost
from leapstream.vectorized.columns import Bools, Column
from leapstream.vectorized.run import ALIVE, DROPPED, Run

_FAMILIES = (values, categories, vectors, linear, functions, trees, text, numbers, classes, xgboost)

PRIMITIVES: dict[type[Expr], Callable[..., Column]] = {
    primitive: run for family in _FAMILIES for primitive, run in family.PRIMITIVES.items()
}
"""The function of each primitive: takes the run, the expression and the columns of its operands."""

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
        return any(
            (isinstance(expr, p.Binarize) and expr.threshold < 0)
            or (
                isinstance(expr, p.Cast)
                and isinstance(expr.x.type, TensorType)
                and not isinstance(expr.type, TensorType)
            )
            for expr in self.plan.order
        )

    def run(self, columns: Mapping[str, Column], rows: int) -> Batch:
        """Compute the outputs.

        Args:
            columns: the plan's inputs; the tensors of one column have equal dimensions.
            rows: number of rows.
        """
        run = Run(self._prepared, self.tracks_stored, columns, rows)
        results: dict[int, Column] = {}
        with np.errstate(all="ignore"):
            for expr in self.plan.order:
                run.expr = expr
                operands = [results[id(x)] for x in expr.operands]
                results[id(expr)] = PRIMITIVES[type(expr)](run, expr, *operands)
        outputs = {name: results[id(expr)] for name, expr in self.plan.outputs}
        return Batch(outputs, run.outcome, run.events, self.plan.name)


__all__ = ["PRIMITIVES", "Batch", "VectorizedExecutor"]
