"""Strings and lists as arrays, and vectors made of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from leapstream.executors.columns import WIDE, Bools, Column
from leapstream.executors.sparse import csr
from leapstream.executors.vectorized.run import Run
from leapstream.plan.primitives import Doubles

Ints = npt.NDArray[np.int64]


def utf8(strings: pa.Array) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """The offset of each string, followed by the end of the last, and the bytes of all strings."""
    _, offsets, data = strings.buffers()
    count = len(strings) + 1
    if offsets is None or count == 1:
        starts = np.zeros(count, dtype=np.int32)
    else:
        starts = np.frombuffer(offsets, np.int32, count, offset=4 * strings.offset)
    return starts, np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)


def string_array(offsets: npt.NDArray[np.int32], data: npt.NDArray[np.uint8]) -> pa.Array:
    """An array of strings from the parts that :func:`utf8` gives."""
    return pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(data))


def list_starts(lists: pa.Array) -> Ints:
    """The index of each list's first element among all, followed by the end of the last; a missing list has no elements."""
    import pyarrow.compute as pc

    lengths = np.asarray(pc.list_value_length(lists).fill_null(0), dtype=np.int64)
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])


def list_array(starts: Ints, elements: pa.Array) -> pa.Array:
    """An array of lists from what :func:`list_starts` gives and the elements of all."""
    return pa.ListArray.from_arrays(pa.array(starts, pa.int32()), elements)


def filtered(lists: pa.Array, kept: Bools) -> Column:
    """The lists with only some of their elements."""
    before = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept)])
    return Column(list_array(before[list_starts(lists)], lists.flatten().filter(pa.array(kept))))


def owners(starts: Ints, elements: Bools) -> Bools:
    """True for each list that has a marked element."""
    marked = np.concatenate([np.zeros(1, np.int64), np.cumsum(elements)])
    return np.diff(marked[starts]) > 0


def nulls(array: pa.Array) -> Bools:
    """Elements that are missing."""
    return np.asarray(array.is_null())


def vector_rows(
    run: Run, row_starts: Ints, columns: npt.NDArray[np.int32], values: Doubles, stored: int, size: int
) -> Column:
    """Vectors from the arrays that a kernel filled; dense where they are short."""
    rows = csr((values[:stored], columns[:stored], row_starts), (run.rows, size))
    column = Column(rows)
    if size >= WIDE:
        return column
    dense = column.to_dense(run.tracks_stored)
    return dense.as_sparse() if run.tracks_stored else dense


def counted(run: Run, index: Ints, starts: Ints, least: Doubles, binary: bool, size: int) -> Column:
    """The number of occurrences of each index in a list, as vectors."""
    from leapstream.executors.vectorized import textkernels

    row_starts = np.zeros(run.rows + 1, np.int64)
    columns, values = np.empty(len(index), np.int32), np.empty(len(index))
    stored = textkernels.counts(index, starts, least, binary, row_starts, columns, values)
    return vector_rows(run, row_starts, columns, values, stored, size)
