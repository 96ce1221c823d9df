"""The executor of single records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leapstream.plan.plan import Plan
from leapstream.plan.primitives import Expr
from leapstream.rowwise import trees, values, vectors
from leapstream.rowwise.runtime import UnusualRecordError
from leapstream.rowwise.writer import ArraysOnlyError, Write, Writer

PRIMITIVES: dict[type[Expr], Write] = {
    primitive: write for family in (values, vectors, trees) for primitive, write in family.PRIMITIVES.items()
}
"""The function of each primitive that records alone are computed by; the others are left to the vectorized executor."""


class RowExecutor:
    """Runs one plan on single records, by a Python function made for it. Safe to use from several threads.

    It computes what is usual. Whatever is not (a column missing or of another type, a row that fails, an infinity on the way)
    raises :class:`UnusualRecordError`, and the vectorized executor gives the answer or the error.
    """

    def __init__(self, plan: Plan) -> None:
        """Make the function.

        Raises:
            ArraysOnlyError: the plan has something that is only computed by arrays.
        """
        self.plan = plan
        self._function = Writer(plan).write(PRIMITIVES)

    def run(self, record: Mapping[str, Any]) -> dict[str, Any] | None:
        """The outputs of a record, a vector as a list; ``None`` where the model drops it.

        Raises:
            UnusualRecordError: the record is to be computed by the vectorized executor.
        """
        try:
            return self._function(record)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise UnusualRecordError from error


__all__ = ["PRIMITIVES", "ArraysOnlyError", "RowExecutor", "UnusualRecordError"]
