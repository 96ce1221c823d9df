"""Compiled loops over a batch (numba); compiled once per machine and kept in numba's cache."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from leapstream.bundle.definition import LEAF, Tree
from leapstream.plan.primitives import Trees


@dataclass(frozen=True, eq=False)
class Forest:
    """Trees one after the other in flat arrays; ``right`` and the data slices count from the start of the arrays."""

    root: npt.NDArray[np.int32]
    kind: npt.NDArray[np.uint8]
    feature: npt.NDArray[np.int32]
    threshold: npt.NDArray[np.float64]
    right: npt.NDArray[np.int32]
    data_start: npt.NDArray[np.int32]
    data_end: npt.NDArray[np.int32]
    data: npt.NDArray[np.float64]


def make_forest(expr: Trees) -> Forest:
    """The trees of an ensemble; for ``votes`` each leaf is divided by its sum, and 0 where that is 0."""
    nodes = np.cumsum([0, *(len(t.kind) for t in expr.trees)])
    starts = np.cumsum([0, *(len(t.data) for t in expr.trees)])
    return Forest(
        root=nodes[:-1].astype(np.int32),
        kind=np.concatenate([t.kind for t in expr.trees]),
        feature=np.concatenate([t.feature for t in expr.trees]),
        threshold=np.concatenate([t.threshold for t in expr.trees]),
        right=np.concatenate([t.right + at for t, at in zip(expr.trees, nodes, strict=False)]).astype(np.int32),
        data_start=np.concatenate([t.data_start + at for t, at in zip(expr.trees, starts, strict=False)]).astype(
            np.int32
        ),
        data_end=np.concatenate([t.data_end + at for t, at in zip(expr.trees, starts, strict=False)]).astype(np.int32),
        data=np.concatenate([frequencies(t) if expr.combine == "votes" else t.data for t in expr.trees]),
    )


def frequencies(tree: Tree) -> npt.NDArray[np.float64]:
    """A tree's data with each leaf's values divided by their sum, 0 where that is 0."""
    data = tree.data.copy()
    for start, end in zip(tree.data_start[tree.kind == LEAF], tree.data_end[tree.kind == LEAF], strict=True):
        total = sum(data[start:end].tolist())
        data[start:end] = data[start:end] / total if total != 0 else 0.0
    return data


@njit(cache=True, nogil=True)
def _leaf(  # type: ignore[no-untyped-def]
    x, width, node, kind, feature, threshold, right, data_start, data_end, data
):  # pragma: no cover - compiled
    """The leaf that a row reaches, or -1 when a test reads beyond the row."""
    while kind[node] != 0:
        if feature[node] >= width:
            return -1
        value = x[feature[node]]
        if kind[node] == 1:
            left = value <= threshold[node]
        else:
            left = False
            for i in range(data_start[node], data_end[node]):
                if data[i] == value:
                    left = True
                    break
            if kind[node] == 3:
                left = not left
        node = node + 1 if left else right[node]
    return node


@njit(cache=True, nogil=True)
def sum_trees(  # type: ignore[no-untyped-def]
    x, root, kind, feature, threshold, right, data_start, data_end, data, weights, out, failed
):  # pragma: no cover - compiled
    """``out[row]`` = the weighted sum of the leaves' first values, tree by tree."""
    width = x.shape[1]
    for row in range(x.shape[0]):
        total = 0.0
        for t in range(root.shape[0]):
            leaf = _leaf(x[row], width, root[t], kind, feature, threshold, right, data_start, data_end, data)
            if leaf < 0:
                failed[row] = True
                break
            total += weights[t] * data[data_start[leaf]]
        out[row] = total


@njit(cache=True, nogil=True)
def sum_leaves(  # type: ignore[no-untyped-def]
    x, root, kind, feature, threshold, right, data_start, data_end, data, out, failed
):  # pragma: no cover - compiled
    """``out[row]`` = the sum of the leaves' vectors, tree by tree."""
    width = x.shape[1]
    for row in range(x.shape[0]):
        for t in range(root.shape[0]):
            leaf = _leaf(x[row], width, root[t], kind, feature, threshold, right, data_start, data_end, data)
            if leaf < 0:
                failed[row] = True
                break
            for i in range(out.shape[1]):
                out[row, i] += data[data_start[leaf] + i]


def run_forest(
    expr: Trees, forest: Forest, x: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """The result of an ensemble over rows ``x`` (rows, features), and where it fails."""
    x = np.ascontiguousarray(x, dtype=np.float64)
    rows = len(x)
    failed = np.zeros(rows, dtype=bool)
    arrays = (
        forest.root,
        forest.kind,
        forest.feature,
        forest.threshold,
        forest.right,
        forest.data_start,
        forest.data_end,
        forest.data,
    )
    if expr.combine in ("leaf", "votes"):
        out = np.zeros((rows, expr.width))
        sum_leaves(x, *arrays, out, failed)
        return out, failed
    weights = np.ones(len(expr.trees)) if expr.weights is None else np.ascontiguousarray(expr.weights, dtype=np.float64)
    total = np.empty(rows)
    sum_trees(x, *arrays, weights, total, failed)
    return (total / len(expr.trees) if expr.combine == "mean" else total), failed


@njit(cache=True, nogil=True)
def nearest(x, centers, center_norms, out):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Number of the nearest centre, with distances as Spark's ``fastSquaredDistance`` computes them for dense vectors."""
    epsilon = 2.220446049250313e-16
    for row in range(x.shape[0]):
        squares = 0.0
        for i in range(x.shape[1]):
            squares += x[row, i] * x[row, i]
        norm = np.sqrt(squares)
        best, best_distance = 0, np.inf
        for c in range(centers.shape[0]):
            difference = center_norms[c] - norm
            if not difference * difference < best_distance:
                continue
            sum_squares = center_norms[c] * center_norms[c] + norm * norm
            if 2.0 * epsilon * sum_squares / (difference * difference + epsilon) < 1e-6:
                product = 0.0
                for i in range(x.shape[1]):
                    product += x[row, i] * centers[c, i]
                distance = sum_squares - 2.0 * product
            else:
                distance = 0.0
                for i in range(x.shape[1]):
                    step = x[row, i] - centers[c, i]
                    distance += step * step
            if distance < best_distance:
                best, best_distance = c, distance
        out[row] = best
