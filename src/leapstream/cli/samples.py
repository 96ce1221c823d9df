"""The input columns of a model to export: from ``--schema``, or from a file of sample records."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

from leapstream.bundle.frame import LeapFrame
from leapstream.bundle.types import BasicType, DataType, Field, ScalarType, Schema, TensorType
from leapstream.errors import BundleError, SchemaError
from leapstream.frames.files import format_of, open_reader
from leapstream.frames.leap import arrow_of

_SAMPLED = 65536
"""Records of a sample that are looked at."""

_COLUMN = re.compile(r"\s*(?P<name>.+?)\s*:\s*(?:(?P<scalar>\w+)|tensor<(?P<base>\w+)>\[(?P<size>\d+)\])\s*")


def schema_of(text: str) -> Schema:
    """The columns of ``--schema``: ``name:type``, separated by commas, with types such as ``inspect`` shows.

    Raises:
        SchemaError: it is malformed.
    """
    fields = []
    for part in text.split(","):
        found = _COLUMN.fullmatch(part)
        if found is None:
            raise SchemaError(
                f"--schema: {part.strip()!r} is not NAME:TYPE, such as age:double or point:tensor<double>[3]"
            )
        try:
            base = BasicType(found["scalar"] or found["base"])
        except ValueError:
            known = ", ".join(BasicType)
            raise SchemaError(f"--schema: column {found['name']!r}: the type is none of {known}") from None
        kind: DataType = ScalarType(base) if found["size"] is None else TensorType(base, (int(found["size"]),))
        fields.append(Field(found["name"], kind))
    try:
        return Schema(tuple(fields))
    except ValueError as error:
        raise SchemaError(f"--schema: {error}") from error


def sample_of(path: str, format: str | None) -> dict[str, npt.NDArray[Any]]:
    """The columns of the first records of a file.

    Raises:
        LeapstreamError: it cannot be read; the message names it.
    """
    chosen = format_of(path, format, "--sample-format")
    if chosen == "csv":
        table = _inferred(path)
    else:
        batch = next(iter(open_reader(path, chosen, Schema(()), _SAMPLED).chunks())).batch
        table = arrow_of(batch) if isinstance(batch, LeapFrame) else batch
    if not table.num_rows:
        raise SchemaError(f"{path}: a sample without records tells no types")
    return {name: array_of_sample(path, name, table[name]) for name in table.column_names}


def _inferred(path: str) -> pa.Table:
    """The first records of a CSV file, with the types that its fields look like; dates stay texts, as in pandas."""
    try:
        with pa.csv.open_csv(path, parse_options=pa.csv.ParseOptions(newlines_in_values=True)) as reader:
            table = pa.Table.from_batches([reader.read_next_batch()])
    except StopIteration:
        raise SchemaError(f"{path}: a sample without records tells no types") from None
    except (OSError, pa.ArrowException) as error:
        raise BundleError(f"{path}: {error}") from error
    types = [pa.string() if pa.types.is_temporal(kind) else kind for kind in table.schema.types]
    return table.cast(pa.schema(list(zip(table.column_names, types, strict=True))))


def array_of_sample(path: str, name: str, column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """A column of records as an array; vectors of one size as an array of two dimensions."""
    if pa.types.is_null(column.type):
        # As in pandas: a column that is empty throughout is of numbers.
        column = column.cast(pa.float64())
    if not pa.types.is_nested(column.type):
        values: npt.NDArray[Any] = column.to_numpy()
        return values
    rows = column.to_pylist()
    widths = {len(row) if isinstance(row, list) else None for row in rows}
    if len(widths) != 1 or widths == {None}:
        raise SchemaError(f"{path}: column {name!r} holds no vectors of one size")
    return np.array(rows)
