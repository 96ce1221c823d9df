"""Distances from centres, and mixtures of topics."""

from __future__ import annotations

import numpy as np

from leapstream.executors import failures
from leapstream.executors.columns import Column
from leapstream.executors.implementing import implements
from leapstream.executors.sparse import csr, is_csr
from leapstream.executors.vectorized.run import Run, require_size, rows_of
from leapstream.executors.vectorized.sums import row_sums
from leapstream.layouts.clusters import subtree_ends
from leapstream.plan import primitives as p


@implements(p.Nearest, prepare=lambda expr: np.sqrt(row_sums(expr.centers**2)))
def _nearest(run: Run, expr: p.Nearest, x: Column) -> Column:
    given, size = x.values.shape[1], expr.centers.shape[1]
    norms = run.prepared[id(expr)]
    if given != size:
        apart = norms - np.sqrt(row_sums(x.values**2))[:, None]
        run.fail((apart * apart < np.inf).any(axis=1), failures.wrong_size(given, size))
        return Column(np.zeros(run.rows, dtype=np.int32))
    from leapstream.executors.vectorized import clusterkernels

    result = np.empty(run.rows, dtype=np.int32)
    clusterkernels.nearest(np.ascontiguousarray(x.values), expr.centers, norms, result)
    return Column(result)


@implements(p.ScaledDistances)
def _scaled_distances(run: Run, expr: p.ScaledDistances, x: Column) -> Column:
    groups, size = expr.centers.shape
    if not require_size(run, x, size):
        return Column(np.full((run.rows, groups), np.nan))
    # One centre at a time: all at once would take centres times as much memory as the batch.
    columns = [
        row_sums((x.values - center) ** 2 / scale) for center, scale in zip(expr.centers, expr.scales, strict=True)
    ]
    return Column(np.stack(columns, axis=1))


@implements(p.Distances)
def _distances(run: Run, expr: p.Distances, x: Column) -> Column:
    count, size = expr.centers.shape
    total = np.zeros((run.rows, count))
    if not require_size(run, x, size):
        return Column(total)
    present = np.zeros((run.rows, count))
    # One element at a time: all at once would take as much more memory, and be added in another order.
    for values, centers in zip(x.values.T, expr.centers.T, strict=True):
        difference = values[:, None] - centers
        if expr.metric == "manhattan":
            total += np.abs(difference)
        elif expr.metric == "chebyshev":
            np.maximum(total, np.abs(difference), out=total)
        else:
            square = difference * difference
            if expr.metric == "present":
                there = ~np.isnan(square)
                present += there
                square = np.where(there, square, 0.0)
            total += square
    return Column(total / present * size if expr.metric == "present" else total)


@implements(p.NeighborWeights)
def _neighbor_weights(run: Run, expr: p.NeighborWeights, x: Column) -> Column:
    distances = x.values
    chosen = distances <= expr.radius
    if expr.count < distances.shape[1]:
        nearest = np.zeros(distances.shape, dtype=np.bool_)
        order = np.argsort(distances, axis=1, kind="stable")
        np.put_along_axis(nearest, order[:, : expr.count], True, axis=1)
        chosen &= nearest
    if expr.weighting == "uniform":
        return Column(chosen.astype(np.float64))
    if expr.weighting == "distance":
        return Column(np.where(chosen, distances, 0.0))
    exact = chosen & (distances == 0.0)
    weights = np.where(chosen, 1.0 / distances, 0.0)
    return Column(np.where(exact.any(axis=1)[:, None], exact.astype(np.float64), weights))


@implements(p.NearestLeaf, prepare=lambda expr: subtree_ends(expr.tree))
def _nearest_leaf(run: Run, expr: p.NearestLeaf, x: Column) -> Column:
    tree = expr.tree
    result = np.zeros(run.rows, dtype=np.int32)
    if not require_size(run, x, tree.centers.shape[1]):
        return Column(result)
    from leapstream.executors.vectorized import clusterkernels

    values = np.ascontiguousarray(x.values)
    run.fail(np.isnan(values).any(axis=1), failures.nan_norm())
    sparse = np.zeros(run.rows, dtype=np.bool_)
    stored = np.empty((run.rows, 0), dtype=np.bool_)
    if not (np.isfinite(row_sums(values * values)).all() and np.isfinite(tree.centers).all()):
        # Infinite distances of sparse vectors are others than those of dense ones.
        run.require_stored()
        sparse = x.sparse_rows()
        stored = np.ones(values.shape, dtype=np.bool_) if x.stored is None else np.ascontiguousarray(x.stored)
    arrays = tree.centers, tree.norm, run.prepared[id(expr)], tree.num_children, tree.index
    clusterkernels.nearest_leaf(values, sparse, stored, *arrays, result)
    return Column(result)


@implements(p.TopicMixture, sparse=True)
def _topic_mixture(run: Run, expr: p.TopicMixture, x: Column) -> Column:
    from leapstream.executors.vectorized import clusterkernels

    terms, topics = expr.weights.shape
    result = np.zeros((run.rows, topics))
    counts = x.values
    if is_csr(counts):
        row = rows_of(counts)
        empty = np.bincount(row[counts.data != 0], minlength=run.rows) == 0
        beyond = np.bincount(row[counts.indices >= terms], minlength=run.rows) > 0
    else:
        empty = ~(counts != 0).any(axis=1)
        stored = np.ones(counts.shape, dtype=np.bool_) if x.stored is None else x.stored
        beyond = stored[:, terms:].any(axis=1)
        counts = csr(counts)
    run.fail(beyond & ~empty, failures.unknown_terms(terms))
    endless = np.zeros(run.rows, dtype=np.bool_)
    arrays = (counts.data, counts.indices, counts.indptr, empty | beyond)
    clusterkernels.topic_mixture(*arrays, expr.weights, expr.alpha, expr.start, result, endless)
    run.fail(endless, failures.endless_inference())
    return Column(result)
