"""Runs a plan over a frame of any kind, and gives its outputs back as such a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from leapstream.bundle.types import Field, ListType, Schema, TensorType, with_nullable
from leapstream.errors import OnError, PredictionError
from leapstream.executors.columns import column_of, leap_values
from leapstream.executors.contract import Outcome, PreparedPlan
from leapstream.frames.contract import Output, Rows, Table, grouped


def run(prepared: PreparedPlan, table: Table, on_error: OnError, *, keep_inputs: bool) -> Any:
    """The outputs of a plan for a table, as a frame of the table's kind.

    Raises:
        PredictionError: a row fails, and ``on_error`` is ``raise``.
    """
    plan = prepared.plan
    groups = _groups(table, plan.inputs)
    outcomes = [
        prepared.run(
            {f.name: table.column(f.name, rows) for f in plan.inputs}, table.rows if rows is None else len(rows)
        )
        for rows in groups
    ]
    if on_error == "raise":
        _raise_first(outcomes, groups)
    fields = [_nullable_if(f, any(outcome.failed.any() for outcome in outcomes)) for f in plan.output_schema]
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
    dropped = np.zeros(table.rows, dtype=bool)
    values: dict[str, list[Any]] = {f.name: [None] * table.rows for f in fields}
    for outcome, rows in zip(outcomes, groups, strict=True):
        assert rows is not None
        dropped[rows] = outcome.dropped
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


def _raise_first(outcomes: Sequence[Outcome[Any]], groups: Sequence[Rows | None]) -> None:
    """Raise the error of the first row that failed, if any did."""
    first: tuple[int, Outcome[Any], int] | None = None
    for outcome, rows in zip(outcomes, groups, strict=True):
        failed = np.flatnonzero(outcome.failed)
        if len(failed):
            local = int(failed[0])
            row = local if rows is None else int(rows[local])
            if first is None or row < first[0]:
                first = row, outcome, local
    if first is not None:
        row, outcome, local = first
        error = outcome.error(local)
        raise PredictionError(
            error.reason, model=error.model, node=error.node, op=error.op, column=error.column, row=row
        )
