"""Distances from centres, and mixtures of topics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import mul, sub

import numpy as np

from leapstream.executors.implementing import implements
from leapstream.executors.rowwise.arrays import by_arrays
from leapstream.executors.rowwise.runtime import add_up
from leapstream.executors.rowwise.writer import ArraysOnlyError, Writer
from leapstream.plan import primitives as p

_MOST_NUMBERS = 512
"""Arrays go through more numbers of centres in less time."""
_EPSILON = 2.220446049250313e-16


@implements(p.Nearest)
def _nearest(writer: Writer, expr: p.Nearest) -> None:
    if expr.centers.size > _MOST_NUMBERS:
        raise ArraysOnlyError("Nearest of many centres")
    writer.expect_size(expr.x, expr.centers.shape[1])
    centers = [(center, math.sqrt(add_up([c * c for c in center]))) for center in expr.centers.tolist()]
    writer.define(expr, writer.call(nearest, writer.listed(expr.x), writer.constant(centers)))


def nearest(x: Sequence[float], centers: Sequence[tuple[list[float], float]]) -> int:
    """The number of the centre nearest to a vector; each centre comes with its norm."""
    norm = math.sqrt(add_up([value * value for value in x]))
    best, least = 0, math.inf
    for number, (center, center_norm) in enumerate(centers):
        difference = center_norm - norm
        if difference * difference < least:
            distance = _squared_distance(x, norm, center, center_norm)
            if distance < least:
                best, least = number, distance
    return best


def _squared_distance(x: Sequence[float], norm: float, center: Sequence[float], center_norm: float) -> float:
    """As Spark's ``fastSquaredDistance`` computes it for dense vectors."""
    difference = center_norm - norm
    squares = center_norm * center_norm + norm * norm
    if 2.0 * _EPSILON * squares / (difference * difference + _EPSILON) < 1e-6:
        return squares - 2.0 * add_up(map(mul, x, center))
    return add_up([step * step for step in map(sub, x, center)])


@implements(p.ScaledDistances)
def _scaled_distances(writer: Writer, expr: p.ScaledDistances) -> None:
    if expr.centers.size > _MOST_NUMBERS or not np.all(expr.scales):
        raise ArraysOnlyError("ScaledDistances of many centres, or with a scale of 0")
    writer.expect_size(expr.x, expr.centers.shape[1])
    groups = writer.constant(list(zip(expr.centers.tolist(), expr.scales.tolist(), strict=True)))
    writer.define(expr, writer.call(scaled_distances, writer.listed(expr.x), groups))


def scaled_distances(x: Sequence[float], groups: Sequence[tuple[list[float], list[float]]]) -> list[float]:
    """See :class:`leapstream.plan.primitives.ScaledDistances`; each centre comes with its scales."""
    return [
        add_up([step * step / scale for step, scale in zip(map(sub, x, center), scales, strict=True)])
        for center, scales in groups
    ]


@implements(p.Distances)
@implements(p.NearestLeaf)
@implements(p.NeighborWeights)
@implements(p.TopicMixture)
def _clusters(writer: Writer, expr: p.Distances | p.NearestLeaf | p.NeighborWeights | p.TopicMixture) -> None:
    by_arrays(writer, expr)
