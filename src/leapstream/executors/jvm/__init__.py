"""Runs plans in a Java virtual machine: generated classes over hand-written kernels, compiled by Flink's Janino."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from leapstream.executors.contract import require, unimplemented
from leapstream.plan.graph import Plan
from leapstream.plan.rewrites import lower

if TYPE_CHECKING:
    from leapstream.executors.jvm.executor import JvmPlan


class Jvm:
    """The executor in Java: the same classes that run inside of Flink's jobs."""

    name = "jvm"
    summary = "a Java class per model, in Flink's JVM"
    extra = "flink"

    def unavailable(self) -> str | None:
        if importlib.util.find_spec("pyflink") is None:
            return "it needs the flink extra: pip install 'leapstream[flink]'"
        return None

    def missing(self, plan: Plan) -> tuple[str, ...]:
        from leapstream.executors.jvm.emitter import LOWERED, PRIMITIVES

        return unimplemented(lower(plan, LOWERED), PRIMITIVES)

    def prepare(self, plan: Plan) -> JvmPlan:
        from leapstream.executors.jvm.executor import JvmPlan

        require(self, plan)
        return JvmPlan(plan)


EXECUTOR = Jvm()

__all__ = ["EXECUTOR", "Jvm"]
