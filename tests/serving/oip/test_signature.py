from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from leapstream.bundle.types import BasicType, DataType, ListType, MapType, ScalarType, TensorType
from leapstream.serving.failures import RequestError, TooLargeError
from leapstream.serving.oip.datatypes import read_elements, write_elements
from leapstream.serving.oip.signature import Column
from leapstream.serving.oip.tensors import Tensor

B = BasicType


def column(data_type: DataType) -> Column:
    return Column("x", data_type)


def values(data_type: DataType, tensor: Tensor) -> list[Any]:
    found = column(data_type)
    return found.values(tensor, found.rows(tensor))


@pytest.mark.parametrize(
    ("data_type", "datatype", "shape"),
    [
        (ScalarType(B.BOOLEAN), "BOOL", [-1]),
        (ScalarType(B.BYTE), "INT8", [-1]),
        (ScalarType(B.SHORT), "INT16", [-1]),
        (ScalarType(B.INT), "INT32", [-1]),
        (ScalarType(B.LONG), "INT64", [-1]),
        (ScalarType(B.FLOAT), "FP32", [-1]),
        (ScalarType(B.DOUBLE), "FP64", [-1]),
        (ScalarType(B.STRING), "BYTES", [-1]),
        (ScalarType(B.BYTE_STRING), "BYTES", [-1]),
        (TensorType(B.DOUBLE, (2, 3)), "FP64", [-1, 2, 3]),
        (TensorType(B.FLOAT), "FP32", [-1, -1]),
        (TensorType(B.INT, ()), "INT32", [-1]),
        (ListType(B.STRING), "BYTES", [-1, -1]),
        (MapType(B.STRING, B.DOUBLE), "BYTES", [-1]),
    ],
)
def test_each_type_has_a_datatype_and_a_shape(data_type: DataType, datatype: str, shape: list[int]) -> None:
    assert column(data_type).metadata == {"name": "x", "datatype": datatype, "shape": shape}


@pytest.mark.parametrize(
    ("data_type", "rows"),
    [
        (ScalarType(B.BOOLEAN), [True, None, False]),
        (ScalarType(B.BYTE), [1, -2, 3]),
        (ScalarType(B.LONG), [2**62, None, -1]),
        (ScalarType(B.FLOAT), [0.5, 1.5, None]),
        (ScalarType(B.STRING), ["a", "é", None]),
        (ScalarType(B.BYTE_STRING), [b"\xff", b"", None]),
        (TensorType(B.DOUBLE, (2,)), [[1.0, 2.0], None, [3.0, 4.0]]),
        (TensorType(B.DOUBLE, (2, 1)), [[[1.0], [2.0]], [[3.0], [4.0]]]),
        (TensorType(B.DOUBLE), [[1.0, 2.0], [3.0, 4.0]]),
        (TensorType(B.STRING, (2,)), [["a", "b"], ["c", "d"]]),
        (ListType(B.STRING), [["a", "b"], None]),
        (ListType(B.INT), [[], []]),
        (MapType(B.STRING, B.DOUBLE), [{"a": 1.0}, None, {}]),
        (MapType(B.STRING, B.LONG), [{"a": 2**60}]),
    ],
)
def test_values_are_those_of_their_tensor(data_type: DataType, rows: list[Any]) -> None:
    found = column(data_type).result("y", rows)
    assert found.shape[0] == len(rows)
    tensor = Tensor(found.name, list(found.shape), found.datatype, list(found.elements), found.parameters())
    assert values(data_type, tensor) == rows
    raw: Any = read_elements("y", found.datatype, write_elements(found.datatype, found.filled()), tensor.count)
    tensor.data = raw
    assert values(data_type, tensor) == rows


@pytest.mark.parametrize("rows", [[[1.0], [2.0, 3.0]], [[1.0], [[2.0]]]])
def test_rows_of_different_shapes_have_no_tensor(rows: list[Any]) -> None:
    with pytest.raises(RequestError, match="different shapes"):
        column(ListType(B.DOUBLE)).result("y", rows)


def test_more_elements_than_memory_holds_are_refused() -> None:
    with pytest.raises(TooLargeError, match="1000 rows of 262144 elements"):
        column(TensorType(B.DOUBLE, (2**18,))).result("y", [None] * 1000)


def test_arrays_of_many_rows_are_kept_as_arrays() -> None:
    data: Any = np.arange(6, dtype="<f4")
    found = column(TensorType(B.DOUBLE, (2,))).array(Tensor("x", [3, 2], "FP32", data), 3)
    assert isinstance(found, np.ndarray) and found.dtype == np.float64
    assert found.tolist() == [[0, 1], [2, 3], [4, 5]]


def test_arrays_that_might_lose_digits_become_values() -> None:
    data: Any = np.array([1, 2**40], "<i8")
    assert column(ScalarType(B.INT)).array(Tensor("x", [2], "INT64", data), 2) == [1, 2**40]


def test_texts_for_bytes_may_be_base64() -> None:
    tensor = Tensor("x", [2], "BYTES", ["/w==", None], {"content_type": "base64"})
    assert values(ScalarType(B.BYTE_STRING), tensor) == [b"\xff", None]
    assert values(ScalarType(B.BYTE_STRING), Tensor("x", [1], "BYTES", ["/w=="])) == [b"/w=="]


@pytest.mark.parametrize(
    ("data_type", "tensor", "message"),
    [
        (ScalarType(B.STRING), Tensor("x", [1], "BYTES", [b"\xff"]), "not UTF-8"),
        (ScalarType(B.BYTE_STRING), Tensor("x", [1], "BYTES", ["!"], {"content_type": "base64"}), "not base64"),
        (ScalarType(B.BYTE_STRING), Tensor("x", [1], "INT8", [1]), "takes BYTES"),
        (MapType(B.STRING, B.DOUBLE), Tensor("x", [1], "BYTES", ["{"]), "not the JSON of a map"),
        (MapType(B.STRING, B.DOUBLE), Tensor("x", [1], "BYTES", ["[" * 100_000]), "not the JSON of a map"),
        (TensorType(B.DOUBLE, (2,)), Tensor("x", [1, 2], "BOOL", [True, False]), "takes FP64"),
        (TensorType(B.INT, (2,)), Tensor("x", [1, 2], "FP32", [1.0, 2.0]), "takes INT32"),
        (TensorType(B.DOUBLE, (2,)), Tensor("x", [1, 1, 2], "FP64", [1.0, 2.0]), r"takes \[-1, 2\]"),
        (ScalarType(B.DOUBLE), Tensor("x", [1], "FP64", ["nan"]), "not all of its datatype"),
        (ScalarType(B.BOOLEAN), Tensor("x", [1], "BOOL", [1]), "not all of its datatype"),
    ],
)
def test_tensors_of_another_kind_are_refused(data_type: DataType, tensor: Tensor, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        values(data_type, tensor)


def test_the_text_of_a_number_has_the_digits_of_its_precision() -> None:
    found = values(ScalarType(B.STRING), Tensor("x", [2], "FP32", [0.1, None]))
    assert [None if x is None else str(x) for x in found] == ["0.1", None]
