"""The state of one run over a batch, which the functions of the primitives work on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from leapstream.plan.primitives import Expr, Origin
from leapstream.vectorized.columns import Bools, Column

DROPPED = -2
ALIVE = -1


class Run:
    """The state of one run: which rows are still in it."""

    expr: Expr

    def __init__(
        self, prepared: Mapping[int, Any], tracks_stored: bool, columns: Mapping[str, Column], rows: int
    ) -> None:
        self.prepared = prepared
        self.tracks_stored = tracks_stored
        self.columns = columns
        self.rows = rows
        self.outcome = np.full(rows, ALIVE, dtype=np.int32)
        self.events: list[tuple[Origin | None, Callable[[int], str]]] = []
        self.shared: dict[Any, Any] = {}

    def fail(self, where: Bools, reason: str | Callable[[int], str]) -> None:
        """Fail the rows ``where`` that are still in the run."""
        hit = where & (self.outcome == ALIVE)
        if hit.any():
            self.outcome[hit] = len(self.events)
            self.events.append((self.expr.origin, reason if callable(reason) else lambda row: reason))

    def fail_row(self, row: int, reason: str) -> None:
        """Fail one row."""
        where = np.zeros(self.rows, dtype=bool)
        where[row] = True
        self.fail(where, reason)

    def adopt(
        self,
        rows: npt.NDArray[np.intp],
        outcome: npt.NDArray[np.int32],
        events: Sequence[tuple[Origin | None, Callable[[int], str]]],
    ) -> None:
        """Take over what another run made of some rows that are still in this one."""
        places = {int(row): place for place, row in enumerate(rows)}
        self.outcome[rows] = np.where(outcome >= 0, outcome + len(self.events), outcome)
        self.events.extend((origin, _moved(reason, places)) for origin, reason in events)

    def drop(self, where: Bools) -> None:
        """Drop the rows ``where`` that are still in the run."""
        self.outcome[where & (self.outcome == ALIVE)] = DROPPED


def _moved(reason: Callable[[int], str], places: Mapping[int, int]) -> Callable[[int], str]:
    return lambda row: reason(places[row])


def compressed(nonzero: Bools) -> Bools:
    """Which elements are stored after ``Vector.compressed``: the nonzero ones of rows that are sparse, else all."""
    count = nonzero.sum(axis=1)
    sparse = 1.5 * count + 2 < nonzero.shape[1]
    return np.logical_or(nonzero, ~sparse[:, None])


def size_error(x: Column, size: int) -> str:
    """Why a vector of another size than ``size`` fails."""
    return f"the vector has {x.values.shape[1]} elements, and {size} are expected"


def is_vector(run: Run, x: Column, size: int | None = None) -> bool:
    """Whether ``x`` holds vectors, of a size if that is given; if not, every row fails."""
    everywhere = np.ones(run.rows, dtype=bool)
    if x.values.ndim != 2:
        run.fail(everywhere, f"a vector is expected, not a tensor of {x.values.ndim - 1} dimensions")
        return False
    if size is not None and x.values.shape[1] != size:
        run.fail(everywhere, size_error(x, size))
        return False
    return True


def beyond(x: Column, index: int) -> str:
    """Why a vector without an element ``index`` fails."""
    return f"the vector has {x.values.shape[1]} elements, and element {index} is read"
