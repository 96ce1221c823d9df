"""Tensors: sparse ones are compared without their zeros."""

from __future__ import annotations

import time

import numpy as np
import pytest

from leapstream import Tensor
from leapstream.bundle.tensor import stored_elements
from leapstream.bundle.types import BasicType


def test_sparse_tensors_of_any_size_are_compared_by_what_they_store() -> None:
    began = time.monotonic()
    one, same = (
        Tensor.sparse(2**31 - 1, [7, 2**31 - 2], [1.0, np.nan]),
        Tensor.sparse(2**31 - 1, [2**31 - 2, 7], [np.nan, 1.0]),
    )
    assert one == same
    assert one != Tensor.sparse(2**31 - 1, [7, 2**31 - 3], [1.0, np.nan])
    assert time.monotonic() - began < 1


def test_places_of_many_dimensions_do_not_overflow() -> None:
    size = (2**31 - 1,) * 4
    one, other = (
        Tensor(BasicType.INT, np.array([1], dtype=np.int32), size, np.array([at], dtype=np.int32))
        for at in ([2**31 - 2] * 4, [2**31 - 2, 2**31 - 2, 2**31 - 2, 0])
    )
    assert one == one
    assert one != other


@pytest.mark.parametrize(
    "other",
    [
        Tensor.sparse(4, [1, 3], [2.0, 0.0]),
        Tensor.sparse(4, [1, 1], [5.0, 2.0]),
        Tensor.sparse(4, [1, 0], [2.0, -0.0]),
        Tensor.dense([0.0, 2.0, 0.0, 0.0]),
    ],
    ids=["stored zeros", "a repeated index", "a negative zero", "dense"],
)
def test_equal_elements_are_equal_however_they_are_stored(other: Tensor) -> None:
    assert Tensor.sparse(4, [1], [2.0]) == other
    assert other == Tensor.sparse(4, [1], [2.0])
    assert Tensor.sparse(4, [1], [2.5]) != other


def test_strings_that_are_not_stored_are_missing() -> None:
    def strings(at: list[int], *values: str) -> Tensor:
        return Tensor(BasicType.STRING, np.array(values, dtype=object), (3,), np.array(at, dtype=np.int32)[:, None])

    assert strings([0], "a") == strings([0], "a")
    assert strings([0], "a") != strings([0, 1], "a", "")


def test_stored_elements_are_those_of_either_tensor() -> None:
    places, mine, theirs = stored_elements(Tensor.sparse(9, [4, 2], [1.0, 2.0]), Tensor.sparse(9, [8, 4], [3.0, 4.0]))
    assert (places.tolist(), mine.tolist(), theirs.tolist()) == ([2, 4, 8], [2.0, 1.0, 0.0], [0.0, 4.0, 3.0])
