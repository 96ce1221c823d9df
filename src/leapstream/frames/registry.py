"""The kinds of frames that a model takes and gives back."""

from __future__ import annotations

from typing import Any

from leapstream.errors import LeapstreamError, SchemaError
from leapstream.frames.arrays import ArraysTable
from leapstream.frames.arrow import ArrowTable, RecordBatchTable
from leapstream.frames.contract import Table, Wanted
from leapstream.frames.given import is_class
from leapstream.frames.leap import LeapTable
from leapstream.frames.matrix import MatrixTable
from leapstream.frames.pandas import PandasTable
from leapstream.frames.polars import PolarsTable
from leapstream.frames.records import RecordsTable

KINDS: tuple[type[Table], ...] = (
    LeapTable,
    PandasTable,
    PolarsTable,
    ArrowTable,
    RecordBatchTable,
    RecordsTable,
    ArraysTable,
    MatrixTable,
)
"""The kinds; a frame is of one of them at most."""

_HINTS = {
    ("pandas", "Series"): "predict takes it as a record, like series.to_dict(); a column belongs into a DataFrame",
    ("polars", "Series"): "a column belongs into a DataFrame",
    ("builtins", "generator"): "give a list of what it yields",
}
"""Help with frames that are of none of the kinds, by package and class."""


def table_of(frame: Any, wanted: Wanted) -> Table:
    """A table from a frame of any supported kind; only the ``wanted`` columns have to be of leap types.

    Raises:
        SchemaError: the frame is of no supported kind, or a wanted column has no leap type.
    """
    for kind in KINDS:
        if kind.accepts(frame):
            try:
                return kind(frame, wanted)
            except (LeapstreamError, MemoryError):
                raise
            except Exception as error:  # of the frame's library
                raise SchemaError(f"the {kind.title} cannot be read: {type(error).__name__}: {error}") from error
    hint = next((f" ({text})" for names, text in _HINTS.items() if is_class(frame, *names)), "")
    known = ", ".join(kind.title for kind in KINDS[:-1])
    raise SchemaError(
        f"a frame of type {type(frame).__name__} is not supported{hint}: give a {known} or {KINDS[-1].title}"
    )
