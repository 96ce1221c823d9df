"""Distances from centres, and mixtures of topics."""

from __future__ import annotations

from leapstream.executors.implementing import implements
from leapstream.executors.jvm.emitter.base import Emitter
from leapstream.executors.jvm.emitter.code import (
    double_bytes,
    double_literal,
    int_bytes,
)
from leapstream.layouts.clusters import subtree_ends
from leapstream.plan import primitives as p


@implements(p.Nearest)
def _nearest(emitter: Emitter, expr: p.Nearest) -> None:
    x = emitter.vector(expr.x)
    emitter.place(expr)
    count, size = expr.centers.shape
    centers = emitter.doubles(expr.centers)
    # The number of centers without elements cannot be told from their array.
    norms = emitter.resource("double[]", f"Clusters.norms({centers}, {size})" if size else f"new double[{count}]", b"")
    emitter.define(expr, f"Clusters.nearest({x}, {centers}, {norms}, {size})")


@implements(p.ScaledDistances)
def _scaled_distances(emitter: Emitter, expr: p.ScaledDistances) -> None:
    x = emitter.vector(expr.x)
    emitter.place(expr)
    groups, size = expr.centers.shape
    arrays = f"{emitter.doubles(expr.centers)}, {emitter.doubles(expr.scales)}, {groups}, {size}"
    emitter.define(expr, f"Clusters.scaledDistances({x}, {arrays}, {emitter.buffer()}, {emitter.buffer()})")


@implements(p.Distances)
def _distances(emitter: Emitter, expr: p.Distances) -> None:
    x = emitter.vector(expr.x)
    emitter.place(expr)
    count, size = expr.centers.shape
    buffers = f"{emitter.buffer()}, {emitter.buffer()}"
    emitter.define(expr, f"Neighbors.{expr.metric}({x}, {emitter.doubles(expr.centers)}, {count}, {size}, {buffers})")


@implements(p.NeighborWeights)
def _neighbor_weights(emitter: Emitter, expr: p.NeighborWeights) -> None:
    x = emitter.vector(expr.x)
    neighbors = emitter.resource("Neighbors", f"new Neighbors({expr.count}, {double_literal(expr.radius)})", b"")
    emitter.define(expr, f"{neighbors}.{expr.weighting}({x}, {emitter.buffer()}, {emitter.buffer()})")


@implements(p.NearestLeaf)
def _nearest_leaf(emitter: Emitter, expr: p.NearestLeaf) -> None:
    x = emitter.vector(expr.x)
    emitter.place(expr)
    tree = expr.tree
    data = double_bytes(tree.centers) + double_bytes(tree.norm) + int_bytes(subtree_ends(tree))
    data += int_bytes(tree.num_children) + int_bytes(tree.index)
    emitter.define(expr, f"{emitter.resource('ClusterTree', 'new ClusterTree(data)', data)}.leaf({x})")


@implements(p.TopicMixture)
def _topic_mixture(emitter: Emitter, expr: p.TopicMixture) -> None:
    x = emitter.vector(expr.x)
    emitter.place(expr)
    data = double_bytes(expr.weights) + double_bytes(expr.alpha) + double_bytes(expr.start)
    emitter.define(expr, f"{emitter.resource('Topics', 'new Topics(data)', data)}.mixture({x}, {emitter.buffer()})")
