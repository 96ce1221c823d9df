from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest

from leapstream.serving.failures import RequestError
from leapstream.serving.oip.datatypes import DATATYPES, read_elements, write_elements


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("datatype", [name for name in DATATYPES if name != "BF16"])
def test_elements_are_read_as_they_are_written(datatype: str, count: int) -> None:
    values = [1, 0, 1][:count]
    data = write_elements(datatype, values)
    assert len(data) == count * DATATYPES[datatype].dtype.itemsize
    assert list(read_elements("x", datatype, data, count)) == values


def test_texts_stand_after_their_lengths() -> None:
    data = write_elements("BYTES", ["é", b"\xff", ""])
    assert data == b"\x02\0\0\0\xc3\xa9\x01\0\0\0\xff\0\0\0\0"
    assert read_elements("x", "BYTES", data, 3) == ["é".encode(), b"\xff", b""]


@pytest.mark.parametrize("rows", [1, 2])
def test_a_boolean_is_true_for_every_byte_but_0(rows: int) -> None:
    assert list(read_elements("x", "BOOL", b"\x02\0"[:rows], rows)) == [True, False][:rows]


def test_bfloat16_has_the_range_of_float32() -> None:
    halves = (np.array([1.5, -3e38, np.inf], "<f4").view("<u4") >> 16).astype("<u2")
    found = read_elements("x", "BF16", halves.tobytes(), 3)
    assert found[0] == 1.5 and found[2] == np.inf and found[1] == pytest.approx(-3e38, rel=0.01)


@pytest.mark.parametrize(
    ("datatype", "data", "count"),
    [
        ("FP64", b"\0" * 7, 1),
        ("FP64", b"\0" * 8, -1),
        ("BYTES", b"\x05\0\0\0abc", 1),
        ("BYTES", b"\x01\0\0\0a", 2),
        ("BYTES", b"\x01\0\0\0ab", 1),
        ("BYTES", b"\x01\0", 0),
        ("BYTES", struct.pack("<I", 2**32 - 1), 1),
        ("text", b"", 0),
    ],
)
def test_bytes_that_are_not_those_of_a_tensor_are_refused(datatype: str, data: bytes, count: int) -> None:
    with pytest.raises(RequestError, match="'x'"):
        read_elements("x", datatype, data, count)


@pytest.mark.parametrize("rows", [1, 4])
def test_a_number_beyond_its_datatype_is_not_written(rows: int) -> None:
    values: list[Any] = [300] * rows
    with pytest.raises(OverflowError):
        write_elements("INT8", values)
