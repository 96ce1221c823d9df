"""Turns a plan into a Java class: one function per primitive, statements in the plan's order.

Numbers are Java's primitive types, with a boolean beside them where they may be missing; vectors live in buffers that the class
owns; arrays of parameters are read from a resource when the class is opened, so that the code does not grow with them.
"""

from __future__ import annotations

from leapstream.jvm.emitter import (
    categories,
    classes,
    external,
    functions,
    linear,
    numbers,
    text,
    trees,
    values,
    vectors,
    xgboost,
)
from leapstream.jvm.emitter.base import Emit, Emitter, JavaField, JavaModel
from leapstream.jvm.emitter.code import LETTERS, java_type
from leapstream.plan.plan import Plan
from leapstream.plan.primitives import Expr

PRIMITIVES: dict[type[Expr], Emit] = {
    primitive: emit
    for family in (values, categories, vectors, linear, functions, trees, text, numbers, classes, xgboost, external)
    for primitive, emit in family.PRIMITIVES.items()
}
"""The function of each primitive: takes the emitter and the expression."""


def emit(plan: Plan, class_name: str) -> JavaModel:
    """The Java class of a plan.

    Args:
        plan: what the class computes.
        class_name: fully qualified name that it gets.

    Raises:
        BackendError: the plan has a primitive that the table :data:`PRIMITIVES` lacks.
    """
    return Emitter(plan, PRIMITIVES).emit(class_name)


__all__ = ["LETTERS", "PRIMITIVES", "JavaField", "JavaModel", "emit", "java_type"]
