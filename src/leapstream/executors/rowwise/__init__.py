"""Runs plans on single records with plain Python numbers, where arrays would cost more than the arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from leapstream.errors import UnsupportedModelError
from leapstream.executors.contract import PreparedPlan, lacking, unimplemented
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
        try:
            self.prepare(plan)
        except UnsupportedModelError as error:
            return error.missing
        return ()

    def prepare(self, plan: Plan) -> RecordPlan:
        from leapstream.executors.rowwise.executor import LOWERED, PRIMITIVES, RecordPlan, TooLongError

        missing = unimplemented(lower(plan, LOWERED), PRIMITIVES)
        if missing:
            raise lacking(self.name, plan, missing)
        try:
            return RecordPlan(plan, _whole())
        except TooLongError as error:
            raise lacking(self.name, plan, (str(error),)) from None


@cache
def _whole() -> Callable[[Plan], PreparedPlan]:
    """Prepares plans for the default executor, once each."""
    from leapstream.executors.registry import DEFAULT, executor

    return executor(DEFAULT).prepare


EXECUTOR = Rowwise()
