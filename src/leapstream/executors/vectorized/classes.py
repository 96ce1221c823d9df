"""What classifiers, regressions and clusterings compute beyond linear algebra."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from leapstream.executors.columns import Bools, Column, column_of, joined
from leapstream.executors.contract import KEPT
from leapstream.executors.implementing import implements
from leapstream.executors.vectorized.run import Run, require_vector
from leapstream.layouts.clusters import subtree_ends
from leapstream.plan import primitives as p

_ALLOWED: dict[str, tuple[str, Callable[[npt.NDArray[np.float64]], Bools]]] = {
    "zero_or_one": ("0 or 1", lambda x: (x == 0.0) | (x == 1.0)),
    "nonnegative": ("at least 0", lambda x: x >= 0.0),
}


def _rows_of(x: csr_array) -> npt.NDArray[np.intp]:
    """The row of each element that is stored."""
    return np.repeat(np.arange(x.shape[0]), np.diff(x.indptr))


@implements(p.RequireElements, sparse=True)
def _only(run: Run, expr: p.RequireElements, x: Column) -> Column:
    name, allowed = _ALLOWED[expr.allowed]
    if not require_vector(run, x):
        return x
    if isinstance(x.values, csr_array):
        failed = np.bincount(_rows_of(x.values)[~allowed(x.values.data)], minlength=run.rows) > 0
    else:
        failed = ~allowed(x.values).all(axis=1)
    run.fail(failed, f"an element is not {name}")
    return x


@implements(p.ExpNormalize)
def _exp_normalize(run: Run, expr: p.ExpNormalize, x: Column) -> Column:
    greatest = x.values.max(axis=1, keepdims=True)
    powers = np.exp(x.values - greatest)
    total = powers.sum(axis=1, keepdims=True)
    return Column(x.values - (np.log(total) + greatest) if expr.log else powers / total)


@implements(p.SquareSums)
def _square_sums(run: Run, expr: p.SquareSums, x: Column) -> Column:
    parts = x.values.reshape(run.rows, x.values.shape[1] // expr.size, expr.size)
    return Column(np.einsum("rgi,rgi->rg", parts, parts))


@implements(p.ScaledDistances)
def _scaled_distances(run: Run, expr: p.ScaledDistances, x: Column) -> Column:
    groups, size = expr.centers.shape
    if not require_vector(run, x, size):
        return Column(np.full((run.rows, groups), np.nan))
    # One centre at a time: all at once would take centres times as much memory as the batch.
    columns = [
        ((x.values - center) ** 2 / scale).sum(axis=1) for center, scale in zip(expr.centers, expr.scales, strict=True)
    ]
    return Column(np.stack(columns, axis=1))


@implements(p.Greatest)
def _greatest(run: Run, expr: p.Greatest, x: Column) -> Column:
    # The bits of a double as an integer, those of negative ones turned around, are in the order of Double.compare.
    values = np.where(np.isnan(x.values), np.nan, x.values)
    bits = values.view(np.int64)
    best = np.argmax(np.where(bits < 0, bits ^ np.int64(2**63 - 1), bits), axis=1)
    return Column(best.astype(np.float64) if expr.position else values[np.arange(run.rows), best])


@implements(p.NearestLeaf, prepare=lambda expr: subtree_ends(expr.tree))
def _nearest_leaf(run: Run, expr: p.NearestLeaf, x: Column) -> Column:
    tree = expr.tree
    result = np.zeros(run.rows, dtype=np.int32)
    if not require_vector(run, x, tree.centers.shape[1]):
        return Column(result)
    from leapstream.executors.vectorized import clusterkernels

    values = np.ascontiguousarray(x.values)
    run.fail(np.isnan(values).any(axis=1), "the vector's norm is NaN")
    clusterkernels.nearest_leaf(
        values, tree.centers, tree.norm, run.prepared[id(expr)], tree.num_children, tree.index, result
    )
    return Column(result)


@implements(p.TopicMixture, sparse=True)
def _topic_mixture(run: Run, expr: p.TopicMixture, x: Column) -> Column:
    from leapstream.executors.vectorized import clusterkernels

    terms, topics = expr.weights.shape
    result = np.zeros((run.rows, topics))
    if not require_vector(run, x):
        return Column(result)
    counts = x.values
    if isinstance(counts, csr_array):
        row = _rows_of(counts)
        empty = np.bincount(row[counts.data != 0], minlength=run.rows) == 0
        beyond = np.bincount(row[counts.indices >= terms], minlength=run.rows) > 0
    else:
        empty = ~(counts != 0).any(axis=1)
        stored = np.ones(counts.shape, dtype=np.bool_) if x.stored is None else x.stored
        beyond = stored[:, terms:].any(axis=1)
        counts = csr_array(counts)
    run.fail(beyond & ~empty, f"the document has terms beyond the {terms} known")
    endless = np.zeros(run.rows, dtype=np.bool_)
    arrays = (counts.data, counts.indices, counts.indptr, empty | beyond)
    clusterkernels.topic_mixture(*arrays, expr.weights, expr.alpha, expr.start, result, endless)
    run.fail(endless, "the inference of topics comes to no end")
    return Column(result)


@implements(p.Switch, sparse=True)
def _switch(run: Run, expr: p.Switch, position: Column, *xs: Column) -> Column:
    parts: list[Column] = []
    order: list[npt.NDArray[np.intp]] = []
    for number, executor in enumerate(run.nested[id(expr)]):
        rows = np.flatnonzero((run.states == KEPT) & (position.values == number))
        if not len(rows):
            continue
        given = {name: xs[int(name)].take(rows) for name in executor.plan.inputs.names}
        outcome = executor.run(given, len(rows))
        run.adopt(rows, outcome)
        ((_, result),) = outcome.columns.items()
        assert isinstance(result, Column)
        if parts and getattr(result.values, "shape", (0,))[1:] != getattr(parts[0].values, "shape", (0,))[1:]:
            run.fail(np.isin(np.arange(run.rows), rows), "the result differs in size from that of other labels")
            continue
        parts.append(result)
        order.append(rows)
    if not parts:
        return column_of([None] * run.rows, expr.type)
    places = np.zeros(run.rows, dtype=np.intp)
    places[np.concatenate(order)] = np.arange(sum(map(len, order)))
    return joined(parts).take(places)
