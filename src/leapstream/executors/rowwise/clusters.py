"""Distances from centres, and mixtures of topics."""

from __future__ import annotations

from leapstream.executors.implementing import implements
from leapstream.executors.rowwise.arrays import by_arrays
from leapstream.executors.rowwise.writer import Writer
from leapstream.plan import primitives as p


@implements(p.Nearest)
@implements(p.NearestLeaf)
@implements(p.ScaledDistances)
@implements(p.TopicMixture)
def _clusters(writer: Writer, expr: p.Nearest | p.NearestLeaf | p.ScaledDistances | p.TopicMixture) -> None:
    by_arrays(writer, expr)
