"""The state of one run over a batch, which the functions of the primitives work on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from leapstream.executors import failures
from leapstream.executors.columns import WIDE, Bools, Column
from leapstream.executors.contract import DROPPED, KEPT, Failure, Outcome, PreparedPlan
from leapstream.executors.sparse import csr
from leapstream.plan.primitives import Doubles, Expr

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Indices = npt.NDArray[np.intp]


class StoredUnknownError(Exception):
    """A primitive came upon values for which it matters what is stored, and the run does not keep track of that."""


class UnequalSizesError(Exception):
    """Rows of a batch have results of different sizes, so that no column holds them; groups of rows have to run apart."""

    def __init__(self, rows: int, groups: Sequence[Indices]) -> None:
        """An error for a batch of some rows.

        Args:
            rows: number of rows.
            groups: the rows with results of equal size; any other row comes to the first group.
        """
        super().__init__("results of different sizes")
        others = np.setdiff1d(np.arange(rows), np.concatenate(groups))
        self.groups = [np.sort(np.concatenate([groups[0], others])), *groups[1:]]


@dataclass
class Run:
    """The state of one run: which rows are still in it.

    Attributes:
        prepared: what the implementations prepared, by the identity of the expression.
        nested: the plans inside of expressions, by the identity of the expression.
        tracks_stored: whether columns say which elements of a tensor are stored.
        columns: the plan's inputs.
        rows: number of rows.
        expr: the expression that is being computed.
        states, failures: as in :class:`~leapstream.executors.contract.Outcome`.
        shared: intermediate results that several expressions use.
    """

    prepared: Mapping[int, Any]
    nested: Mapping[int, Sequence[PreparedPlan]]
    tracks_stored: bool
    columns: Mapping[str, Column]
    rows: int
    expr: Expr = field(init=False)
    states: npt.NDArray[np.int32] = field(init=False)
    failures: list[Failure] = field(default_factory=list)
    shared: dict[Any, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.states = np.full(self.rows, KEPT, dtype=np.int32)

    def require_stored(self) -> None:
        """Go on only if columns say which elements are stored; otherwise the plan runs again, so that they do.

        For primitives to which it matters rarely, at values that are not known before.
        """
        if not self.tracks_stored:
            raise StoredUnknownError

    def fail(self, where: Bools, reason: str | Callable[[int], str]) -> None:
        """Fail the rows ``where`` that are still in the run."""
        hit = where & (self.states == KEPT)
        if hit.any():
            self.states[hit] = len(self.failures)
            self.failures.append((self.expr.origin, reason if callable(reason) else lambda row: reason))

    def fail_row(self, row: int, reason: str) -> None:
        """Fail one row."""
        where = np.zeros(self.rows, dtype=bool)
        where[row] = True
        self.fail(where, reason)

    def adopt(self, rows: npt.NDArray[np.intp], outcome: Outcome[Any]) -> None:
        """Take over the failures and drops of a nested plan that ran some rows of this run."""
        self.states[rows] = np.where(outcome.states >= 0, outcome.states + len(self.failures), outcome.states)
        self.failures.extend((origin, moved(reason, rows)) for origin, reason in outcome.failures)

    def drop(self, where: Bools) -> None:
        """Drop the rows ``where`` that are still in the run."""
        self.states[where & (self.states == KEPT)] = DROPPED


class DistinctRun(Run):
    """A run over the distinct values of one column, in place of all rows of another run, which gets the failures and drops."""

    def __init__(self, run: Run, codes: npt.NDArray[np.int32], columns: Mapping[str, Column], rows: int) -> None:
        """A run over ``rows`` distinct values; ``codes`` says which one a row of ``run`` has."""
        super().__init__(run.prepared, run.nested, run.tracks_stored, columns, rows)
        self._run = run
        self.codes = codes

    def fail(self, where: Bools, reason: str | Callable[[int], str]) -> None:
        """Fail the values, and the rows that have them."""
        super().fail(where, reason)
        codes = self.codes
        self._run.fail(where[codes], (lambda row: reason(int(codes[row]))) if callable(reason) else reason)

    def drop(self, where: Bools) -> None:
        """Drop the values, and the rows that have them."""
        super().drop(where)
        self._run.drop(where[self.codes])

    def rows_of(self, groups: Sequence[Indices]) -> list[Indices]:
        """The rows whose values are in each group."""
        return [np.flatnonzero(np.isin(self.codes, group)) for group in groups]


def moved(reason: Callable[[int], str], rows: Indices | range) -> Callable[[int], str]:
    """The reason of a failure in a batch that was some ascending rows of another batch, for the rows of the other one."""
    return lambda row: reason(int(np.searchsorted(rows, row)))


def compressed(nonzero: Bools) -> Bools:
    """The elements that are stored after ``Vector.compressed``: the nonzero ones of rows that are sparse, else all."""
    count = nonzero.sum(axis=1)
    sparse = 1.5 * count + 2 < nonzero.shape[1]
    return np.logical_or(nonzero, ~sparse[:, None])


def require_size(run: Run, x: Column, size: int) -> bool:
    """Check the size of vectors; where it is another every row fails, and the result is false."""
    if x.values.shape[1] != size:
        run.fail(np.ones(run.rows, dtype=bool), failures.wrong_size(x.values.shape[1], size))
        return False
    return True


def failed_vectors(run: Run, width: int) -> Column:
    """A result for rows that have all failed."""
    return Column(csr((run.rows, width)) if width >= WIDE else np.zeros((run.rows, width)))


def rows_of(x: csr_array) -> npt.NDArray[np.intp]:
    """The row of each element that is stored."""
    return np.repeat(np.arange(x.shape[0]), np.diff(x.indptr))


def stored_elements(x: Column) -> Doubles | csr_array:
    """The vectors of a column, as sparse ones where they do not store all elements."""
    if x.stored is None:
        return x.values
    starts = np.concatenate([[0], np.cumsum(x.stored.sum(axis=1))])
    return csr((x.values[x.stored], np.nonzero(x.stored)[1], starts), x.values.shape)
