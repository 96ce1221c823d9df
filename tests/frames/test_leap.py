"""Leap frames as Arrow tables: sparse tensors do not take more memory than there is."""

from __future__ import annotations

import numpy as np
import pytest

from leapstream import LeapFrame, SchemaError, Tensor
from leapstream.bundle.types import BasicType, ScalarType, Schema, TensorType
from leapstream.executors.columns import column_of
from leapstream.frames import leap
from leapstream.frames.leap import arrow_of, arrow_tables
from leapstream.frames.records import _python

VECTORS = TensorType(BasicType.DOUBLE)
SCHEMA = Schema.of([("x", VECTORS), ("n", ScalarType(BasicType.INT))])


def frame(*sizes: int) -> LeapFrame:
    return LeapFrame(SCHEMA, [(Tensor.sparse(size, [0], [1.0]), i) for i, size in enumerate(sizes)])


def test_sparse_tensors_that_do_not_fit_into_lists_are_rejected() -> None:
    with pytest.raises(SchemaError, match="sparse tensors of 67108864 elements do not fit into lists"):
        arrow_of(frame(1 << 26))
    with pytest.raises(SchemaError, match="sparse tensors of 20971520 elements"):
        arrow_of(frame(*[1 << 18] * 80))


def test_a_frame_becomes_tables_of_rows_that_fit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leap, "MOST_ELEMENTS", 10)
    tables = list(arrow_tables(frame(4, 4, 4, 10, 1)))
    assert [table["n"].to_pylist() for table in tables] == [[0, 1], [2], [3], [4]]
    assert [len(x) for table in tables for x in table["x"].to_pylist()] == [4, 4, 4, 10, 1]


def test_a_frame_without_rows_becomes_one_table() -> None:
    (table,) = arrow_tables(LeapFrame(SCHEMA, []))
    assert table.column_names == ["x", "n"]
    assert table.num_rows == 0


@pytest.mark.slow
def test_vectors_that_do_not_fit_into_records_are_rejected() -> None:
    with pytest.raises(SchemaError, match="1 sparse vectors of 134217728 elements do not fit into lists"):
        _records(Tensor.sparse(1 << 27, [0], [1.0]))


def test_the_zeros_of_hashed_vectors_in_records_are_one_object() -> None:
    (values,) = _records(Tensor.sparse(1 << 18, [3], [2.0]))
    assert values[2:5] == [0.0, 2.0, 0.0]
    assert len(values) == 1 << 18
    assert len(set(map(id, values))) == 2


def _records(vector: Tensor) -> list[list[float]]:
    return _python(column_of([vector], VECTORS), VECTORS)


def test_sparse_tensors_of_several_dimensions_may_declare_only_what_fits() -> None:
    matrices = TensorType(BasicType.DOUBLE)
    assert column_of([_matrix(10)], matrices).values.shape == (1, 10, 10)
    with pytest.raises(SchemaError, match=r"1 sparse tensors of the dimensions \[5000, 5000\] do not fit into memory"):
        column_of([_matrix(5000)], matrices)


def _matrix(size: int) -> Tensor:
    return Tensor(BasicType.DOUBLE, np.ones(1), (size, size), np.zeros((1, 2), dtype=np.int32))
