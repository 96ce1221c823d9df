"""``leapstream verify`` and ``leapstream record``: models compared with recorded frames."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
from rich.text import Text

import leapstream
from leapstream.bundle.frame import LeapFrame
from leapstream.bundle.limits import Limits
from leapstream.bundle.types import Schema
from leapstream.cli.console import out, print_json
from leapstream.cli.samples import array_of_sample
from leapstream.cli.savedmodels import Options, library_results
from leapstream.contract import ColumnReport, Report, Tolerance, record, verify_folder, verify_frames
from leapstream.errors import BundleError
from leapstream.fetching.options import SourceOptions
from leapstream.fetching.remote import Remote
from leapstream.fetching.saving import local_copy
from leapstream.fetching.uri import local_path
from leapstream.frames.files import format_of, open_reader
from leapstream.frames.leap import arrow_of, leap_of
from leapstream.frames.leaptypes import arrow_type_of
from leapstream.model import Backend, Model

Result = tuple[str, str, Report]
"""Name of a contract, backend, and the result of its verification."""


def _tolerance(relative: float | None, absolute: float | None) -> Tolerance | None:
    """The tolerance that is given, with defaults for the half that is not."""
    if relative is None and absolute is None:
        return None
    default = Tolerance()
    return Tolerance(
        default.relative if relative is None else relative, default.absolute if absolute is None else absolute
    )


def verify(
    paths: Sequence[str],
    backends: Sequence[str],
    relative: float | None,
    absolute: float | None,
    limits: Limits | None = None,
    *,
    intermediate: bool = False,
    required: float = 1.0,
) -> Iterator[Result]:
    """Verify a folder of contracts, or a bundle with an input and an expected frame.

    ``intermediate`` and ``required`` are those of :meth:`leapstream.contract.Contract.verify`.

    Raises:
        LeapstreamError: there is nothing to verify, or it cannot be read.
    """
    tolerance = _tolerance(relative, absolute)
    chosen = cast("list[Backend]", list(backends))
    if len(paths) == 1:
        folder = Path(paths[0])
        if not folder.is_dir():
            raise BundleError(f"{folder}: no such folder; give a folder of contracts, or a bundle and two frames")
        found = verify_folder(folder, chosen, tolerance, limits=limits, intermediate=intermediate, required=required)
        for contract, backend, report in found:
            yield str(contract.path.relative_to(folder)), backend, report
        return
    bundle, given, expected = paths
    model = leapstream.load(bundle, limits=limits)
    given_frame, expected_frame = (LeapFrame.read(path, limits=limits) for path in (given, expected))
    for backend in chosen:
        report = verify_frames(
            model, given_frame, expected_frame, backend, tolerance, intermediate=intermediate, required=required
        )
        yield model.name, backend, report


_LABELS = {"agree": ("ok    ", "green"), "differ": ("DIFFER", "red"), "lacking": ("LACKS ", "yellow")}


def show(results: Iterator[Result], *, as_json: bool) -> bool:
    """Print the results of a verification.

    Returns:
        whether nothing differs.
    """
    if as_json:
        found = list(results)
        print_json([_as_json(*result) for result in found])
        return all(report.outcome != "differ" for _, _, report in found)
    console = out()
    counts = Counter[str]()
    for name, backend, report in results:
        counts[report.outcome] += 1
        rows = "" if report.lacking else f": {report.agreeing} of {report.rows} rows agree"
        console.print(Text(*_LABELS[report.outcome]).append(f"  {backend:10}  {name}{rows}", "default"), soft_wrap=True)
        for column in report.columns:
            console.print(f"          {column.name}: {column.values} values, {_difference(column)}", soft_wrap=True)
        for reason in report.reasons:
            console.print(Text(f"          {reason}", "red"), soft_wrap=True)
        if report.lacking:
            console.print(f"          {backend} lacks {', '.join(report.lacking)}", soft_wrap=True)
    lacking = f", {counts['lacking']} lacking" if counts["lacking"] else ""
    console.print(f"{counts['agree']} agree, {counts['differ']} differ{lacking}")
    return counts["differ"] == 0


def _difference(column: ColumnReport) -> str:
    if column.absolute > 0:
        return f"worst {column.absolute:.3g}, relative {column.relative:.3g}"
    # Texts and sizes differ by no number.
    return "equal" if column.problem is None else "different"


def _as_json(name: str, backend: str, report: Report) -> dict[str, Any]:
    return {
        "contract": name,
        "backend": backend,
        "outcome": report.outcome,
        "ok": report.ok,
        "problems": [*report.failures.values(), *report.problems],
        "lacking": list(report.lacking),
        "rows": report.rows,
        "agreeing": report.agreeing,
        "columns": [{**asdict(column), "differing": sorted(column.differing)} for column in report.columns],
    }


def is_contract(folder: str) -> bool:
    """True if there is a contract in a folder or at the URI of one."""
    local = local_path(folder)
    if local is not None:
        return (local / "case.json").is_file()
    return "case.json" in Remote(folder, SourceOptions()).names()


def record_file(
    bundle: str,
    source: str,
    folder: str,
    *,
    input_format: str | None,
    backend: str,
    relative: float | None,
    absolute: float | None,
    limits: Limits | None = None,
    expected: str | None = None,
    library: Path | None = None,
    options: Options | None = None,
) -> tuple[int, int]:
    """Record a contract from a file of records.

    Args:
        bundle: the model.
        source: the file of records.
        folder: the contract, a path or the URI of a remote store.
        input_format: format of ``source``, if its suffix does not tell.
        backend: the executor that answers, unless the results are given.
        relative, absolute: the tolerance that the contract asks for.
        limits: limits on the size of the files.
        expected: a file of the results to record.
        library: a saved model of a library whose results are recorded.
        options: what is trusted in ``library``.

    Returns:
        number of records, and of those that fail.

    Raises:
        LeapstreamError: the file cannot be read, or does not fit the model.
    """
    model = leapstream.load(bundle, limits=limits)
    inputs = model.schema.inputs
    frame = _read(source, format_of(source, input_format, "--input-format"), inputs, limits)
    results = None
    if expected is not None:
        outputs = Schema((*model.schema.intermediate, *model.schema.outputs))
        results = _read(expected, format_of(expected, None, "a suffix"), outputs, limits)
    elif library is not None:
        results = _predicted(library, options or Options(), model, arrow_of(frame))
    tolerance = _tolerance(relative, absolute)
    with local_copy(folder) as path:
        contract = record(model, frame, Path(path), backend=backend, tolerance=tolerance, expected=results)
        failing = contract.info["error_rows"]
    return len(frame.rows), len(failing)


def _read(path: str, format: str, schema: Schema, limits: Limits | None) -> LeapFrame:
    """The records of a file as one leap frame."""
    chunks = open_reader(path, format, schema, 65536, limits).chunks()
    frames = [chunk.batch if isinstance(chunk.batch, LeapFrame) else leap_of(chunk.batch, schema) for chunk in chunks]
    return LeapFrame(frames[0].schema, [row for part in frames for row in part.rows])


def _predicted(path: Path, options: Options, model: Model, records: pa.Table) -> LeapFrame:
    """The results of a saved model's library for some records."""
    rows = {name: array_of_sample(str(path), name, records[name]) for name in records.column_names}
    found = library_results(path, options, model, rows)
    outputs = Schema((*model.schema.intermediate, *model.schema.outputs))
    values = {name: np.asarray(column).tolist() for name, column in found.items()}
    kinds = {name: arrow_type_of(outputs[name].type) for name in values}
    return leap_of(pa.table({name: pa.array(column, kinds[name]) for name, column in values.items()}), outputs)
