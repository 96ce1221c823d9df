"""Inputs, types and missing values."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from leapstream.plan import primitives as p
from leapstream.plan.primitives import Expr
from leapstream.vectorized.columns import Column, cast_column
from leapstream.vectorized.run import Run


def _input(run: Run, expr: p.Input) -> Column:
    column = run.columns[expr.name]
    return column if run.tracks_stored or column.stored is None else Column(column.values, column.valid)


def _cast(run: Run, expr: p.Cast, x: Column) -> Column:
    return cast_column(x, expr.x.type, expr.type, run.fail_row)


def _not_null(run: Run, expr: p.NotNull, x: Column) -> Column:
    present = x.present()
    if present is None:
        return x
    run.fail(~present, "a missing value is not allowed here")
    if isinstance(x.values, pa.Array):
        return x
    return Column(x.values, None, x.stored)


def _impute(run: Run, expr: p.Impute, x: Column) -> Column:
    hole = np.isnan(x.values) | (x.values == expr.missing)
    if x.valid is not None:
        hole |= ~x.valid
    return Column(np.where(hole, expr.surrogate, x.values))


PRIMITIVES: dict[type[Expr], Callable[..., Column]] = {
    p.Input: _input,
    p.Cast: _cast,
    p.NotNull: _not_null,
    p.Impute: _impute,
}

SPARSE = frozenset({p.Input, p.Cast, p.NotNull})
