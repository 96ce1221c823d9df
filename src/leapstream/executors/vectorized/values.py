"""Inputs, types and missing values."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from leapstream.bundle.types import ListType, TensorType
from leapstream.executors import failures
from leapstream.executors.columns import Column
from leapstream.executors.implementing import implements
from leapstream.executors.vectorized.casts import cast_column
from leapstream.executors.vectorized.run import Run, UnequalSizesError
from leapstream.plan import primitives as p


@implements(p.Input, sparse=True)
def _input(run: Run, expr: p.Input) -> Column:
    column = run.columns[expr.name]
    told = column.stored is not None or column.complete is not None
    return Column(column.values, column.valid) if told and not run.tracks_stored else column


@implements(p.Cast, sparse=True)
def _cast(run: Run, expr: p.Cast, x: Column) -> Column:
    if isinstance(expr.x.type, ListType) and isinstance(expr.type, TensorType):
        _require_equal_lengths(run, x)
    return cast_column(x, expr.x.type, expr.type, run.fail_row)


def _require_equal_lengths(run: Run, x: Column) -> None:
    """Let rows with lists of different lengths run apart, since the vectors of a column have one size."""
    present = x.present()
    rows = np.arange(len(x.values)) if present is None else np.flatnonzero(present)
    lengths = np.diff(np.asarray(x.values.offsets))[rows]
    sizes = np.unique(lengths)
    if len(sizes) > 1:
        raise UnequalSizesError(run.rows, [rows[lengths == size] for size in sizes])


@implements(p.NotNull, sparse=True)
def _not_null(run: Run, expr: p.NotNull, x: Column) -> Column:
    present = x.present()
    if present is None:
        return x
    run.fail(~present, failures.missing_value())
    if isinstance(x.values, pa.Array):
        return x
    return Column(x.values, None, x.stored, x.complete)


@implements(p.After, sparse=True)
def _after(run: Run, expr: p.After, x: Column, *others: Column) -> Column:
    return x


@implements(p.Impute)
def _impute(run: Run, expr: p.Impute, x: Column) -> Column:
    hole = np.isnan(x.values) | (x.values == expr.missing)
    if x.valid is not None:
        hole |= ~x.valid
    return Column(np.where(hole, expr.surrogate, x.values))
