"""What classifiers, regressions and clusterings compute beyond linear algebra."""

from __future__ import annotations

from leapstream.executors.implementing import implements
from leapstream.executors.jvm.emitter.base import Emitter
from leapstream.executors.jvm.emitter.code import double_bytes, int_bytes, is_primitive, java_type
from leapstream.layouts.clusters import subtree_ends
from leapstream.plan import primitives as p

_CHECKS = {"zero_or_one": "zeroOrOne", "nonnegative": "nonnegative"}


@implements(p.Only)
def _only(e: Emitter, expr: p.Only) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    e.define(expr, f"Classes.{_CHECKS[expr.allowed]}({x})")


@implements(p.ExpNormalize)
def _exp_normalize(e: Emitter, expr: p.ExpNormalize) -> None:
    log = "true" if expr.log else "false"
    e.define(expr, f"Classes.expNormalize({e.vector(expr.x)}, {log}, {e.buffer()})")


@implements(p.SquareSums)
def _square_sums(e: Emitter, expr: p.SquareSums) -> None:
    e.define(expr, f"Classes.squareSums({e.vector(expr.x)}, {expr.size}, {e.buffer()}, {e.buffer()})")


@implements(p.ScaledDistances)
def _scaled_distances(e: Emitter, expr: p.ScaledDistances) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    arrays = f"{e.doubles(expr.centers)}, {e.doubles(expr.scales)}, {expr.centers.shape[1]}"
    e.define(expr, f"Classes.scaledDistances({x}, {arrays}, {e.buffer()}, {e.buffer()})")


@implements(p.Greatest)
def _greatest(e: Emitter, expr: p.Greatest) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    position = f"Classes.greatest({x}, {e.buffer()})"
    e.define(expr, position if expr.position else f"Vecs.item({x}, {position})")


@implements(p.NearestLeaf)
def _nearest_leaf(e: Emitter, expr: p.NearestLeaf) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    tree = expr.tree
    data = double_bytes(tree.centers) + double_bytes(tree.norm) + int_bytes(subtree_ends(tree))
    data += int_bytes(tree.num_children) + int_bytes(tree.index)
    e.define(expr, f"{e.resource('ClusterTree', 'new ClusterTree(data)', data)}.leaf({x})")


@implements(p.TopicMixture)
def _topic_mixture(e: Emitter, expr: p.TopicMixture) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    data = double_bytes(expr.weights) + double_bytes(expr.alpha) + double_bytes(expr.start)
    e.define(expr, f"{e.resource('Topics', 'new Topics(data)', data)}.mixture({x}, {e.buffer()})")


@implements(p.Switch)
def _switch(e: Emitter, expr: p.Switch) -> None:
    position = e.present(expr.position)
    java = java_type(expr.type)
    result = e.variable("", java)
    flag = e.variable("n", "boolean") if expr.type.nullable and is_primitive(expr.type) else None
    for number, plan in enumerate(expr.plans):
        name, model = e.nested(plan)
        e.line(f"if ({position} == {number}) {{")
        for column, given in zip(plan.inputs.names, model.inputs, strict=True):
            x = expr.xs[int(column)]
            e.line(f"{name}.{given.name} = {e.value(x)};")
            if given.null_field is not None:
                e.line(f"{name}.{given.null_field} = {e.null(x) or 'false'};")
        (found,) = model.outputs
        e.line(f"if (!{name}.run()) return false;")
        e.line(f"{result} = {name}.{found.name};")
        if flag is not None:
            e.line(f"{flag} = {'false' if found.null_field is None else f'{name}.{found.null_field}'};")
        e.line("}")
    e.alias(expr, result, flag)
