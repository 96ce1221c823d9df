"""Records the answers of a model as a contract."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from leapstream.bundle.frame import LeapFrame
from leapstream.bundle.types import Schema
from leapstream.bundle.writer import write_bundle
from leapstream.contract.answers import Answers, answers
from leapstream.contract.case import Contract
from leapstream.contract.tolerance import Tolerance
from leapstream.errors import BundleError, SchemaError
from leapstream.model import Backend, Model


def record(
    model: Model,
    frame: LeapFrame,
    folder: Path,
    *,
    backend: Backend = "vectorized",
    tolerance: Tolerance | None = None,
    expected: LeapFrame | None = None,
) -> Contract:
    """Record the answers of a model as a contract.

    Args:
        model: the model; its bundle goes into the folder.
        frame: the input.
        folder: the folder; a contract that is there is replaced.
        backend: the executor that runs the model.
        tolerance: the allowed differences of later runs; by default those of the model's ops, and 1e-6 relative and 1e-9 absolute
            with ``expected``.
        expected: the results to record, a row for each row of ``frame``, such as those of the library that trained the model;
            by default the model's own.

    Raises:
        SchemaError: the frame does not fit the model, or the expected rows or columns are not those of frame and model.
        BundleError: the folder cannot be written.
    """
    if expected is None:
        found = answers(lambda part: model.transform(part, backend=backend), frame)
    else:
        found = _given(model, frame, expected)
        tolerance = tolerance or _OF_LIBRARIES
    rows = range(len(frame.rows))
    kept = [i for i in rows if i in found.rows]
    results = LeapFrame(
        Schema((*frame.schema.fields, *found.schema.fields)), [(*frame.rows[i], *found.rows[i]) for i in kept]
    )
    ops = sorted({node.op.op for node in model.nodes})
    allowed = tolerance or Tolerance.of(ops)
    info = {
        "ops": ops,
        "format": model.definition.format,
        "container": "zip",
        "outputs": list(found.schema.names),
        "rows_in": len(frame.rows),
        "rows_out": len(kept),
        "error_rows": [{"row": row, "error": reason} for row, reason in sorted(found.errors.items())],
        "dropped_rows": [i for i in rows if i not in found.rows and i not in found.errors],
        "tolerance": {"relative": allowed.relative, "absolute": allowed.absolute},
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for stale in ("bundle", "bundle.zip", "input.json", "input.leap", "expected.json", "expected.leap"):
            path = folder / stale
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        (folder / "case.json").write_text(json.dumps(info, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise BundleError(f"{folder}: cannot be written: {error.strerror or error}") from error
    write_bundle(model.definition, folder / "bundle.zip")
    _write_frame(frame, folder, "input")
    _write_frame(results, folder, "expected")
    return Contract(folder)


_OF_LIBRARIES = Tolerance(1e-6, 1e-9)


def _given(model: Model, frame: LeapFrame, expected: LeapFrame) -> Answers:
    """The expected results as a model's answers; other columns than the model's are left out."""
    known = {*model.schema.outputs.names, *model.schema.intermediate.names}
    fields = [field for field in expected.schema if field.name in known]
    if not fields:
        raise SchemaError(
            f"the expected columns are {', '.join(expected.schema.names)}, none of which the model {model.name!r} has: "
            f"{', '.join(model.schema.outputs.names)}"
        )
    if len(expected.rows) != len(frame.rows):
        raise SchemaError(f"there are {len(expected.rows)} expected rows, and {len(frame.rows)} rows of input")
    places = [expected.schema.names.index(field.name) for field in fields]
    rows = {i: tuple(row[place] for place in places) for i, row in enumerate(expected.rows)}
    return Answers(Schema(tuple(fields)), rows, {})


def _write_frame(frame: LeapFrame, folder: Path, name: str) -> None:
    """Write a frame: in JSON, which people can read, where that loses nothing."""
    lossless = LeapFrame.from_bytes(frame.to_bytes("json")) == frame
    frame.write(folder / (f"{name}.json" if lossless else f"{name}.leap"))
