"""Runs a plan over a batch with NumPy, Arrow and numba: one function per primitive."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from leapstream.bundle.types import BasicType, DataType, ScalarType, TensorType
from leapstream.executors import failures
from leapstream.executors.columns import WIDE, Column, coded, joined, leap_values, places_of
from leapstream.executors.contract import Failure, Outcome
from leapstream.executors.implementing import Implementation, collected, collected_lowerings
from leapstream.executors.vectorized.run import DistinctRun, Indices, Run, StoredUnknownError, UnequalSizesError, moved
from leapstream.memory import keep_freed_memory
from leapstream.plan.graph import Expr, Plan
from leapstream.plan.primitives import Input
from leapstream.plan.rewrites import lower
from leapstream.plan.sizes import declared_size, require_size
from leapstream.threads import in_threads

PRIMITIVES = collected("leapstream.executors.vectorized")
"""The implementation of each primitive; its function takes the run, the expression and the columns of its operands."""

LOWERED = collected_lowerings("leapstream.executors.vectorized")
"""The rewrite of each primitive that is computed by others."""

MOST_ELEMENTS_OF_BATCH = 1 << 26
"""The elements of dense columns that are made at once: 512 MiB of doubles."""

FEWEST_ROWS_OF_PIECE = 4096
"""Fewer rows are not worth a thread."""
LEAST_SECONDS = 0.005
"""A batch that takes less CPU time is not worth threads, which take one or two milliseconds."""
_SECONDS_OF_PIECE = 0.01
"""The CPU time of a piece, to which its own steps add little."""
_PIECES_OF_A_THREAD = 4
"""Most pieces that a thread gets of a large batch, one after the other, so that no thread waits long for another."""


class VectorizedPlan:
    """A plan with what its primitives prepare once. Safe to use from several threads."""

    def __init__(self, plan: Plan) -> None:
        keep_freed_memory()
        self.plan = plan = lower(plan, LOWERED)
        steps = [(expr, PRIMITIVES[type(expr)]) for expr in plan.order]
        require_size(plan, self._widths)
        self._seconds_of_row = math.inf
        with np.errstate(all="ignore"):
            self._prepared = {id(expr): step.prepare(expr) for expr, step in steps if step.prepare is not None}
        self._nested = {id(expr): tuple(map(VectorizedPlan, expr.nested)) for expr, _ in steps if expr.nested}

    @cached_property
    def tracks_stored(self) -> bool:
        """True if the result of some primitive depends on which elements of a vector are stored."""
        return any(expr.needs_stored for expr in self.plan.order)

    @cached_property
    def rows_at_once(self) -> int:
        """The number of rows whose dense columns fit into the memory limit of a batch; sparse vectors count as short ones."""
        return max(1, MOST_ELEMENTS_OF_BATCH // max(sum(self._widths.values()), 1))

    @cached_property
    def _widths(self) -> dict[int, int]:
        """The elements per row that an expression makes, and makes dense, by the identity of the expression."""
        widths: dict[int, int] = {}
        for expr in self.plan.order:
            size = declared_size(expr)
            if PRIMITIVES[type(expr)].sparse:
                widths[id(expr)] = min(size, WIDE)
            else:
                widths[id(expr)] = size + sum(n for n in map(declared_size, expr.operands) if n >= WIDE)
        return widths

    def run(self, columns: Mapping[str, Column], rows: int, threads: int = 1) -> Outcome[Any]:
        """Compute the outputs.

        Args:
            columns: the plan's inputs; the tensors of one column have equal dimensions.
            rows: number of rows.
            threads: number of threads that may compute pieces of a large batch.
        """
        seconds = rows * self._seconds_of_row
        if seconds < LEAST_SECONDS:
            threads = 1
        limit = max(1, self.rows_at_once // threads)
        if threads > 1:
            each = max(1, int(min(_PIECES_OF_A_THREAD, seconds / threads / _SECONDS_OF_PIECE)))
            limit = min(limit, max(FEWEST_ROWS_OF_PIECE, -(-rows // (each * threads))))
        if rows <= limit:
            return self._timed(columns, rows, self.tracks_stored)
        pieces = [range(start, min(start + limit, rows)) for start in range(0, rows, limit)]
        return self._run_apart(columns, pieces, self.tracks_stored, threads)

    def _timed(self, columns: Mapping[str, Column], rows: int, tracks_stored: bool) -> Outcome[Any]:
        """Run, and remember how long a row takes."""
        start = time.thread_time()
        found = self._run(columns, rows, tracks_stored)
        if rows >= FEWEST_ROWS_OF_PIECE:
            self._seconds_of_row = (time.thread_time() - start) / rows
        return found

    def _run(self, columns: Mapping[str, Column], rows: int, tracks_stored: bool) -> Outcome[Any]:
        try:
            return self._run_once(columns, rows, tracks_stored)
        except StoredUnknownError:
            return self._run(columns, rows, True)
        except UnequalSizesError as error:
            return self._run_apart(columns, error.groups, tracks_stored)

    def _run_apart(
        self, columns: Mapping[str, Column], groups: Sequence[Indices | range], tracks_stored: bool, threads: int = 1
    ) -> Outcome[Any]:
        """Run groups of rows by themselves; each of them rises."""

        def run(rows: Indices | range) -> Outcome[Any]:
            return self._timed({name: column.take(rows) for name, column in columns.items()}, len(rows), tracks_stored)

        parts = in_threads(run, groups, threads)
        failures: list[Failure] = []
        states = np.empty(sum(map(len, groups)), dtype=np.int32)
        for part, rows in zip(parts, groups, strict=True):
            moved_states = (
                np.where(part.states >= 0, part.states + len(failures), part.states) if failures else part.states
            )
            states[places_of(rows)] = moved_states
            failures.extend((origin, moved(reason, rows)) for origin, reason in part.failures)
        results = {
            name: _together([part.columns[name] for part in parts], groups, expr.type)
            for name, expr in self.plan.outputs
        }
        return Outcome(results, states, failures, self.plan.name)

    def _run_once(self, columns: Mapping[str, Column], rows: int, tracks_stored: bool) -> Outcome[Any]:
        whole = Run(self._prepared, self._nested, tracks_stored, columns, rows)
        apart = self._distinct_runs(whole)
        results: dict[int, Column] = {}
        spread: dict[int, Column] = {}

        def for_all_rows(x: Expr) -> Column:
            part = apart.get(self._sources.get(id(x)))
            if part is None:
                return results[id(x)]
            if id(x) not in spread:
                spread[id(x)] = columns[x.name] if isinstance(x, Input) else results[id(x)].take(part.codes)
            return spread[id(x)]

        with np.errstate(all="ignore"):
            for expr, step, finished in self._schedule:
                part = apart.get(self._sources.get(id(expr)))
                run = whole if part is None else part
                whole.expr = run.expr = expr
                operands = [for_all_rows(x) if part is None else results[id(x)] for x in expr.operands]
                if not expr.takes_tensors:
                    pairs = zip(operands, expr.operands, strict=True)
                    operands = [_vector(run, x) if isinstance(given.type, TensorType) else x for x, given in pairs]
                if not step.sparse:
                    operands = [x.to_dense(run.tracks_stored) for x in operands]
                try:
                    results[id(expr)] = step.function(run, expr, *operands)
                except UnequalSizesError as error:
                    if part is not None:
                        error.groups = part.rows_of(error.groups)
                    raise
                for key in finished:
                    del results[key]
                    spread.pop(key, None)
        outputs = {name: for_all_rows(expr) for name, expr in self.plan.outputs}
        return Outcome(outputs, whole.states, whole.failures, self.plan.name)

    def _distinct_runs(self, whole: Run) -> dict[str | None, DistinctRun]:
        """By name of a column of strings with few distinct ones: the run of the expressions that depend on it alone."""
        found: dict[str | None, DistinctRun] = {}
        for name in dict.fromkeys(self._sources.values()):
            column = coded(whole.columns[name])
            if column is not None:
                distinct = column.distinct
                found[name] = DistinctRun(whole, column.codes, {name: Column(distinct)}, len(distinct))
        return found

    @cached_property
    def _sources(self) -> dict[int, str]:
        """By identity, the expressions that depend on one column of strings alone, and the column's name."""
        found: dict[int, str] = {}
        computed: set[str] = set()
        for expr in self.plan.order:
            if isinstance(expr, Input) and isinstance(expr.type, ScalarType) and expr.type.base is BasicType.STRING:
                found[id(expr)] = expr.name
            names = {found.get(id(x)) for x in expr.operands}
            name = names.pop() if len(names) == 1 and not expr.nested else None
            if name is not None:
                found[id(expr)] = name
                computed.add(name)
        return {key: name for key, name in found.items() if name in computed}

    @cached_property
    def _schedule(self) -> list[tuple[Expr, Implementation, list[int]]]:
        """The expressions, each with its implementation and the results that nothing reads any more after it."""
        last = {id(x): expr for expr in self.plan.order for x in expr.operands}
        wanted = {id(expr) for _, expr in self.plan.outputs}
        finished: dict[int, list[int]] = {}
        for key, reader in last.items():
            if key not in wanted:
                finished.setdefault(id(reader), []).append(key)
        return [(expr, PRIMITIVES[type(expr)], finished.get(id(expr), [])) for expr in self.plan.order]


def _vector(run: Run, x: Column) -> Column:
    """A column of vectors; where it has other tensors every row fails, and what is computed of them means nothing."""
    if x.values.ndim == 2:
        return x
    run.fail(np.ones(run.rows, dtype=bool), failures.no_vector(x.values.ndim - 1))
    return Column(np.zeros((run.rows, 0)))


def _together(
    parts: Sequence[Column | list[Any]], groups: Sequence[Indices | range], data_type: DataType
) -> Column | list[Any]:
    """The results of groups of rows, in the order of the rows: a list where vectors differ in size."""
    columns = [part for part in parts if isinstance(part, Column)]
    if len(columns) == len(parts) and len({getattr(column.values, "shape", (0,))[1:] for column in columns}) == 1:
        whole = joined(columns)
        # Ranges are one after the other.
        if any(isinstance(rows, range) for rows in groups):
            return whole
        order = np.concatenate(groups)
        return whole if (order[1:] > order[:-1]).all() else whole.take(np.argsort(order))
    values: list[Any] = [None] * sum(map(len, groups))
    for part, rows in zip(parts, groups, strict=True):
        for row, value in zip(rows, leap_values(part, data_type), strict=True):
            values[row] = value
    return values
