"""The contract of executors: an executor reports what it lacks for a plan, and runs plans over columns.

An executor lives in a folder of its own below :mod:`leapstream.executors` and is that package's ``EXECUTOR``;
:mod:`leapstream.executors.registry` finds it there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from leapstream.errors import PredictionError, UnsupportedModelError
from leapstream.plan.graph import Expr, Origin, Plan

if TYPE_CHECKING:
    from leapstream.executors.columns import Column

KEPT, DROPPED = -1, -2
"""States of rows with a result and of rows that were dropped; any other state is the index of a failure."""

Failure: TypeAlias = tuple["Origin | None", Callable[[int], str]]
"""The node at which some rows failed, and a function that gives the text for a row."""


Values = TypeVar("Values", bound="Column | list[Any]", covariant=True)


@dataclass(frozen=True, eq=False)
class Outcome(Generic[Values]):
    """The result of a plan for the rows of a batch.

    Attributes:
        columns: the plan's outputs, with a value per given row: a ``Column``, or a list of values like those of leap frames.
            The values of rows that failed or were dropped are meaningless.
        states: int32 per given row: :data:`KEPT`, :data:`DROPPED`, or the index of the row's failure in ``failures``.
        failures: the failures; several rows may share one.
        model: name of the model.
    """

    columns: Mapping[str, Values]
    states: npt.NDArray[np.int32]
    failures: Sequence[Failure]
    model: str

    @property
    def kept(self) -> npt.NDArray[np.bool_]:
        """Rows that were neither dropped nor failed."""
        return np.equal(self.states, KEPT)

    @property
    def dropped(self) -> npt.NDArray[np.bool_]:
        """Rows that were dropped."""
        return np.equal(self.states, DROPPED)

    @property
    def failed(self) -> npt.NDArray[np.bool_]:
        """Rows that failed."""
        return np.greater_equal(self.states, 0)

    def error(self, row: int) -> PredictionError:
        """The error of a row that failed."""
        origin, reason = self.failures[self.states[row]]
        where = {} if origin is None else {"node": origin.node, "op": origin.op, "column": origin.column}
        return PredictionError(reason(row), model=self.model, row=row, **where)


class PreparedPlan(Protocol):
    """A plan that an executor has made ready to run."""

    @property
    def plan(self) -> Plan:
        """The plan."""

    def run(self, columns: Mapping[str, Column], rows: int, threads: int = 1) -> Outcome[Column | list[Any]]:
        """Compute the plan's outputs.

        Args:
            columns: the plan's inputs; all tensors of one column have the same dimensions.
            rows: number of rows.
            threads: number of threads that may compute a large batch.
        """


class Executor(Protocol):
    """A way to run plans."""

    @property
    def name(self) -> str:
        """The name of the executor, which users give as ``backend``."""

    @property
    def summary(self) -> str:
        """One line for tables and help texts."""

    @property
    def extra(self) -> str | None:
        """The extra of the ``leapstream`` package that it needs."""

    def unavailable(self) -> str | None:
        """The reason why the executor cannot run in this environment; ``None`` where it can."""

    def missing(self, plan: Plan) -> tuple[str, ...]:
        """Everything that the executor lacks for a plan, each once; empty where it can run the plan."""

    def prepare(self, plan: Plan) -> PreparedPlan:
        """Make a plan ready to run.

        Raises:
            UnsupportedModelError: the executor lacks something for the plan; the message names it.
        """


def unimplemented(plan: Plan, table: Mapping[type[Expr], object]) -> tuple[str, ...]:
    """The primitives of a plan, and of the plans nested in it, that a table lacks: ``primitive NAME``, each once."""
    found: dict[str, None] = {}
    for expr in plan.order:
        if type(expr) not in table:
            found[f"primitive {type(expr).__name__}"] = None
        for nested in expr.nested:
            found.update(dict.fromkeys(unimplemented(nested, table)))
    return tuple(found)


def require(executor: Executor, plan: Plan) -> None:
    """Check that an executor can run a plan.

    Raises:
        UnsupportedModelError: it cannot. The message names everything that the executor lacks.
    """
    missing = executor.missing(plan)
    if missing:
        raise lacking(executor.name, plan, missing)


def lacking(executor: str, plan: Plan, missing: Sequence[str]) -> UnsupportedModelError:
    """The error that names everything an executor lacks for a plan."""
    return UnsupportedModelError(
        f"the {executor} executor lacks {', '.join(missing)} for model {plan.name!r}", tuple(missing)
    )
