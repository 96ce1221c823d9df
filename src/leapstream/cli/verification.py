"""``leapstream verify`` and ``leapstream record``: models against recorded frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import cast

from rich.text import Text

import leapstream
from leapstream.bundle.frame import LeapFrame
from leapstream.cli.console import out, print_json
from leapstream.contract import Report, Tolerance, record, verify_folder, verify_frames
from leapstream.errors import BundleError
from leapstream.frames.files import format_of, open_reader
from leapstream.frames.leap import leap_of
from leapstream.model import Backend

Result = tuple[str, str, Report]
"""Name of a contract, backend, and what came of it."""


def _tolerance(relative: float | None, absolute: float | None) -> Tolerance | None:
    """The tolerance that is given, with defaults for the half that is not."""
    if relative is None and absolute is None:
        return None
    default = Tolerance()
    return Tolerance(
        default.relative if relative is None else relative, default.absolute if absolute is None else absolute
    )


def verify(
    paths: Sequence[str], backends: Sequence[str], relative: float | None, absolute: float | None
) -> Iterator[Result]:
    """Verify a folder of contracts, or a bundle with an input and an expected frame.

    Raises:
        LeapstreamError: there is nothing to verify, or it cannot be read.
    """
    tolerance = _tolerance(relative, absolute)
    chosen = cast("list[Backend]", list(backends))
    if len(paths) == 1:
        folder = Path(paths[0])
        if not folder.is_dir():
            raise BundleError(f"{folder}: no such folder; give a folder of contracts, or a bundle and two frames")
        for contract, backend, report in verify_folder(folder, chosen, tolerance):
            yield str(contract.path.relative_to(folder)), backend, report
        return
    bundle, given, expected = paths
    model = leapstream.load(bundle)
    for backend in chosen:
        report = verify_frames(model, LeapFrame.read(given), LeapFrame.read(expected), backend, tolerance)
        yield model.name, backend, report


def show(results: Iterator[Result], *, as_json: bool) -> bool:
    """Print what came of a verification; whether everything agrees."""
    if as_json:
        rows = [
            {
                "contract": name,
                "backend": backend,
                "ok": r.ok,
                "problems": r.problems,
                "columns": list(map(asdict, r.columns)),
            }
            for name, backend, r in results
        ]
        print_json(rows)
        return all(row["ok"] for row in rows)
    console = out()
    passed = failed = 0
    for name, backend, report in results:
        passed, failed = passed + report.ok, failed + (not report.ok)
        console.print(
            Text("ok    " if report.ok else "DIFFER", "green" if report.ok else "red").append(
                f"  {backend:10}  {name}", "default"
            ),
            soft_wrap=True,
        )
        for column in report.columns:
            worst = "equal" if column.absolute == 0 else f"worst {column.absolute:.3g}, relative {column.relative:.3g}"
            console.print(f"          {column.name}: {column.values} values, {worst}", soft_wrap=True)
        for reason in report.reasons:
            console.print(Text(f"          {reason}", "red"), soft_wrap=True)
    console.print(f"{passed} agree, {failed} differ")
    return failed == 0


def record_file(
    bundle: str,
    source: str,
    folder: Path,
    *,
    input_format: str | None,
    backend: str,
    relative: float | None,
    absolute: float | None,
) -> tuple[int, int]:
    """Record a contract from a file of records.

    Returns:
        number of records, and of those that the model refuses.

    Raises:
        LeapstreamError: the file cannot be read, or does not fit the model.
    """
    model = leapstream.load(bundle)
    inputs = model.schema.inputs
    frames = []
    for chunk in open_reader(source, format_of(source, input_format, "--input-format"), inputs, 65536).chunks():
        frames.append(chunk.batch if isinstance(chunk.batch, LeapFrame) else leap_of(chunk.batch, inputs))
    frame = LeapFrame(frames[0].schema, [row for part in frames for row in part.rows])
    contract = record(model, frame, folder, backend=backend, tolerance=_tolerance(relative, absolute))
    return len(frame.rows), len(contract.info["error_rows"])
