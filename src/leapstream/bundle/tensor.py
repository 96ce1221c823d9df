"""Dense and sparse tensors of bundles and leap frames."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from leapstream.bundle.types import BasicType
from leapstream.errors import SchemaError

MOST_ELEMENTS = 1 << 28
"""The most elements that an array made of sparse tensors may have: 2 GiB of doubles."""

NUMPY_DTYPES: dict[BasicType, np.dtype[Any]] = {
    BasicType.BOOLEAN: np.dtype(np.bool_),
    BasicType.BYTE: np.dtype(np.int8),
    BasicType.SHORT: np.dtype(np.int16),
    BasicType.INT: np.dtype(np.int32),
    BasicType.LONG: np.dtype(np.int64),
    BasicType.FLOAT: np.dtype(np.float32),
    BasicType.DOUBLE: np.dtype(np.float64),
    BasicType.STRING: np.dtype(object),
    BasicType.BYTE_STRING: np.dtype(object),
}


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor value.

    Attributes:
        base: basic type of the elements.
        values: 1-D array of :data:`NUMPY_DTYPES` ``[base]``: all elements in row-major order when dense, the stored
            ones when sparse (explicit zeros may occur).
        dimensions: size of each dimension; ``()`` for a scalar tensor.
        indices: ``None`` when dense; otherwise int32 (stored, len(dimensions)), in any order.
    """

    base: BasicType
    values: npt.NDArray[Any]
    dimensions: tuple[int, ...]
    indices: npt.NDArray[np.int32] | None = None

    @classmethod
    def dense(cls, values: Any, base: BasicType = BasicType.DOUBLE) -> Tensor:
        """A dense tensor from an array of any shape."""
        array = np.asarray(values, dtype=NUMPY_DTYPES[base])
        return cls(base, array.reshape(-1), tuple(int(n) for n in array.shape))

    @classmethod
    def sparse(cls, size: int, indices: Any, values: Any) -> Tensor:
        """A sparse vector of doubles."""
        positions = np.asarray(indices, dtype=np.int32).reshape(-1, 1)
        return cls(BasicType.DOUBLE, np.asarray(values, dtype=np.float64), (size,), positions)

    @property
    def is_sparse(self) -> bool:
        return self.indices is not None

    @property
    def size(self) -> int:
        """Number of elements, including those that a sparse tensor does not store."""
        return math.prod(self.dimensions)

    def to_dense(self) -> npt.NDArray[Any]:
        """All elements, in the tensor's shape; those that a sparse tensor does not store are 0 (``False``, ``None``).

        Raises:
            SchemaError: a sparse tensor has more than :data:`MOST_ELEMENTS`.
        """
        if self.indices is None:
            return self.values.reshape(self.dimensions)
        if self.size > MOST_ELEMENTS:
            raise SchemaError(f"a sparse tensor of {self.size} elements does not fit into a dense array")
        array = np.zeros(self.dimensions, dtype=self.values.dtype)
        if self.values.dtype == object:
            array.fill(None)
        if self.dimensions:
            array[tuple(self.indices.T)] = self.values
        elif len(self.values):
            array[()] = self.values[-1]
        return array

    def to_sparse(self, stored: npt.NDArray[np.bool_]) -> Tensor:
        """A sparse tensor that stores the elements where ``stored``, an array of the tensor's shape, is true."""
        positions = np.argwhere(stored).astype(np.int32)
        return Tensor(self.base, self.to_dense()[stored], self.dimensions, positions)

    def __eq__(self, other: object) -> bool:
        """True if base, dimensions and elements are equal (NaN equals NaN); a dense tensor may equal a sparse one."""
        if not isinstance(other, Tensor):
            return NotImplemented
        if self.base != other.base or self.dimensions != other.dimensions:
            return False
        if self.indices is None or other.indices is None:
            mine, theirs = self.to_dense(), other.to_dense()
        else:
            _, mine, theirs = stored_elements(self, other)
        floats = self.base in (BasicType.FLOAT, BasicType.DOUBLE)
        return bool(np.array_equal(mine, theirs, equal_nan=floats))

    __hash__ = None  # type: ignore[assignment]

    def _places(self) -> npt.NDArray[Any]:
        """The places of the stored elements in row-major order."""
        assert self.indices is not None
        places = np.zeros(len(self.values), dtype=np.int64 if self.size <= 1 << 62 else object)
        for size, index in zip(self.dimensions, self.indices.T, strict=True):
            places = places * size + index
        return places


def stored_elements(one: Tensor, other: Tensor) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """The elements that either of two sparse tensors of equal dimensions stores: their places, and those of each tensor."""
    places = [one._places(), other._places()]
    union = np.unique(np.concatenate(places))
    found = []
    for tensor, at in zip((one, other), places, strict=True):
        elements = (
            np.full(len(union), None) if tensor.values.dtype == object else np.zeros(len(union), tensor.values.dtype)
        )
        # Of a place that repeats, the last value counts.
        elements[np.searchsorted(union, at)] = tensor.values
        found.append(elements)
    return union, found[0], found[1]
