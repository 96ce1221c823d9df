"""Runs plans over batches with NumPy, Arrow and numba."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leapstream.errors import MissingPackageError
from leapstream.executors.contract import require, unimplemented
from leapstream.installation import lacks_for_batches
from leapstream.plan.graph import Plan
from leapstream.plan.rewrites import lower

if TYPE_CHECKING:
    from leapstream.executors.vectorized.executor import VectorizedPlan


class Vectorized:
    """The executor over batches. It has every primitive."""

    name = "vectorized"
    summary = "NumPy, Arrow and numba over batches, in this process"
    extra = "batch"

    def unavailable(self) -> str | None:
        lacks = lacks_for_batches()
        return lacks and f"it needs {lacks}"

    def missing(self, plan: Plan) -> tuple[str, ...]:
        if self.unavailable():
            return ()
        from leapstream.executors.vectorized.executor import LOWERED, PRIMITIVES

        return unimplemented(lower(plan, LOWERED), PRIMITIVES)

    def prepare(self, plan: Plan) -> VectorizedPlan:
        if lacks := lacks_for_batches():
            raise MissingPackageError(f"model {plan.name!r} in batches needs {lacks}")
        from leapstream.executors.vectorized.executor import VectorizedPlan

        require(self, plan)
        return VectorizedPlan(plan)


EXECUTOR = Vectorized()
