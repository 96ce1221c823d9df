"""Counts of the values of today in the bins of a profile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leapstream.bundle.types import Field, Schema, with_nullable
from leapstream.drift.profiles import Column, Profile, Side
from leapstream.drift.psi import psi
from leapstream.executors.columns import Column as Values
from leapstream.frames.contract import Wanted
from leapstream.frames.registry import table_of
from leapstream.model import ModelSchema


@dataclass(frozen=True)
class ColumnDrift:
    """The distance of a column from its values in training.

    Attributes:
        name: the column; of an element of vectors with its place, such as ``probability[1]``.
        side: an input or an output.
        psi: the population stability index of its bins without missing values; ``None`` for a column without bins or values.
        missing_rate: the share of missing values.
        missing_rate_in_training: that of the profile.
        rows: the rows that were counted.
    """

    name: str
    side: Side
    psi: float | None
    missing_rate: float
    missing_rate_in_training: float
    rows: int


class Counts:
    """The counts of rows in the bins of a profile. They can be added up.

    Args:
        profile: the profile.
        schema: the columns of the model.
    """

    def __init__(self, profile: Profile, schema: ModelSchema) -> None:
        self.profile = profile
        types = {("input", f.name): f.type for f in schema.inputs} | {
            ("output", f.name): f.type for f in schema.outputs
        }
        # What may not be missing for the model can be so in a row.
        self._fields = {
            place: Field(column.name, with_nullable(types[column.side, column.name], True))
            for place, column in enumerate(profile.columns)
            if (column.side, column.name) in types
        }
        self._counts = [np.zeros(len(column.counts) + 1, np.int64) for column in profile.columns]

    def add_frame(self, frame: Any, side: Side) -> None:
        """Count the rows of a frame of any kind, which has the inputs or outputs; a column that it lacks is not counted."""
        at = [place for place, column in enumerate(self.profile.columns) if column.side == side]
        # The elements of vectors have the field of their column.
        wanted = Schema(tuple({f.name: f for f in (self._fields.get(place) for place in at) if f is not None}.values()))
        table = table_of(frame, Wanted(wanted))
        there = [place for place in at if self.profile.columns[place].name in table.schema.names]
        found = [counted(c, table.column(c.name, None)) for c in (self.profile.columns[place] for place in there)]
        # All of them or none, if a value cannot be counted.
        for place, counts in zip(there, found, strict=True):
            self._counts[place] += counts

    def as_lists(self) -> list[list[int]]:
        """The counts of each column: its bins, and at last the missing values."""
        return [counts.tolist() for counts in self._counts]

    def add_lists(self, lists: Sequence[Sequence[int]]) -> None:
        """Add the counts of another process."""
        for counts, more in zip(self._counts, lists, strict=True):
            counts += np.array(more, np.int64)

    @property
    def rows(self) -> int:
        """The rows that were counted; the most of all columns."""
        return max((int(counts.sum()) for counts in self._counts), default=0)

    def drift(self) -> Iterator[ColumnDrift]:
        """The drift of each column."""
        for column, counts in zip(self.profile.columns, self._counts, strict=True):
            rows, missing = int(counts.sum()), int(counts[-1])
            yield ColumnDrift(
                column.label,
                column.side,
                None if column.kind == "other" else psi(column.counts, counts[:-1].tolist()),
                missing / rows if rows else 0.0,
                column.missing_rate,
                rows,
            )


def counted(column: Column, values: Values) -> Any:
    """The number of values in each bin of a column, and at last of missing ones."""
    found = np.zeros(len(column.counts) + 1, np.int64)
    if column.kind == "number":
        numbers = present_numbers(values) if column.element is None else present_elements(values, column.element)
        # A bound belongs to the bin below it.
        found[:-1] = np.bincount(
            np.searchsorted(np.array(column.edges), numbers, side="left"), minlength=len(column.counts)
        )
        found[-1] = len(values) - len(numbers)
    elif column.kind == "category":
        texts = present_texts(values)
        places = pc.index_in(texts, pa.array(column.values, pa.string())).fill_null(len(column.values))
        found[:-1] = np.bincount(places.to_numpy(zero_copy_only=False), minlength=len(column.counts))
        found[-1] = len(values) - len(texts)
    else:
        found[-1] = missing_values(values)
        found[0] = len(values) - found[-1]
    return found


def present_numbers(values: Values) -> Any:
    """The numbers of a column that are there, as doubles."""
    if isinstance(values.values, (pa.Array, pa.ChunkedArray)):
        numbers = np.array([_number(text) for text in values.values.to_pylist()], np.float64)
        return numbers[~np.isnan(numbers)]
    numbers = np.asarray(values.values, np.float64)
    if values.valid is not None:
        numbers = numbers[values.valid]
    return numbers[~np.isnan(numbers)]


def present_elements(values: Values, place: int) -> Any:
    """The numbers at a place of a column's vectors, as doubles, without those of vectors that are missing or too short."""
    found = values.values
    if isinstance(found, (pa.Array, pa.ChunkedArray)):
        long_enough = found.filter(pc.greater(pc.list_value_length(found), place))
        numbers = pc.list_element(long_enough, place).cast(pa.float64()).to_numpy(zero_copy_only=False)
    else:
        found = found if values.valid is None else found[values.valid]
        column = found[:, place] if place < found.shape[1] else found[:0, 0]
        numbers = np.asarray(column if isinstance(column, np.ndarray) else column.toarray(), np.float64)
    return numbers[~np.isnan(numbers)]


def size_of_vectors(values: Values) -> int | None:
    """The number of elements that each vector of a column has; ``None`` if it differs, or if they are not numbers."""
    found = values.values
    if not isinstance(found, (pa.Array, pa.ChunkedArray)):
        return int(found.shape[1]) if found.ndim == 2 and found.dtype != object else None
    if not isinstance(found.type, (pa.ListType, pa.LargeListType, pa.FixedSizeListType)):
        return None
    number = pa.types.is_floating(found.type.value_type) or pa.types.is_integer(found.type.value_type)
    sizes = pc.min_max(pc.list_value_length(found)).as_py() if number else {"min": None, "max": None}
    return int(sizes["min"]) if sizes["min"] is not None and sizes["min"] == sizes["max"] else None


def _number(text: Any) -> float:
    """The number that a text in its place is for the model; NaN if it is none."""
    try:
        return float(text)
    except (TypeError, ValueError):
        return float("nan")


def present_texts(values: Values) -> pa.Array:
    """The texts of a column that are there; booleans are ``true`` and ``false``."""
    found = values.values
    if isinstance(found, (pa.Array, pa.ChunkedArray)):
        if isinstance(found, pa.ChunkedArray):
            found = found.combine_chunks()
        return pc.drop_null(found.cast(pa.string()))
    if values.valid is not None:
        found = found[values.valid]
    return pa.array(found).cast(pa.string())


def missing_values(values: Values) -> int:
    """The number of missing values of a column."""
    if isinstance(values.values, (pa.Array, pa.ChunkedArray)):
        return int(values.values.null_count)
    return 0 if values.valid is None else int((~values.valid).sum())
