"""Makes the profile of a model of a sample of rows."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leapstream.bundle.frame import LeapFrame
from leapstream.bundle.limits import Limits
from leapstream.bundle.types import BasicType, DataType, Field, ScalarType, Schema, TensorType, with_nullable
from leapstream.drift.counts import counted, present_elements, present_numbers, present_texts, size_of_vectors
from leapstream.drift.profiles import LONGEST_CATEGORY, MOST_BYTES, MOST_ELEMENTS, Column, Kind, Profile, Side
from leapstream.errors import SchemaError
from leapstream.executors.columns import Column as Values
from leapstream.frames.contract import Wanted
from leapstream.frames.files import explained, format_of, open_reader
from leapstream.frames.leap import arrow_tables
from leapstream.frames.registry import table_of
from leapstream.model import Model

MOST_ROWS = 100_000
"""The most rows that are counted by default; of more, a sample."""

BINS = 10
CATEGORIES = 50

_PIECE = 8192
# The same file has the same profile.
_SEED = 1


def profile(
    model: Model,
    rows: Any,
    *,
    most_rows: int = MOST_ROWS,
    bins: int = BINS,
    categories: int = CATEGORIES,
    limits: Limits | None = None,
) -> Profile:
    """The profile of a model: the values of its inputs in some rows, and those of its outputs for them.

    Args:
        model: the model.
        rows: the path of a file of records (leap frame, CSV, JSON lines, Parquet, Arrow), which is read batch by batch, or a
            frame of any kind.
        most_rows: the most rows that are counted; of more, a random sample of as many.
        bins: the bins of a column of numbers, by quantiles; columns of few different values have fewer.
        categories: the most frequent values of a column of texts, which have bins of their own.
        limits: limits on what is read from a file.

    Raises:
        BundleError: the file cannot be read.
        SchemaError: there are no rows, or a column of the model is not there.
    """
    sample = _Sample(most_rows)
    for table in _tables(model, rows, limits):
        sample.add(table)
    table = sample.table()
    if table is None:
        raise SchemaError("a profile needs rows, and there are none")
    results = model.predict_rows(table)
    given: tuple[tuple[Side, Any, Schema], ...] = (
        ("input", table, model.schema.inputs),
        ("output", results.frame, model.schema.outputs),
    )
    columns = tuple(
        column
        for side, frame, schema in given
        for f, values in _values(frame, schema)
        for column in _columns(f, side, values, bins, categories)
    )
    return Profile(columns, table.num_rows, sample.total, len(results.errors))


def profile_of_file(model: Model, path: str | os.PathLike[str]) -> Profile:
    """The profile that a file holds, or that is made of the rows in a file.

    Raises:
        BundleError: the file cannot be read.
        StoreError: it is a profile, and damaged.
        SchemaError: it holds rows that are not for the model, or no rows.
    """
    file = Path(path)
    if file.suffix == ".json":
        with explained(str(file)):
            data = file.read_bytes()
        if b'"columns"' in data[:MOST_BYTES] and b'"edges"' in data[:MOST_BYTES]:
            return Profile.parsed(data, str(file))
    return profile(model, file)


def _tables(model: Model, rows: Any, limits: Limits | None) -> Iterator[pa.Table]:
    """The rows as Arrow tables of the model's inputs."""
    if isinstance(rows, (str, os.PathLike)):
        path = os.fspath(rows)
        reader = open_reader(path, format_of(path, None, "a known suffix"), model.schema.inputs, _PIECE, limits)
        batches: Iterable[Any] = (chunk.batch for chunk in reader.chunks())
    else:
        batches = [rows]
    names = model.schema.inputs.names
    for batch in batches:
        for table in arrow_tables(batch) if isinstance(batch, LeapFrame) else [_arrow(batch)]:
            lacking = [name for name in names if name not in table.column_names]
            if lacking:
                raise SchemaError(f"the rows have no column {lacking[0]!r}, which the model reads")
            yield table.select(names)


def _arrow(batch: Any) -> pa.Table:
    if isinstance(batch, pa.Table):
        return batch
    if isinstance(batch, list):
        return pa.Table.from_pylist(batch)
    if isinstance(batch, dict):
        return pa.table(batch)
    if hasattr(batch, "to_arrow"):
        return batch.to_arrow()
    return pa.Table.from_pandas(batch, preserve_index=False)


class _Sample:
    """A sample of rows in which each row is as likely as any other: those with the smallest random numbers.

    Args:
        most: the number of its rows.
    """

    def __init__(self, most: int) -> None:
        self.total = 0
        self._most = most
        self._random = np.random.default_rng(_SEED)
        self._parts: list[pa.Table] = []
        self._keys: list[Any] = []
        self._held = 0
        self._limit = np.inf

    def add(self, table: pa.Table) -> None:
        """Take some rows of a table."""
        self.total += table.num_rows
        keys = self._random.random(table.num_rows)
        kept = np.flatnonzero(keys < self._limit)
        if len(kept) < table.num_rows:
            table = table.take(pa.array(kept))
        self._parts.append(table)
        self._keys.append(keys[kept])
        self._held += len(kept)
        if self._held > 2 * self._most:
            self._thin_out()

    def table(self) -> pa.Table | None:
        """The rows, in their order; ``None`` if there are none."""
        self._thin_out()
        return self._parts[0] if self._held else None

    def _thin_out(self) -> None:
        if not self._parts:
            return
        table = pa.concat_tables(self._parts, promote_options="default")
        keys = np.concatenate(self._keys)
        if len(keys) > self._most:
            kept = np.sort(np.argpartition(keys, self._most)[: self._most])
            table, keys = table.take(pa.array(kept)), keys[kept]
            self._limit = keys.max()
        self._parts, self._keys, self._held = [table.combine_chunks()], [keys], len(keys)


def _values(frame: Any, schema: Schema) -> Iterator[tuple[Field, Values]]:
    nullable = Schema(tuple(Field(f.name, with_nullable(f.type, True)) for f in schema))
    table = table_of(frame, Wanted(nullable))
    for f in nullable:
        yield f, table.column(f.name, None)


def kind_of(data_type: DataType) -> Kind:
    """The kind of a column of a type."""
    if not isinstance(data_type, ScalarType) or data_type.base is BasicType.BYTE_STRING:
        return "other"
    return "category" if data_type.base in (BasicType.STRING, BasicType.BOOLEAN) else "number"


def _columns(field: Field, side: Side, values: Values, bins: int, categories: int) -> Iterator[Column]:
    """A column, and of short vectors each of their elements."""
    kind = kind_of(field.type)
    edges: tuple[float, ...] = ()
    texts: tuple[str, ...] = ()
    if kind == "number":
        edges = _edges(present_numbers(values), bins)
    elif kind == "category":
        texts = _frequent(present_texts(values), categories)
    yield _with_counts(Column(field.name, side, kind, edges=edges, values=texts), values)
    if isinstance(field.type, TensorType):
        size = size_of_vectors(values)
        for place in range(size if size is not None and size <= MOST_ELEMENTS else 0):
            edges = _edges(present_elements(values, place), bins)
            yield _with_counts(Column(field.name, side, "number", edges=edges, element=place), values)


def _with_counts(column: Column, values: Values) -> Column:
    *counts, missing = counted(replace(column, counts=(0,) * (len(column.edges) + len(column.values) + 1)), values)
    return replace(column, counts=tuple(map(int, counts)), missing=int(missing))


def _edges(numbers: Any, bins: int) -> tuple[float, ...]:
    """The upper bounds of bins of about equally many numbers; the last bin has none."""
    finite = numbers[np.isfinite(numbers)]
    if not len(finite):
        return ()
    quantiles = np.unique(np.quantile(finite, np.arange(1, bins) / bins))
    # Nothing in training was above the highest number.
    return tuple(quantiles[quantiles < finite.max()].tolist())


def _frequent(texts: pa.Array, most: int) -> tuple[str, ...]:
    """The most frequent texts, those of equal counts in their order."""
    found = pc.value_counts(texts).to_pylist()
    short = [pair for pair in found if len(pair["values"]) <= LONGEST_CATEGORY]
    return tuple(pair["values"] for pair in sorted(short, key=lambda pair: (-pair["counts"], pair["values"]))[:most])
