"""Runs a plan over a frame of any kind, and gives its outputs back as such a frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from leapstream.bundle.types import Field, ListType, Schema, TensorType, with_nullable
from leapstream.errors import OnError, PredictionError
from leapstream.executors.columns import column_of, leap_values
from leapstream.executors.contract import Outcome, PreparedPlan
from leapstream.frames.contract import Output, Rows, Table, grouped


@dataclass(frozen=True)
class RowResults:
    """The results for the rows of a frame: the computed columns, and the errors of rows that fail.

    Attributes:
        frame: a frame of the kind given, with the computed columns; rows that fail have missing values there, and rows that the
            model drops are not in it.
        rows: the position in the given frame, from 0, of each row of ``frame``.
        errors: the error of each row that fails, by its position in the given frame.
    """

    frame: Any
    rows: npt.NDArray[np.intp]
    errors: dict[int, PredictionError]


def run(prepared: PreparedPlan, table: Table, on_error: OnError, *, keep_inputs: bool, threads: int = 1) -> Any:
    """The outputs of a plan for a table, as a frame of the table's kind.

    Raises:
        PredictionError: a row fails, and ``on_error`` is ``raise``.
    """
    groups = _groups(table, prepared.plan.inputs)
    outcomes = _outcomes(prepared, table, groups, threads)
    if on_error == "raise":
        first = min(_failures(outcomes, groups), default=None, key=lambda failure: failure[0])
        if first is not None:
            row, outcome, local = first
            raise outcome.error(local).at_row(row)
    return _frame(prepared, table, outcomes, groups, keep_inputs)


def run_rows(prepared: PreparedPlan, table: Table, *, keep_inputs: bool, threads: int = 1) -> RowResults:
    """The outputs of a plan for a table, with the error of each row that fails."""
    groups = _groups(table, prepared.plan.inputs)
    outcomes = _outcomes(prepared, table, groups, threads)
    errors = {row: outcome.error(local).at_row(row) for row, outcome, local in _failures(outcomes, groups)}
    return RowResults(
        _frame(prepared, table, outcomes, groups, keep_inputs),
        np.flatnonzero(~_dropped(table, outcomes, groups)),
        errors,
    )


def _outcomes(prepared: PreparedPlan, table: Table, groups: list[Rows | None], threads: int) -> list[Outcome[Any]]:
    inputs = prepared.plan.inputs
    return [
        prepared.run(
            {f.name: table.column(f.name, rows) for f in inputs}, table.rows if rows is None else len(rows), threads
        )
        for rows in groups
    ]


def _frame(
    prepared: PreparedPlan, table: Table, outcomes: list[Outcome[Any]], groups: list[Rows | None], keep_inputs: bool
) -> Any:
    fails = any(outcome.failed.any() for outcome in outcomes)
    fields = [_nullable_if(f, fails) for f in prepared.plan.output_schema]
    if len(outcomes) == 1 and groups[0] is None:
        return _whole(table, fields, outcomes[0], keep_inputs)
    return _stitched(table, fields, outcomes, groups, keep_inputs)


def _whole(table: Table, fields: list[Field], outcome: Outcome[Any], keep_inputs: bool) -> Any:
    dropped, failed = outcome.dropped, outcome.failed
    rows = np.flatnonzero(~dropped) if dropped.any() else None
    outputs: list[Output] = []
    for f in fields:
        column = outcome.columns[f.name]
        if rows is not None:
            column = [column[row] for row in rows] if isinstance(column, list) else column.take(rows)
        if failed.any():
            holes = failed if rows is None else failed[rows]
            values = [None if hole else v for v, hole in zip(leap_values(column, f.type), holes, strict=True)]
            column = values if isinstance(column, list) else column_of(values, f.type)
        outputs.append((f, column))
    return table.result(outputs, rows, keep_inputs=keep_inputs)


def _stitched(
    table: Table, fields: list[Field], outcomes: list[Outcome[Any]], groups: list[Rows | None], keep_inputs: bool
) -> Any:
    dropped = _dropped(table, outcomes, groups)
    values: dict[str, list[Any]] = {f.name: [None] * table.rows for f in fields}
    for outcome, rows in zip(outcomes, groups, strict=True):
        assert rows is not None
        for f in fields:
            listed = leap_values(outcome.columns[f.name], f.type)
            for row, value, kept in zip(rows, listed, outcome.kept, strict=True):
                if kept:
                    values[f.name][row] = value
    left = np.flatnonzero(~dropped)
    outputs: list[Output] = [(f, [values[f.name][row] for row in left]) for f in fields]
    return table.result(outputs, left, keep_inputs=keep_inputs)


def _nullable_if(f: Field, nullable: bool) -> Field:
    return replace(f, type=with_nullable(f.type, True)) if nullable else f


def _groups(table: Table, inputs: Schema) -> list[Rows | None]:
    """Rows that can share a batch: those whose tensors have equal dimensions; ``[None]`` when all can."""
    keys = [table.sizes(f.name) for f in inputs if isinstance(f.type, (TensorType, ListType))]
    given = [key for key in keys if key is not None]
    if not given:
        return [None]
    groups = grouped(list(zip(*given, strict=True)))
    return [None] if len(groups) <= 1 else list(groups)


def _dropped(table: Table, outcomes: Sequence[Outcome[Any]], groups: Sequence[Rows | None]) -> npt.NDArray[np.bool_]:
    """The rows of the table that the plan drops."""
    dropped = np.zeros(table.rows, dtype=bool)
    for outcome, rows in zip(outcomes, groups, strict=True):
        dropped[slice(None) if rows is None else rows] = outcome.dropped
    return dropped


def _failures(
    outcomes: Sequence[Outcome[Any]], groups: Sequence[Rows | None]
) -> Iterator[tuple[int, Outcome[Any], int]]:
    """Each row that fails: its position in the table, and its outcome with the position there."""
    for outcome, rows in zip(outcomes, groups, strict=True):
        for local in np.flatnonzero(outcome.failed):
            yield int(local if rows is None else rows[local]), outcome, int(local)
