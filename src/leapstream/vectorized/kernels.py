"""Compiled loops over a batch (numba); compiled once per machine and kept in numba's cache."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from leapstream.plan.forest import Forest
from leapstream.plan.primitives import Trees


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
    total = np.empty(rows)
    sum_trees(x, *arrays, forest.weights, total, failed)
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
