"""Elements of vectors: selection, recoding, reshaping."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from leapstream.executors import failures
from leapstream.executors.columns import WIDE, Bools, Column
from leapstream.executors.implementing import implements
from leapstream.executors.sparse import csr, is_csr
from leapstream.executors.vectorized.lists import list_array
from leapstream.executors.vectorized.run import (
    Indices,
    Run,
    failed_vectors,
    require_size,
)
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Doubles


@implements(p.Item, sparse=True)
def _item(run: Run, expr: p.Item, x: Column) -> Column:
    if expr.index >= x.values.shape[1]:
        run.fail(np.ones(run.rows, dtype=bool), failures.element_beyond(x.values.shape[1], expr.index))
        return Column(np.full(run.rows, np.nan))
    if is_csr(x.values):
        return Column(x.values[:, [expr.index]].toarray()[:, 0])
    return Column(x.values[:, expr.index])


@implements(p.ElementsAtLeast)
def _at_least(run: Run, expr: p.ElementsAtLeast, x: Column) -> Column:
    high = x.values >= expr.threshold
    run.fail(high[:, expr.limit :].any(axis=1), failures.element_without_label(expr.limit))
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(high.sum(axis=1))])
    chosen = x.values[high] if expr.gives == "elements" else np.nonzero(high)[1]
    return Column(list_array(starts, pa.array(chosen, pa.float64())))


class _Recoding(NamedTuple):
    """All tables in one: sorted codes, one for each table and key, and their values."""

    positions: Indices
    keys: Doubles
    codes: Indices
    values: Doubles
    others: Doubles | None


def _prepare_recode(expr: p.Recode) -> _Recoding:
    keys = np.unique(np.concatenate([np.zeros(0), *(keys for keys, _ in expr.tables)]))
    codes = [i * len(keys) + np.searchsorted(keys, table) for i, (table, _) in enumerate(expr.tables)]
    return _Recoding(
        np.array(expr.positions, dtype=np.intp),
        keys,
        np.concatenate([np.zeros(0, dtype=np.intp), *codes]),
        np.concatenate([np.zeros(0), *(values for _, values in expr.tables)]),
        None if expr.others is None else np.array(expr.others),
    )


def _looked_up(recoding: _Recoding, table: Indices, x: Doubles) -> tuple[Doubles, Bools]:
    """The value of each element of ``x`` in its table, and true where there is none."""
    missing = np.ones(x.shape, dtype=bool)
    values = np.full(x.shape, np.nan)
    if len(recoding.codes):
        key = np.searchsorted(recoding.keys, x).clip(max=len(recoding.keys) - 1)
        code = table * len(recoding.keys) + key
        at = np.searchsorted(recoding.codes, code).clip(max=len(recoding.codes) - 1)
        missing = (recoding.keys[key] != x) | (recoding.codes[at] != code)
        values = recoding.values[at]
    if recoding.others is not None:
        values = np.where(missing, np.broadcast_to(recoding.others[table], x.shape), values)
    return values, missing


@implements(p.Recode, prepare=_prepare_recode, sparse=True)
def _recode(run: Run, expr: p.Recode, x: Column) -> Column:
    recoding: _Recoding = run.prepared[id(expr)]
    if not require_size(run, x, expr.size):
        return failed_vectors(run, expr.size)
    if len(expr.positions) == 0:
        return x
    if is_csr(x.values):
        rows = x.values
        table = np.searchsorted(recoding.positions, rows.indices).clip(max=len(recoding.positions) - 1)
        picked = np.flatnonzero(recoding.positions[table] == rows.indices)
        values, missing = _looked_up(recoding, table[picked], rows.data[picked])
        data = rows.data.copy()
        data[picked] = values
        result = x.with_values(csr((data, rows.indices, rows.indptr), rows.shape))
        owner = np.searchsorted(rows.indptr, picked[missing], side="right") - 1
        elements, given = rows.indices[picked[missing]], rows.data[picked[missing]]
    else:
        values, missing = _looked_up(recoding, np.arange(len(recoding.positions)), x.values[:, recoding.positions])
        if x.stored is not None:
            stored = x.stored[:, recoding.positions]
            values = np.where(stored, values, 0.0)
            missing &= stored
        dense = x.values.copy()
        dense[:, recoding.positions] = values
        result = x.with_values(dense)
        owner, at = np.nonzero(missing)
        elements = recoding.positions[at]
        given = x.values[owner, elements]
    if recoding.others is None:
        failed, first = np.unique(owner, return_index=True)
        place = dict(zip(failed.tolist(), first.tolist(), strict=True))
        run.fail(
            np.isin(np.arange(run.rows), failed),
            lambda row: failures.unknown_category(given[place[row]], elements[place[row]]),
        )
    return result


@implements(p.Take, sparse=True)
def _take(run: Run, expr: p.Take, x: Column) -> Column:
    indices = np.array(expr.indices, dtype=np.intp)
    size = x.values.shape[1]
    needed = int(indices.max(initial=-1)) + 1
    if expr.picks_rising:
        x = x.to_dense(track_stored=True)
    if needed > size:
        run.require_stored()
        run.fail(~x.sparse_rows(), failures.element_beyond(size, int(indices[indices >= size][0])))
    if is_csr(x.values):
        rows = csr((x.values.data, x.values.indices, x.values.indptr), (run.rows, max(needed, size)))
        taken = rows[:, indices]
        taken.sort_indices()
        column = Column(taken)
        return column if len(indices) >= WIDE else column.to_dense(run.tracks_stored)
    inside = indices < size
    if x.stored is None and x.complete is None:
        return Column(_columns(x.values, indices, inside))
    sparse = x.sparse_rows()[:, None]
    wanted = np.where(sparse, inside & np.array(expr.rises), inside) if expr.picks_rising else inside
    values = _columns(x.values, indices, wanted)
    stored = np.ones(x.values.shape, dtype=bool) if x.stored is None else x.stored
    stored = _columns(stored, indices, wanted)
    return Column(values, stored=stored, complete=sparse[:, 0] & stored.all(axis=1))


def _columns(values: Any, indices: Indices, wanted: Bools) -> Any:
    """Columns by index, 0 where they are not wanted."""
    if wanted.all():
        return values[:, indices]
    padded = np.concatenate([values, np.zeros((len(values), 1), dtype=values.dtype)], axis=1)
    taken = padded[:, np.minimum(indices, values.shape[1])]
    return np.where(wanted, taken, np.zeros((), dtype=values.dtype))


@implements(p.Reshape)
def _reshape(run: Run, expr: p.Reshape, x: Column) -> Column:
    shape = (run.rows, *(getattr(expr.type, "dimensions", None) or ()))
    if math.prod(x.values.shape) != math.prod(shape):
        run.fail(
            np.ones(run.rows, dtype=bool),
            failures.wrong_tensor_size(math.prod(x.values.shape[1:]), math.prod(shape[1:])),
        )
        return Column(np.zeros(shape))
    return Column(x.values.reshape(shape), x.valid, None if x.stored is None else x.stored.reshape(shape))
