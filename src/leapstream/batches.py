"""Runs a plan over a frame of any kind, and gives its outputs back as such a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from leapstream.bundle.frame import LeapFrame
from leapstream.bundle.types import Field, ListType, Schema, TensorType, with_nullable
from leapstream.errors import OnError, PredictionError
from leapstream.plan.plan import Plan
from leapstream.tables import Output, Rows, Table, grouped
from leapstream.vectorized.columns import column_of, to_python
from leapstream.vectorized.executor import Batch, VectorizedExecutor


def run_vectorized(executor: VectorizedExecutor, table: Table, on_error: OnError, *, keep_inputs: bool) -> Any:
    """The outputs of an executor's plan for a table, as a frame of the table's kind.

    Raises:
        PredictionError: a row fails, and ``on_error`` is ``raise``.
    """
    groups = _groups(table, executor.plan.inputs)
    batches = [
        executor.run(
            {f.name: table.column(f.name, rows) for f in executor.plan.inputs},
            table.rows if rows is None else len(rows),
        )
        for rows in groups
    ]
    if on_error == "raise":
        _raise_first(batches, groups)
    fields = [_nullable_if(f, any(b.failed.any() for b in batches)) for f in executor.plan.output_schema]
    if len(batches) == 1 and groups[0] is None:
        return _whole(table, fields, batches[0], keep_inputs)
    return _stitched(table, fields, batches, groups, keep_inputs)


def run_jvm(plan: Plan, table: Table, on_error: OnError, *, keep_inputs: bool) -> Any:
    """The outputs of a plan for a table, computed in Flink's JVM.

    Raises:
        BackendError: the plan has a primitive that the JVM backend lacks, or there is no JVM.
        PredictionError: a row fails, and ``on_error`` is ``raise``.
    """
    from leapstream.jvm.executor import JvmExecutor

    columns = [table.values(f.name) for f in plan.inputs]
    rows = [tuple(column[i] for column in columns) for i in range(table.rows)]
    results = JvmExecutor(plan).run(LeapFrame(plan.inputs, list(rows)))
    failed = [result for result in results if isinstance(result, PredictionError)]
    if failed and on_error == "raise":
        raise failed[0]
    left = np.array([i for i, result in enumerate(results) if result is not None], dtype=np.intp)
    fields = [_nullable_if(f, bool(failed)) for f in plan.output_schema]
    hole = (None,) * len(fields)
    kept = [hole if isinstance(results[i], PredictionError) else results[i] for i in left]
    added: list[Output] = [(f, [row[at] for row in kept]) for at, f in enumerate(fields)]
    return table.result(added, left, keep_inputs=keep_inputs)


def _whole(table: Table, fields: list[Field], batch: Batch, keep_inputs: bool) -> Any:
    dropped, failed = batch.dropped, batch.failed
    rows = np.flatnonzero(~dropped) if dropped.any() else None
    outputs: list[Output] = []
    for f in fields:
        column = batch.columns[f.name] if rows is None else batch.columns[f.name].take(rows)
        if failed.any():
            holes = failed if rows is None else failed[rows]
            values = to_python(column, f.type)
            column = column_of([None if hole else v for v, hole in zip(values, holes, strict=True)], f.type)
        outputs.append((f, column))
    return table.result(outputs, rows, keep_inputs=keep_inputs)


def _stitched(
    table: Table, fields: list[Field], batches: list[Batch], groups: list[Rows | None], keep_inputs: bool
) -> Any:
    dropped = np.zeros(table.rows, dtype=bool)
    values: dict[str, list[Any]] = {f.name: [None] * table.rows for f in fields}
    for batch, rows in zip(batches, groups, strict=True):
        assert rows is not None
        dropped[rows] = batch.dropped
        for f in fields:
            listed = to_python(batch.columns[f.name], f.type)
            for row, value, kept in zip(rows, listed, batch.kept, strict=True):
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


def _raise_first(batches: Sequence[Batch], groups: Sequence[Rows | None]) -> None:
    """Raise the error of the first row that failed, if any did."""
    first: tuple[int, Batch, int] | None = None
    for batch, rows in zip(batches, groups, strict=True):
        failed = np.flatnonzero(batch.failed)
        if len(failed):
            local = int(failed[0])
            row = local if rows is None else int(rows[local])
            if first is None or row < first[0]:
                first = row, batch, local
    if first is not None:
        row, batch, local = first
        error = batch.error(local)
        raise PredictionError(
            error.reason, model=error.model, node=error.node, op=error.op, column=error.column, row=row
        )
