"""Turns a plan into a Java class: one function per primitive, statements in the plan's order.

Numbers are Java's primitive types, with a boolean beside them where they may be missing; vectors live in buffers that the class
owns; arrays of parameters are read from a resource when the class is opened, so that the code does not grow with them.
"""

from __future__ import annotations

from leapstream.executors.contract import lacking, unimplemented
from leapstream.executors.implementing import collected, collected_lowerings
from leapstream.executors.jvm.emitter.base import Emitter, JavaField, JavaModel
from leapstream.executors.jvm.emitter.code import LETTERS, java_type
from leapstream.plan.graph import Plan
from leapstream.plan.rewrites import lower

PRIMITIVES = collected("leapstream.executors.jvm.emitter")
"""The implementation of each primitive; its function takes the emitter and the expression."""

LOWERED = collected_lowerings("leapstream.executors.jvm.emitter")
"""The rewrite of each primitive that is computed by others."""


def emit(plan: Plan, class_name: str) -> JavaModel:
    """The Java class of a plan.

    Args:
        plan: what the class computes.
        class_name: fully qualified name that it gets.

    Raises:
        BackendError: the executor lacks something for the plan.
    """
    plan = lower(plan, LOWERED)
    missing = unimplemented(plan, PRIMITIVES)
    if missing:
        raise lacking("jvm", plan, missing)
    return Emitter(plan, PRIMITIVES).emit(class_name)


__all__ = ["LETTERS", "LOWERED", "PRIMITIVES", "JavaField", "JavaModel", "emit", "java_type"]
