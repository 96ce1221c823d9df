"""Attributes of ops: how they are declared, read from bundles, written to them, and compared."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from leapstream.bundle import values
from leapstream.bundle.definition import Value
from leapstream.bundle.tensor import Tensor
from leapstream.bundle.types import BasicType
from leapstream.errors import BundleError


@dataclass(frozen=True)
class Codec:
    """A pair of functions that read an attribute's Python value from a bundle and write it."""

    decode: Callable[[Value], Any]
    encode: Callable[[Any], Value]


def _scalar(base: str) -> Codec:
    return Codec(lambda value: values.get_scalar(value, base), lambda data: values.scalar(base, data))


def _list(base: str) -> Codec:
    return Codec(lambda value: tuple(values.get_list(value, base)), lambda data: values.list_of(base, data))


def _tensor_doubles(value: Value | Tensor | None) -> npt.NDArray[np.float64]:
    tensor = values.get_tensor(value) if isinstance(value, Value) else value
    if tensor is None or not tensor.base.is_numeric:
        raise BundleError("a tensor of numbers is expected")
    array = np.ascontiguousarray(tensor.to_dense(), dtype=np.float64)
    array.setflags(write=False)
    return array


def _float_vectors(value: Value) -> tuple[npt.NDArray[np.float32], ...]:
    vectors = [_tensor_doubles(tensor).reshape(-1) for tensor in values.get_list(value, "tensor")]
    with np.errstate(over="ignore"):
        return tuple(vector.astype(np.float32) for vector in vectors)


def _vector(value: Value) -> npt.NDArray[np.float64]:
    return _tensor_doubles(value).reshape(-1)


def _column_major(array: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The matrix that MLeap reads from a tensor: its dimensions are (rows, columns), its values in column-major order."""
    if array.ndim != 2:
        raise BundleError(f"a matrix is expected, and this has {array.ndim} dimensions")
    return array.reshape(-1).reshape(array.shape, order="F")


def _column_major_tensor(matrix: npt.NDArray[np.float64]) -> Tensor:
    return Tensor(BasicType.DOUBLE, matrix.ravel(order="F"), matrix.shape)


CODECS: dict[str, Codec] = {
    "list<float vector>": Codec(
        _float_vectors,
        lambda data: values.list_of("tensor", [Tensor.dense(v, BasicType.FLOAT) for v in data]),
    ),
    **{
        base: _scalar(base)
        for base in ("boolean", "int", "long", "float", "double", "string", "basic_type", "data_shape")
    },
    **{
        f"list<{base}>": _list(base)
        for base in ("boolean", "int", "long", "double", "string", "basic_type", "data_shape")
    },
    "vector": Codec(_vector, lambda data: values.tensor(Tensor.dense(data))),
    "matrix": Codec(
        lambda value: _column_major(_tensor_doubles(value)), lambda data: values.tensor(_column_major_tensor(data))
    ),
    "list<matrix>": Codec(
        lambda value: tuple(_column_major(_tensor_doubles(t)) for t in values.get_list(value, "tensor")),
        lambda data: values.list_of("tensor", [_column_major_tensor(m) for m in data]),
    ),
    "list<vector>": Codec(
        lambda value: tuple(_tensor_doubles(t).reshape(-1) for t in values.get_list(value, "tensor")),
        lambda data: values.list_of("tensor", [Tensor.dense(v) for v in data]),
    ),
}


def attribute(kind: str, *, name: str | None = None, default: Any = MISSING) -> Any:
    """Declare an attribute of an op: a dataclass field, read and written by ``CODECS[kind]``.

    Args:
        kind: a key of :data:`CODECS`; ``"tree"`` or ``"cluster_tree"`` for the tree beside the model; ``"file"`` for the file
            with the attribute's name beside the model; ``"trees"`` for nested models whose names are the attribute's value;
            ``"models"`` for nested models ``model0``, ``model1``, … whose number is the attribute's value.
        name: the attribute's name in a bundle, if it differs from the field's.
        default: the value for a bundle without the attribute; the value ``None`` is not written.
    """
    return dataclasses.field(default=default, metadata={"kind": kind, "name": name})


def same(a: Any, b: Any) -> bool:
    """True if two attributes are equal: arrays and floats are compared by value, and NaN equals NaN."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return a is not None and b is not None and np.array_equal(a, b, equal_nan=True)
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (a != a and b != b)
    return bool(a == b)
