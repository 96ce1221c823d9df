"""Compares answers with recorded ones, value by value."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

from leapstream.bundle.tensor import Tensor, stored_elements
from leapstream.contract.tolerance import Tolerance

Outcome: TypeAlias = Literal["agree", "differ", "lacking"]


@dataclass(frozen=True)
class RecordedNumbers:
    """The recorded numbers of a row where JSON shows null for them."""

    values: Mapping[tuple[int, str, int | None], float]
    row: int
    column: str

    def at(self, index: int | None) -> float | None:
        """The recorded number at a place in the row's value; ``None`` where JSON shows it."""
        return self.values.get((self.row, self.column, index))

    @property
    def places(self) -> list[int]:
        """The places in the row's value where there is a recorded number."""
        return [i for row, column, i in self.values if (row, column) == (self.row, self.column) and i is not None]


@dataclass
class ColumnReport:
    """The differences of a column's values from the recorded ones.

    Attributes:
        name: the column.
        values: number of numbers, strings, … that were compared.
        absolute, relative: greatest difference of two numbers.
        problem: the first value beyond the tolerance, in words; ``None`` when there is none.
        differing: the rows with a value beyond the tolerance.
    """

    name: str
    values: int = 0
    absolute: float = 0.0
    relative: float = 0.0
    problem: str | None = None
    differing: set[int] = field(default_factory=set)

    def compare(
        self, row: int, ours: Any, theirs: Any, allowed: Tolerance, special: RecordedNumbers | None = None
    ) -> None:
        """Compare the values of a row."""
        count, differing = _differing(ours, theirs)
        self.values += count
        for index, mine, other in differing:
            recorded = None if special is None or not isinstance(mine, float) else special.at(index)
            if self._agree(mine, other if recorded is None else recorded, allowed):
                continue
            self.differing.add(row)
            if self.problem is None:
                place = "" if index is None else f"[{index}]"
                self.problem = f"row {row}: {self.name}{place} is {mine!r}, and {other!r} is expected"

    def _agree(self, ours: Any, theirs: Any, allowed: Tolerance) -> bool:
        if isinstance(ours, float) and isinstance(theirs, (int, float)):
            if ours == theirs or (math.isnan(ours) and math.isnan(theirs)):
                return True
            difference = abs(ours - theirs)
            if not math.isfinite(difference):
                return False
            self.absolute = max(self.absolute, difference)
            self.relative = max(self.relative, difference / abs(theirs) if theirs else math.inf)
            return difference <= max(allowed.absolute, allowed.relative * abs(theirs))
        return type(ours) is type(theirs) and bool(ours == theirs)


class _Other:
    """A value of another kind or length than the recorded one: unequal to everything."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _differing(ours: Any, theirs: Any) -> tuple[int, Iterable[tuple[int | None, Any, Any]]]:
    """The number of elements to compare, and those pairs that are not equal, with their place in a tensor or list."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        return len(ours), [(None, _plain(ours[key]), _plain(theirs[key])) for key in ours]
    if isinstance(ours, Tensor) and isinstance(theirs, Tensor) and _both_sparse(ours, theirs):
        at, mine, other = stored_elements(ours, theirs)
        return ours.size, ((int(at[i]), _plain(mine[i]), _plain(other[i])) for i in np.flatnonzero(mine != other))
    mine, other = _listed(ours), _listed(theirs)
    if mine is None and other is None:
        return 1, [(None, _plain(ours), _plain(theirs))]
    if mine is None or other is None:
        return 1, [(None, _Other(repr(ours)), theirs)]
    if len(mine) != len(other):
        return 1, [(None, _Other(f"of {len(mine)} elements"), _Other(f"one of {len(other)} elements"))]
    # Hashed vectors have a million elements, nearly all of them 0.
    arrays = isinstance(mine, np.ndarray) and isinstance(other, np.ndarray) and mine.dtype == other.dtype
    places = np.flatnonzero(mine != other).tolist() if arrays else range(len(mine))
    return len(mine), ((i, _plain(mine[i]), _plain(other[i])) for i in places)


def _both_sparse(one: Tensor, other: Tensor) -> bool:
    """True for sparse tensors whose elements can be compared one by one."""
    return one.is_sparse and other.is_sparse and (one.base, one.dimensions) == (other.base, other.dimensions)


def _listed(value: Any) -> Any:
    """The elements of a tensor or list, as an array or a list; ``None`` for anything else."""
    if isinstance(value, Tensor):
        return value.to_dense().reshape(-1)
    return value if isinstance(value, (list, tuple, np.ndarray)) else None


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


@dataclass
class Report:
    """Result of a verification.

    Attributes:
        problems: what concerns no single row: columns that are missing, another number of rows, …
        columns: the columns that were compared.
        lacking: everything that the backend lacks for the model; then nothing was compared.
        rows: the number of rows that were given to the model.
        failures: for each row that fails, or is dropped, and has not to be (or the other way round): that, in words.
        required: the share of the rows that has to agree.
    """

    problems: list[str]
    columns: list[ColumnReport] = field(default_factory=list)
    lacking: tuple[str, ...] = ()
    rows: int = 0
    failures: dict[int, str] = field(default_factory=dict)
    required: float = 1.0

    @property
    def agreeing(self) -> int:
        """The number of rows that agree in every column that was compared."""
        return self.rows - len(set(self.failures).union(*(column.differing for column in self.columns)))

    @property
    def outcome(self) -> Outcome:
        """``agree``, ``differ``, or ``lacking`` when the backend cannot run the model."""
        if self.lacking:
            return "lacking"
        return "differ" if self.problems or self.agreeing < self.required * self.rows else "agree"

    @property
    def ok(self) -> bool:
        """True if everything agrees, or as much as is required."""
        return self.outcome == "agree"

    @property
    def reasons(self) -> list[str]:
        """Everything that differs, in words."""
        return [
            *self.failures.values(),
            *self.problems,
            *(column.problem for column in self.columns if column.problem is not None),
        ]
