"""What classifiers, regressions and clusterings compute beyond linear algebra."""

from __future__ import annotations

from leapstream.executors.implementing import implements
from leapstream.executors.jvm.emitter.base import Emitter
from leapstream.executors.jvm.emitter.code import double_bytes, int_bytes, is_primitive, java_type
from leapstream.layouts.clusters import subtree_ends
from leapstream.plan import primitives as p

_CHECKS = {"zero_or_one": "zeroOrOne", "nonnegative": "nonnegative"}


@implements(p.RequireElements)
def _only(emitter: Emitter, expr: p.RequireElements) -> None:
    x = emitter.vector(expr.x)
    emitter.place(expr)
    emitter.define(expr, f"Classes.{_CHECKS[expr.allowed]}({x})")


@implements(p.ExpNormalize)
def _exp_normalize(emitter: Emitter, expr: p.ExpNormalize) -> None:
    log = "true" if expr.log else "false"
    emitter.define(expr, f"Classes.expNormalize({emitter.vector(expr.x)}, {log}, {emitter.buffer()})")


@implements(p.SquareSums)
def _square_sums(emitter: Emitter, expr: p.SquareSums) -> None:
    emitter.define(
        expr, f"Classes.squareSums({emitter.vector(expr.x)}, {expr.size}, {emitter.buffer()}, {emitter.buffer()})"
    )


@implements(p.ScaledDistances)
def _scaled_distances(emitter: Emitter, expr: p.ScaledDistances) -> None:
    x = emitter.vector(expr.x)
    emitter.place(expr)
    arrays = f"{emitter.doubles(expr.centers)}, {emitter.doubles(expr.scales)}, {expr.centers.shape[1]}"
    emitter.define(expr, f"Classes.scaledDistances({x}, {arrays}, {emitter.buffer()}, {emitter.buffer()})")


@implements(p.Greatest)
def _greatest(emitter: Emitter, expr: p.Greatest) -> None:
    x = emitter.vector(expr.x)
    emitter.place(expr)
    position = f"Classes.greatest({x}, {emitter.buffer()})"
    emitter.define(expr, position if expr.position else f"Vecs.item({x}, {position})")


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


@implements(p.Switch)
def _switch(emitter: Emitter, expr: p.Switch) -> None:
    position = emitter.present(expr.position)
    java = java_type(expr.type)
    result = emitter.variable("", java)
    flag = emitter.variable("n", "boolean") if expr.type.nullable and is_primitive(expr.type) else None
    for number, plan in enumerate(expr.plans):
        name, model = emitter.nested(plan)
        emitter.line(f"if ({position} == {number}) {{")
        for column, given in zip(plan.inputs.names, model.inputs, strict=True):
            x = expr.xs[int(column)]
            emitter.line(f"{name}.{given.name} = {emitter.value(x)};")
            if given.null_field is not None:
                emitter.line(f"{name}.{given.null_field} = {emitter.null(x) or 'false'};")
        (found,) = model.outputs
        emitter.line(f"if (!{name}.run()) return false;")
        emitter.line(f"{result} = {name}.{found.name};")
        if flag is not None:
            emitter.line(f"{flag} = {'false' if found.null_field is None else f'{name}.{found.null_field}'};")
        emitter.line("}")
    emitter.alias(expr, result, flag)
