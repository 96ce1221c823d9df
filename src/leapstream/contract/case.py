"""Contracts: folders with a bundle, recorded frames, and ``case.json``."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from leapstream.bundle.frame import LeapFrame
from leapstream.contract.answers import Answers, answers
from leapstream.contract.comparing import ColumnReport, RecordedNumbers, Report
from leapstream.contract.tolerance import Tolerance
from leapstream.errors import BundleError
from leapstream.model import Backend, Model


@dataclass(frozen=True)
class RecordedRows:
    """The rows of the input by what was recorded of them; the others are rows of the expected frame, in their order.

    Attributes:
        failing: those that fail.
        dropped: those that the model drops.
        unwritable: those whose answers no frame holds.
    """

    failing: frozenset[int]
    dropped: frozenset[int]
    unwritable: frozenset[int]

    def expected(self, count: int) -> list[int]:
        """The rows, of so many, that are in the expected frame."""
        others = self.failing | self.dropped | self.unwritable
        return [row for row in range(count) if row not in others]


@dataclass(frozen=True)
class Contract:
    """A recorded case: a folder with a bundle, frames and ``case.json``.

    Attributes:
        path: its folder.
    """

    path: Path

    @cached_property
    def info(self) -> Mapping[str, Any]:
        """The content of ``case.json``; empty without one."""
        file = self.path / "case.json"
        try:
            info = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        except (OSError, ValueError, RecursionError) as error:
            raise BundleError(f"{file}: {error}") from error
        if not isinstance(info, dict):
            raise BundleError(f"{file}: an object is expected")
        return info

    @cached_property
    def bundle(self) -> Path:
        """The path of its bundle."""
        archive = self.path / "bundle.zip"
        return archive if archive.exists() else self.path / "bundle"

    def frame(self, name: str) -> LeapFrame:
        """The ``input`` or ``expected`` frame."""
        binary = self.path / f"{name}.leap"
        return LeapFrame.read(binary if binary.exists() else self.path / f"{name}.json")

    @cached_property
    def rows(self) -> RecordedRows:
        """The rows of the input by what was recorded of them."""
        info = self.info
        return RecordedRows(
            failing=frozenset(int(e["row"]) for e in info.get("error_rows", ())),
            dropped=frozenset(int(row) for row in info.get("dropped_rows", ())),
            unwritable=frozenset(int(u["row"]) for u in info.get("unwritable_rows", ())),
        )

    @cached_property
    def unstable(self) -> frozenset[str]:
        """The columns whose values no run has to repeat."""
        return frozenset(self.info.get("unstable_outputs", ()))

    def numbers(self, row: int, column: str) -> RecordedNumbers:
        """The recorded numbers of a value for which JSON shows null."""
        return RecordedNumbers(self._nonfinite, row, column)

    @cached_property
    def _nonfinite(self) -> Mapping[tuple[int, str, int | None], float]:
        return {
            (int(n["row"]), n["column"], n["index"]): float(str(n["value"]).replace("Infinity", "inf"))
            for n in self.info.get("nonfinite", ())
        }

    @property
    def tolerance(self) -> Tolerance:
        """The tolerance that it has itself, or that of its ops."""
        given = self.info.get("tolerance")
        if given is not None:
            return Tolerance(float(given["relative"]), float(given["absolute"]))
        return Tolerance.of(self.info.get("ops", ()))

    def verify(
        self,
        model: Model,
        backend: Backend,
        tolerance: Tolerance | None = None,
        *,
        intermediate: bool = False,
        required: float = 1.0,
    ) -> Report:
        """Compare a model's answers with the recorded ones.

        Args:
            model: the model.
            backend: the executor that answers.
            tolerance: in place of the contract's own.
            intermediate: compare the columns that other nodes read, too, and not the final outputs alone.
            required: the share of the rows that has to agree.

        Raises:
            UnsupportedModelError: the backend lacks something for the model.
        """
        columns = None if intermediate else model.schema.outputs.names
        found = answers(lambda frame: model.transform(frame, backend=backend), self.frame("input"))
        return self.verify_answers(found, tolerance, columns=columns, required=required)

    def verify_answers(
        self,
        found: Answers,
        tolerance: Tolerance | None = None,
        *,
        columns: Collection[str] | None = None,
        required: float = 1.0,
    ) -> Report:
        """Compare answers with the recorded ones, whatever gave them.

        Args:
            found: the answers.
            tolerance: in place of the contract's own.
            columns: the columns to compare; ``None``, or columns of which none is recorded, for all that are recorded.
            required: the share of the rows that has to agree.
        """
        given, expected = self.frame("input"), self.frame("expected")
        failing, dropped = self.rows.failing, self.rows.dropped
        recorded = self.rows.expected(len(given.rows))
        added = [f.name for f in expected.schema if f.name not in given.schema]
        report = Report([], rows=len(given.rows), required=required)
        if len(expected.rows) != len(recorded):
            report.problems.append(f"{len(expected.rows)} rows are recorded, and {len(recorded)} are accounted for")
            return report
        for row in sorted(failing):
            if row not in found.errors:
                report.failures[row] = f"row {row} has to fail, and does not"
        for row, reason in sorted(found.errors.items()):
            if row not in failing:
                report.failures[row] = f"row {row} fails: {reason}"
        for row in sorted(dropped & found.rows.keys()):
            report.failures[row] = f"row {row} has to be dropped, and is not"
        for row in recorded:
            if row not in found.rows and row not in found.errors:
                report.failures[row] = f"row {row} is dropped, and has not to be"
        names = found.schema.names
        if columns is not None:
            added = [name for name in added if name in columns] or added
        allowed = tolerance or self.tolerance
        for name in added:
            if name in self.unstable:
                continue
            if name not in names:
                report.problems.append(f"column {name!r} is missing")
                continue
            position = names.index(name)
            column = ColumnReport(name)
            for row, theirs in zip(recorded, expected.column(name), strict=True):
                if row in found.rows:
                    column.compare(row, found.rows[row][position], theirs, allowed, self.numbers(row, name))
            report.columns.append(column)
        return report


def contracts(folder: Path) -> list[Contract]:
    """The contracts below a folder, by name; a case that only says that a bundle does not load is none.

    Raises:
        BundleError: there are none.
    """
    parents = {path.parent for pattern in ("expected.json", "expected.leap") for path in folder.rglob(pattern)}
    found = [Contract(path) for path in sorted(parents)]
    if not found:
        raise BundleError(f"{folder}: no contracts are there (folders with a bundle, an input and an expected frame)")
    return found
