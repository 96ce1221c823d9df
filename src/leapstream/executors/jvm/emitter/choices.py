"""Choices: a value, or a plan, that depends on other values."""

from __future__ import annotations

from leapstream.bundle.types import BasicType
from leapstream.executors.implementing import implements
from leapstream.executors.jvm.emitter.base import Emitter
from leapstream.executors.jvm.emitter.code import (
    BOXES,
    boolean_literal,
    double_literal,
    is_primitive,
    java_type,
    label_bytes,
    text_bytes,
    unboxed,
)
from leapstream.plan import primitives as p


@implements(p.FirstMatch)
def _first_match(emitter: Emitter, expr: p.FirstMatch) -> None:
    x = emitter.present(expr.x) if expr.patterns else emitter.value(expr.x)
    emitter.place(expr)
    patterns = emitter.resource("Patterns", "new Patterns(data)", label_bytes(expr.patterns))
    values = emitter.ints(expr.values)
    place = emitter.variable("p", "int")
    emitter.line(f"{place} = {patterns}.first({x});")
    if expr.default is None:
        emitter.line(f"if ({place} < 0) throw Failures.noMatch({x});")
        emitter.define(expr, f"{values}[{place}]")
    else:
        emitter.define(expr, f"{place} < 0 ? {expr.default} : {values}[{place}]")


@implements(p.ValueAt)
def _pick(emitter: Emitter, expr: p.ValueAt) -> None:
    emitter.define(expr, f"{emitter.doubles(expr.values)}[(int) {emitter.present(expr.x)}]")


def _default(emitter: Emitter, expr: p.MapEntry) -> str:
    """The Java expression of the default, for a key that the map lacks."""
    base, value = expr.type.base, expr.default
    if isinstance(value, str):
        return emitter.resource("String", "Data.readText(data)", text_bytes(value))
    if base is BasicType.BOOLEAN:
        return boolean_literal(bool(value))
    if base in (BasicType.FLOAT, BasicType.DOUBLE):
        return f"({base}) {double_literal(value)}"
    return emitter.resource(str(base), f"({base}) data.readLong()", int(value).to_bytes(8, "big", signed=True))


@implements(p.MapEntry)
def _map_entry(emitter: Emitter, expr: p.MapEntry) -> None:
    x, key = emitter.present(expr.x), emitter.present(expr.key)
    emitter.place(expr)
    default = _default(emitter, expr)
    found = emitter.variable("x", "Object")
    emitter.line(f"{found} = {x}.get({key});")
    absent = f"{found} == null && !{x}.containsKey({key})"
    java = java_type(expr.type)
    if java not in BOXES:
        emitter.define(expr, f"{absent} ? {default} : ({java}) {found}")
        return
    here = emitter.variable("h", "boolean")
    emitter.line(f"{here} = !({absent});")
    emitter.line(f"if ({here} && {found} == null) throw Failures.missingMapValue();")
    emitter.define(expr, f"{here} ? {unboxed(found, java)} : {default}")


@implements(p.Coalesce)
def _coalesce(emitter: Emitter, expr: p.Coalesce) -> None:
    missing = emitter.variable("n", "boolean")
    emitter.line(f"{missing} = true;")
    emitter.define(expr, "0.0", missing)
    for x in expr.xs:
        null = emitter.null(x)
        there = missing if null is None else f"{missing} && !({null})"
        emitter.line(f"if ({there}) {{ {emitter.value(expr)} = {emitter.value(x)}; {missing} = false; }}")


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
