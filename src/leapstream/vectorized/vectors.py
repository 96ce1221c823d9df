"""Vectors: put together, taken apart, scaled."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from leapstream.plan import primitives as p
from leapstream.plan.primitives import Doubles, Expr
from leapstream.vectorized.columns import Column
from leapstream.vectorized.run import Run, compressed, size_error


def _columns(parts: tuple[Column, ...] | list[Column]) -> list[Doubles]:
    return [part.values[:, None] if part.values.ndim == 1 else part.values for part in parts]


def _concat(run: Run, expr: p.Concat, *xs: Column) -> Column:
    result = np.concatenate(_columns(xs), axis=1) if xs else np.zeros((run.rows, 0))
    return Column(result, stored=compressed(result != 0) if run.tracks_stored else None)


def _pack(run: Run, expr: p.Pack, *xs: Column) -> Column:
    return Column(np.stack([x.values for x in xs], axis=1))


def _item(run: Run, expr: p.Item, x: Column) -> Column:
    return Column(x.values[:, expr.index])


def _affine(run: Run, expr: p.Affine, x: Column) -> Column:
    values = x.values
    width = values.shape[1]
    if width > expr.size:
        run.fail(np.ones(run.rows, dtype=bool), size_error(x, expr.size))
        values = values[:, : expr.size]
        width = expr.size
    result = values
    if expr.shift is not None:
        result = result - expr.shift[:width]
    if expr.divisor is not None:
        result = result / expr.divisor[:width]
    if expr.factor is not None:
        result = result * expr.factor[:width]
    if expr.offset is not None:
        result = result + expr.offset[:width]
    if expr.fixed is not None:
        fixed = expr.fixed[:width]
        replaced = ~np.isnan(fixed)
        if expr.keep_nan:
            replaced = replaced & ~np.isnan(values)
        result = np.where(replaced, fixed, result)
    keeps = expr.shift is None and expr.offset is None and expr.fixed is None
    return Column(result, stored=x.stored[:, :width] if keeps and x.stored is not None else None)


def _clip(run: Run, expr: p.Clip, x: Column) -> Column:
    return x.with_values(np.clip(x.values, expr.low, expr.high))


def _normalize(run: Run, expr: p.Normalize, x: Column) -> Column:
    values, power = x.values, expr.p
    if not power >= 1.0:
        run.fail(np.ones(run.rows, dtype=bool), f"the norm's p is {power}, and it has to be at least 1")
        return x
    if power == 1.0:
        norm = np.abs(values).sum(axis=1)
    elif power == 2.0:
        norm = np.sqrt((values * values).sum(axis=1))
    elif power == np.inf:
        norm = np.fmax.reduce(np.abs(values), axis=1, initial=0.0)
    else:
        norm = (np.abs(values) ** power).sum(axis=1) ** (1.0 / power)
    return x.with_values(values / np.where(norm != 0.0, norm, 1.0)[:, None])


PRIMITIVES: dict[type[Expr], Callable[..., Column]] = {
    p.Concat: _concat,
    p.Pack: _pack,
    p.Item: _item,
    p.Affine: _affine,
    p.Clip: _clip,
    p.Normalize: _normalize,
}
