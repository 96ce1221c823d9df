"""Runs plans on single records with plain Python numbers, where arrays would cost more than the arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from leapstream.executors.contract import PreparedPlan, require, unimplemented
from leapstream.plan.graph import Plan
from leapstream.plan.rewrites import lower

if TYPE_CHECKING:
    from leapstream.executors.rowwise.executor import RecordPlan


class Rowwise:
    """The executor of single records. It only saves time: it leaves unusual records to the default executor."""

    name = "rowwise"
    summary = "a Python function per model, for single records"
    extra = None

    def unavailable(self) -> str | None:
        return None

    def missing(self, plan: Plan) -> tuple[str, ...]:
        from leapstream.executors.rowwise.executor import LOWERED, PRIMITIVES, RecordPlan, TooLongError

        missing = unimplemented(lower(plan, LOWERED), PRIMITIVES)
        if missing:
            return missing
        try:
            RecordPlan(plan, _whole())
        except TooLongError as error:
            return (str(error),)
        return ()

    def prepare(self, plan: Plan) -> RecordPlan:
        from leapstream.executors.rowwise.executor import RecordPlan

        require(self, plan)
        return RecordPlan(plan, _whole())


@cache
def _whole() -> Callable[[Plan], PreparedPlan]:
    """Prepares plans for the default executor, once each."""
    from leapstream.executors.registry import DEFAULT, executor

    return executor(DEFAULT).prepare


EXECUTOR = Rowwise()
