"""Runs plans on single records."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from leapstream.bundle.tensor import NUMPY_DTYPES, Tensor
from leapstream.bundle.types import DataType, TensorType
from leapstream.executors.contract import DROPPED, KEPT, Failure, Outcome, PreparedPlan
from leapstream.executors.implementing import collected, collected_lowerings
from leapstream.executors.rowwise.arrays import by_arrays
from leapstream.executors.rowwise.runtime import UnusualRecordError
from leapstream.executors.rowwise.writer import TooLongError, Writer
from leapstream.plan.graph import Plan
from leapstream.plan.rewrites import lower

if TYPE_CHECKING:
    from leapstream.executors.columns import Column

PRIMITIVES = collected("leapstream.executors.rowwise")
"""The implementation of each primitive; its function takes the writer of the plan's Python function, and the expression."""

RecordFunction = Callable[[Mapping[str, Any]], dict[str, Any] | None]

_PATIENCE = 3e7
"""Nanoseconds that compiled kernels have to save before a process imports numba for them, which takes several times as long."""

LOWERED = collected_lowerings("leapstream.executors.rowwise")
"""The rewrite of each primitive that is computed by others."""


class RecordPlan:
    """A plan as a Python function of one record. Safe to use from several threads.

    The function handles records whose columns have the declared types and that compute without an exception. For anything else
    it raises an exception, and the default executor has to compute the record.

    Attributes:
        plan: the plan.
        function: the function, or one that replaces it by a faster one.
    """

    def __init__(self, plan: Plan, whole: Callable[[Plan], PreparedPlan], kernels: bool | None = None) -> None:
        """Make the function.

        Args:
            plan: the plan.
            whole: prepares plans for the executor of batches, which computes rare primitives and unusual records.
            kernels: true to call compiled kernels from the first record on, false to wait until that saves time; by default true
                if numba is imported.

        Raises:
            TooLongError: the plan has a vector that is too long for a list.
        """
        self.plan = plan
        self._prepare_whole = whole
        self._lowered = lower(plan, LOWERED)
        self._layouts: dict[int, Any] = {}
        self.function = self._write(sys.modules.get("numba") is not None if kernels is None else kernels)

    def _write(self, kernels: bool) -> RecordFunction:
        """The function; without ``kernels`` it is replaced by one with them, once these would have saved enough time."""
        writer = Writer(self._lowered, self._prepare_whole, self._layouts, kernels)
        function = writer.write(PRIMITIVES, by_arrays)
        if writer.saved_by_kernels == 0.0 or find_spec("numba") is None:
            return function
        left = _PATIENCE / writer.saved_by_kernels

        def run(record: Mapping[str, Any]) -> dict[str, Any] | None:
            nonlocal left
            left -= 1
            if left < 0:
                self.function = self._write(kernels=True)
                return self.function(record)
            return function(record)

        return run

    def costs(self, record: Mapping[str, Any], kernels: bool, calls: int) -> dict[str, float]:
        """The seconds that each node takes of a record; of those that are computed together, the last one has them all.

        Raises:
            UnusualRecordError: the default executor has to compute the record.
        """
        writer = Writer(self._lowered, self._prepare_whole, self._layouts, kernels)
        least: dict[str, float] = {}
        try:
            function = writer.write(PRIMITIVES, by_arrays, timed=True)
            for _ in range(calls):
                writer.seconds.clear()
                function(record)
                for node, seconds in writer.seconds.items():
                    least[node] = min(seconds, least.get(node, seconds))
        except Exception as error:
            raise UnusualRecordError from error
        return least

    def run_record(self, record: Mapping[str, Any]) -> dict[str, Any] | None:
        """The outputs of a record, a vector as a list; ``None`` where the model drops it.

        Raises:
            UnusualRecordError: the default executor has to compute the record.
        """
        try:
            return self.function(record)
        except Exception as error:  # the default executor has the reason
            raise UnusualRecordError from error

    def run(self, columns: Mapping[str, Column], rows: int, threads: int = 1) -> Outcome[list[Any]]:
        """Compute row by row; the default executor computes the unusual rows."""
        given = {f.name: _record_values(columns[f.name], f.type) for f in self.plan.inputs}
        results: dict[str, list[Any]] = {name: [None] * rows for name, _ in self.plan.outputs}
        states = np.full(rows, KEPT, dtype=np.int32)
        unusual: list[int] = []
        for row in range(rows):
            try:
                found = self.run_record({name: values[row] for name, values in given.items()})
            except UnusualRecordError:
                unusual.append(row)
                continue
            if found is None:
                states[row] = DROPPED
                continue
            for (name, expr), value in zip(self.plan.outputs, found.values(), strict=True):
                results[name][row] = _leap_value(value, expr.type)
        failures = self._run_unusual(columns, np.array(unusual, dtype=np.intp), results, states) if unusual else []
        return Outcome(results, states, failures, self.plan.name)

    @cached_property
    def _whole(self) -> PreparedPlan:
        return self._prepare_whole(self.plan)

    def _run_unusual(
        self, columns: Mapping[str, Column], rows: Any, results: dict[str, list[Any]], states: Any
    ) -> list[Failure]:
        from leapstream.executors.columns import leap_values

        outcome = self._whole.run({name: column.take(rows) for name, column in columns.items()}, len(rows))
        states[rows] = outcome.states
        for name, expr in self.plan.outputs:
            for row, value in zip(rows, leap_values(outcome.columns[name], expr.type), strict=True):
                results[name][row] = value
        places = {int(row): place for place, row in enumerate(rows)}
        return [(origin, _moved(reason, places)) for origin, reason in outcome.failures]


def _record_values(column: Column, data_type: DataType) -> list[Any]:
    """The values of a column as a caller gives them in records: tensors as lists; sparse and empty ones are unusual."""
    from leapstream.executors.columns import to_python

    values = to_python(column, data_type, keep_stored=True)
    return [v.to_dense().tolist() if isinstance(v, Tensor) and _is_plain(v) else v for v in values]


def _is_plain(x: Tensor) -> bool:
    return x.indices is None and (len(x.dimensions) == 1 or x.size > 0) and x.dimensions != ()


def _moved(reason: Callable[[int], str], places: Mapping[int, int]) -> Callable[[int], str]:
    return lambda row: reason(places[row])


def _leap_value(value: Any, data_type: DataType) -> Any:
    if value is None or not isinstance(data_type, TensorType):
        return value
    return Tensor.dense(np.array(value, dtype=NUMPY_DTYPES[data_type.base]), data_type.base)


__all__ = ["PRIMITIVES", "RecordPlan", "TooLongError", "UnusualRecordError"]
