"""``leapstream transform``: a model over a file of records."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

import leapstream
from leapstream.bundle.frame import LeapFrame
from leapstream.bundle.limits import Limits
from leapstream.cli.console import err
from leapstream.cli.writing import open_writer
from leapstream.errors import OnError, PredictionError
from leapstream.fetching.saving import local_copy
from leapstream.frames.files import LEAP_FORMATS, Batch, format_of, open_reader
from leapstream.frames.leap import arrow_tables, leap_of
from leapstream.model import Backend


def transform_file(
    bundle: str,
    source: str,
    target: str,
    *,
    input_format: str | None,
    output_format: str | None,
    backend: Backend,
    outputs: Sequence[str] | None,
    everything: bool = False,
    on_error: OnError,
    batch_size: int,
    threads: int | None = None,
    limits: Limits | None = None,
) -> tuple[int, int]:
    """Write a file of records with the columns that a model adds; the target is written all or nothing.

    ``outputs`` are the final outputs by default, and with ``everything`` all columns that the nodes add.

    Returns:
        number of records read and written.

    Raises:
        LeapstreamError: a file cannot be read or written, or a record fails; the message names the record.
    """
    reads = format_of(source, input_format, "--input-format")
    writes = format_of(target, output_format, "--output-format")
    model = leapstream.load(bundle, limits=limits)
    if outputs is None and not everything:
        outputs = model.schema.outputs.names
    reader = open_reader(source, reads, model.schema.inputs, batch_size, limits)
    read = written = 0
    start = time.perf_counter()
    rate = TextColumn("{task.fields[rate]:,.0f} records/s")
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), rate, TimeRemainingColumn())
    console = err()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("transform", total=None, rate=0.0)
        with local_copy(target) as path, open_writer(os.fspath(path), writes) as writer:
            for chunk in reader.chunks():
                batch = chunk.batch
                rows = len(batch)
                if writes in LEAP_FORMATS and not isinstance(batch, LeapFrame):
                    batch = leap_of(batch, model.schema.inputs)
                try:
                    result: Batch = model.transform(
                        batch, backend=backend, outputs=outputs, on_error=on_error, threads=threads
                    )
                except PredictionError as error:
                    raise _at(error, read) from error
                if writes not in LEAP_FORMATS and isinstance(result, LeapFrame):
                    for table in arrow_tables(result):
                        writer.write(table)
                else:
                    writer.write(result)
                read += rows
                written += len(result)
                passed = max(time.perf_counter() - start, 1e-9)
                progress.update(task, total=reader.total, completed=chunk.done, rate=read / passed)
    return read, written


def _at(error: PredictionError, before: int) -> PredictionError:
    """The error with the record's position in the file instead of in its batch."""
    return error.at_row(None if error.row is None else error.row + before)
