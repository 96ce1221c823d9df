"""Compiled loops of clusterings over a batch (numba); compiled once per machine and kept in numba's cache."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def _squared_distance(x, norm, center, center_norm, stored):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """As Spark's ``fastSquaredDistance``; ``stored`` says which elements a sparse vector stores, and is empty for a dense one."""
    epsilon = 2.220446049250313e-16
    difference = center_norm - norm
    squares = center_norm * center_norm + norm * norm
    fast = 2.0 * epsilon * squares / (difference * difference + epsilon) < 1e-6
    sparse = stored.shape[0] > 0
    if fast or sparse:
        product = 0.0
        for i in range(x.shape[0]):
            if not sparse or stored[i]:
                product += x[i] * center[i]
        if fast:
            return squares - 2.0 * product
        distance = squares - 2.0 * product
        if distance < 0.0:
            distance = 0.0
        if not epsilon * (squares + 2.0 * abs(product)) / (distance + epsilon) > 1e-6:
            return distance
    distance = 0.0
    for i in range(x.shape[0]):
        step = x[i] - center[i]
        distance += step * step
    return distance


@njit(cache=True, nogil=True, error_model="numpy")
def _norm(x):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    squares = 0.0
    for i in range(x.shape[0]):
        squares += x[i] * x[i]
    return np.sqrt(squares)


@njit(cache=True, nogil=True, error_model="numpy")
def nearest(x, centers, norms, out):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """``out[row]`` = the number of the center nearest to a row."""
    stored = np.empty(0, dtype=np.bool_)
    for row in range(x.shape[0]):
        norm = _norm(x[row])
        best, least = 0, np.inf
        for c in range(centers.shape[0]):
            difference = norms[c] - norm
            if difference * difference < least:
                distance = _squared_distance(x[row], norm, centers[c], norms[c], stored)
                if distance < least:
                    best, least = c, distance
        out[row] = best


@njit(cache=True, nogil=True, error_model="numpy")
def nearest_leaf(  # type: ignore[no-untyped-def]
    x, sparse, stored, centers, norms, ends, num_children, index, out
):  # pragma: no cover - compiled
    """``out[row]`` = the cluster of the leaf that a row reaches; nodes stand in pre-order, each subtree up to its end.

    ``stored`` says which elements of the rows ``sparse`` are stored.
    """
    for row in range(x.shape[0]):
        norm = _norm(x[row])
        kept = stored[row] if sparse[row] else stored[row, :0]
        node = 0
        while num_children[node] > 0:
            child = node + 1
            best, least = child, np.nan
            for number in range(num_children[node]):
                distance = _squared_distance(x[row], norm, centers[child], norms[child], kept)
                if number == 0 or distance < least or (np.isnan(least) and not np.isnan(distance)):
                    best, least = child, distance
                child = ends[child]
            node = best
        out[row] = index[node]


@njit(cache=True, nogil=True, error_model="numpy")
def _digamma(x):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """The digamma function, by the asymptotic series from 49 on; MLeap's differs by up to 3e-9 there."""
    if np.isnan(x) or np.isinf(x):
        return x
    if x < -10000.0:
        return np.nan
    total = 0.0
    while x < 49.0:
        total += 1.0 / x
        x += 1.0
    inverse = 1.0 / (x * x)
    series = inverse * (1.0 / 12.0 - inverse * (1.0 / 120.0 - inverse / 252.0))
    return np.log(x) - 0.5 / x - series - total


@njit(cache=True, nogil=True, error_model="numpy")
def _expectation(gamma, theta):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """``theta`` = the exponential of the expected logarithm of a Dirichlet distribution with parameters ``gamma``."""
    total = 0.0
    for t in range(gamma.shape[0]):
        total += gamma[t]
    whole = _digamma(total)
    for t in range(gamma.shape[0]):
        theta[t] = np.exp(_digamma(gamma[t]) - whole)


@njit(cache=True, nogil=True, error_model="numpy")
def topic_mixture(  # type: ignore[no-untyped-def]
    counts, terms, starts, skip, weights, alpha, start, out, endless
):  # pragma: no cover - compiled
    """``out[row]`` = the topics of a document, whose counts are ``counts[starts[row]:starts[row + 1]]`` of ``terms``."""
    topics = alpha.shape[0]
    theta, mixed = np.empty(topics), np.empty(topics)
    for row in range(out.shape[0]):
        if skip[row]:
            continue
        gamma = out[row]
        gamma[:] = start
        _expectation(gamma, theta)
        change, rounds = 1.0, 0
        while change > 1e-3:
            if rounds == 10000:
                endless[row] = True
                break
            rounds += 1
            mixed[:] = 0.0
            for i in range(starts[row], starts[row + 1]):
                term = weights[terms[i]]
                phi = 0.0
                for t in range(topics):
                    phi += term[t] * theta[t]
                share = counts[i] / (phi + 1e-100)
                for t in range(topics):
                    mixed[t] += term[t] * share
            change = 0.0
            for t in range(topics):
                value = theta[t] * mixed[t] + alpha[t]
                change += abs(value - gamma[t])
                gamma[t] = value
            change /= topics
            _expectation(gamma, theta)
        total = 0.0
        for t in range(topics):
            total += abs(gamma[t])
        if total != 0.0:
            for t in range(topics):
                gamma[t] /= total
