"""Verifies models against contracts and frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from leapstream.bundle.frame import LeapFrame
from leapstream.bundle.limits import Limits
from leapstream.contract.answers import answers
from leapstream.contract.case import Contract, contracts
from leapstream.contract.comparing import ColumnReport, Report
from leapstream.contract.tolerance import Tolerance
from leapstream.errors import LeapstreamError, PredictionError, SchemaError, UnsupportedModelError
from leapstream.model import Backend, Model, load


def verify_frames(
    model: Model,
    given: LeapFrame,
    expected: LeapFrame,
    backend: Backend,
    tolerance: Tolerance | None = None,
    *,
    intermediate: bool = False,
    required: float = 1.0,
) -> Report:
    """Compare a model's answers with a frame of expected ones, row by row; rows that the model drops are not in it.

    The arguments are those of :meth:`leapstream.contract.Contract.verify`. If the expected frame has none of the final outputs,
    the columns that it has are compared.
    """
    try:
        found = answers(lambda frame: model.transform(frame, backend=backend), given)
    except UnsupportedModelError as error:
        return Report([], lacking=error.missing)
    failures = {row: f"row {row} fails: {reason}" for row, reason in sorted(found.errors.items())}
    report = Report([], rows=len(given.rows), failures=failures, required=required)
    kept = [found.rows[row] for row in sorted(found.rows)]
    if len(kept) != len(expected.rows):
        report.problems.append(f"the model gives {len(kept)} rows, and {len(expected.rows)} are expected")
        return report
    allowed = tolerance or Tolerance.of([node.op.op for node in model.nodes])
    names = found.schema.names
    compared = [f.name for f in expected.schema if f.name in names]
    if not compared:
        report.problems.append(f"the expected frame has none of the model's columns: {', '.join(names)}")
    if not intermediate:
        compared = [name for name in compared if name in model.schema.outputs] or compared
    for name in compared:
        column = ColumnReport(name)
        position = names.index(name)
        for row, ours, theirs in zip(sorted(found.rows), kept, expected.column(name), strict=True):
            column.compare(row, ours[position], theirs, allowed)
        report.columns.append(column)
    return report


def verify_folder(
    folder: Path,
    backends: Sequence[Backend],
    tolerance: Tolerance | None = None,
    *,
    limits: Limits | None = None,
    intermediate: bool = False,
    required: float = 1.0,
) -> Iterator[tuple[Contract, Backend, Report]]:
    """Verify every contract below a folder on some backends; see :meth:`leapstream.contract.Contract.verify`.

    Raises:
        BundleError: there are no contracts.
    """
    for contract in contracts(folder):
        for backend in backends:
            yield contract, backend, _verified(contract, backend, tolerance, limits, intermediate, required)


def _verified(
    contract: Contract,
    backend: Backend,
    tolerance: Tolerance | None,
    limits: Limits | None,
    intermediate: bool,
    required: float,
) -> Report:
    try:
        model = load(contract.bundle, limits=limits)
        return contract.verify(model, backend, tolerance, intermediate=intermediate, required=required)
    except UnsupportedModelError as error:
        return Report([], lacking=error.missing)
    except (SchemaError, PredictionError) as error:
        rows = {int(e["row"]) for e in contract.info.get("error_rows", ())}
        given = len(contract.frame("input").rows)
        return Report([] if len(rows) == given else [str(error)], rows=given)
    except LeapstreamError as error:
        return Report([str(error)])
