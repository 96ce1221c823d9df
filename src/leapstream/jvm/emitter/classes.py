"""What classifiers, regressions and clusterings compute beyond linear algebra."""

from __future__ import annotations

from leapstream.jvm.emitter.base import Emit, Emitter
from leapstream.jvm.emitter.code import double_bytes, int_bytes
from leapstream.plan import primitives as p
from leapstream.plan.clusters import subtree_ends
from leapstream.plan.primitives import Expr

_CHECKS = {"zero_or_one": "zeroOrOne", "nonnegative": "nonnegative"}


def _only(e: Emitter, expr: p.Only) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    e.define(expr, f"Classes.{_CHECKS[expr.allowed]}({x})")


def _exp_normalize(e: Emitter, expr: p.ExpNormalize) -> None:
    log = "true" if expr.log else "false"
    e.define(expr, f"Classes.expNormalize({e.vector(expr.x)}, {log}, {e.buffer()})")


def _square_sums(e: Emitter, expr: p.SquareSums) -> None:
    e.define(expr, f"Classes.squareSums({e.vector(expr.x)}, {expr.size}, {e.buffer()}, {e.buffer()})")


def _scaled_distances(e: Emitter, expr: p.ScaledDistances) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    arrays = f"{e.doubles(expr.centers)}, {e.doubles(expr.scales)}, {expr.centers.shape[1]}"
    e.define(expr, f"Classes.scaledDistances({x}, {arrays}, {e.buffer()}, {e.buffer()})")


def _greatest(e: Emitter, expr: p.Greatest) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    position = f"Classes.greatest({x}, {e.buffer()})"
    e.define(expr, position if expr.position else f"Vecs.item({x}, {position})")


def _nearest_leaf(e: Emitter, expr: p.NearestLeaf) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    tree = expr.tree
    data = double_bytes(tree.centers) + double_bytes(tree.norm) + int_bytes(subtree_ends(tree))
    data += int_bytes(tree.num_children) + int_bytes(tree.index)
    e.define(expr, f"{e.resource('ClusterTree', 'new ClusterTree(data)', data)}.leaf({x})")


def _topic_mixture(e: Emitter, expr: p.TopicMixture) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    data = double_bytes(expr.weights) + double_bytes(expr.alpha) + double_bytes(expr.start)
    e.define(expr, f"{e.resource('Topics', 'new Topics(data)', data)}.mixture({x}, {e.buffer()})")


PRIMITIVES: dict[type[Expr], Emit] = {
    p.Only: _only,
    p.ExpNormalize: _exp_normalize,
    p.SquareSums: _square_sums,
    p.ScaledDistances: _scaled_distances,
    p.Greatest: _greatest,
    p.NearestLeaf: _nearest_leaf,
    p.TopicMixture: _topic_mixture,
}
