"""Contributions of features to trees (numba), in the order and precision of XGBoost's own code."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def contributions(  # type: ignore[no-untyped-def]
    x,
    root,
    depth,
    feature,
    threshold,
    child,
    first,
    set_start,
    set_end,
    set_left,
    data,
    cover,
    mean,
    weight,
    group,
    base,
    number,
    out,
):  # pragma: no cover - compiled
    """``out[row, group]`` = contributions of the features that some tree tests, and what there is without any.

    See :class:`~leapstream.layouts.forest.ExplainedForest` for the arrays. ``number`` says which of the tested features each
    element of ``x`` stands for. The path from the root to a node holds each feature once, with the share of the training data
    that comes through when the feature is not known (``zero``), whether the row comes through when it is (``one``), and the
    weight of the subsets of features of each size (``power``); paths of a node and of those above lie one after the other.
    """
    deepest = 0
    for tree in range(root.shape[0]):
        deepest = max(deepest, depth[tree])
    room = (deepest + 3) * (deepest + 4) // 2
    features = np.empty(room, dtype=np.int64)
    zero = np.empty(room, dtype=np.float32)
    one = np.empty(room, dtype=np.float32)
    power = np.empty(room, dtype=np.float32)
    todo = np.empty((deepest + 3, 4), dtype=np.int64)
    share = np.empty((deepest + 3, 2), dtype=np.float32)
    phi = np.empty(out.shape[2], dtype=np.float32)
    for row in range(x.shape[0]):
        for tree in range(root.shape[0]):
            phi[:] = 0
            phi[-1] = mean[tree]
            _push(todo, share, 0, root[tree], 0, 0, -1, np.float32(1), np.float32(1))
            left = 1
            while left > 0:
                left -= 1
                node, length, above, last = todo[left, 0], todo[left, 1], todo[left, 2], todo[left, 3]
                path = above + length + 1
                for i in range(length):
                    features[path + i] = features[above + i]
                    zero[path + i] = zero[above + i]
                    one[path + i] = one[above + i]
                    power[path + i] = power[above + i]
                _extend(features, zero, one, power, path, length, share[left, 0], share[left, 1], last)
                if child[node] == node:
                    value = np.float32(data[first[node]])
                    for i in range(1, length + 1):
                        w = _unwound_sum(zero, one, power, path, length, i)
                        phi[features[path + i]] += w * (one[path + i] - zero[path + i]) * value
                    continue
                f = feature[node]
                element = -1 - f if f < 0 else f
                goes_left = x[row, element] <= threshold[node]
                if f < 0:
                    found = False
                    for i in range(set_start[first[node]], set_end[first[node]]):
                        found |= data[i] == x[row, element]
                    goes_left = found == (set_left[first[node]] == 1)
                hot = child[node] + 1 if goes_left else child[node]
                cold = child[node] if goes_left else child[node] + 1
                incoming_zero, incoming_one = np.float32(1), np.float32(1)
                tested = number[element]
                for i in range(length + 1):
                    if features[path + i] == tested:
                        incoming_zero, incoming_one = zero[path + i], one[path + i]
                        _unwind(features, zero, one, power, path, length, i)
                        length -= 1
                        break
                share_cold = cover[cold] / cover[node] * incoming_zero
                share_hot = cover[hot] / cover[node] * incoming_zero
                _push(todo, share, left, cold, length + 1, path, tested, share_cold, np.float32(0))
                _push(todo, share, left + 1, hot, length + 1, path, tested, share_hot, incoming_one)
                left += 2
            for i in range(phi.shape[0]):
                k = group[tree]
                out[row, k, i] += phi[i] * weight[tree]
        for k in range(base.shape[0]):
            out[row, k, -1] += base[k]


@njit(cache=True, nogil=True)
def _push(  # type: ignore[no-untyped-def]
    todo, share, at, node, length, above, feature, zero_share, one_share
):  # pragma: no cover - compiled
    """Push a node to visit: the start of the path above it, and the shares that extend the path."""
    todo[at, 0] = node
    todo[at, 1] = length
    todo[at, 2] = above
    todo[at, 3] = feature
    share[at, 0] = zero_share
    share[at, 1] = one_share


@njit(cache=True, nogil=True)
def _extend(  # type: ignore[no-untyped-def]
    features, zero, one, power, path, length, zero_share, one_share, feature
):  # pragma: no cover - compiled
    """Append a feature to a path."""
    features[path + length] = feature
    zero[path + length] = zero_share
    one[path + length] = one_share
    power[path + length] = np.float32(1 if length == 0 else 0)
    size = np.float32(length + 1)
    for i in range(length - 1, -1, -1):
        at = path + i
        power[at + 1] += one_share * power[at] * np.float32(i + 1) / size
        power[at] = zero_share * power[at] * np.float32(length - i) / size


@njit(cache=True, nogil=True)
def _unwind(  # type: ignore[no-untyped-def]
    features, zero, one, power, path, length, place
):  # pragma: no cover - compiled
    """Remove a feature from a path."""
    one_share, zero_share = one[path + place], zero[path + place]
    following = power[path + length]
    size = np.float32(length + 1)
    for i in range(length - 1, -1, -1):
        at = path + i
        if one_share != 0:
            before = power[at]
            power[at] = following * size / (np.float32(i + 1) * one_share)
            following = before - power[at] * zero_share * np.float32(length - i) / size
        else:
            power[at] = power[at] * size / (zero_share * np.float32(length - i))
    for i in range(place, length):
        features[path + i] = features[path + i + 1]
        zero[path + i] = zero[path + i + 1]
        one[path + i] = one[path + i + 1]


@njit(cache=True, nogil=True)
def _unwound_sum(zero, one, power, path, length, place):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """The weight of all subsets after removing a feature from a path, which is not changed."""
    one_share, zero_share = one[path + place], zero[path + place]
    following = power[path + length]
    size = np.float32(length + 1)
    total = np.float32(0)
    for i in range(length - 1, -1, -1):
        at = path + i
        if one_share != 0:
            part = following * size / (np.float32(i + 1) * one_share)
            total += part
            following = power[at] - part * zero_share * (np.float32(length - i) / size)
        elif zero_share != 0:
            total += power[at] / zero_share / (np.float32(length - i) / size)
    return total
