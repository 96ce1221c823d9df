"""NumPy arrays and SciPy's sparse matrices, whose columns are in the order of the model's inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from leapstream.bundle.types import ScalarType, TensorType
from leapstream.errors import SchemaError
from leapstream.executors.sparse import is_sparse
from leapstream.frames.arrays import ArraysTable
from leapstream.frames.contract import Wanted


class MatrixTable(ArraysTable):
    """An array or sparse matrix (rows, columns), or a structured array; the result is a dict of arrays.

    The columns are the inputs of the model in their order: all of them, or those that the outputs need. If the only input is a
    tensor, each row of the array is one. The columns of a structured array have names of their own.
    """

    title = "array (rows, columns)"

    @classmethod
    def accepts(cls, frame: Any) -> bool:
        return isinstance(frame, np.ndarray) or is_sparse(frame)

    def __init__(self, frame: Any, wanted: Wanted) -> None:
        super().__init__(_columns(frame, wanted), wanted)


def _columns(array: Any, wanted: Wanted) -> Mapping[str, Any]:
    """The columns of an array by name."""
    if isinstance(array, np.ndarray) and array.dtype.names is not None:
        if array.ndim != 1:
            raise SchemaError(f"a structured array of {array.ndim} dimensions is not a frame: give one dimension")
        return {name: array[name] for name in array.dtype.names}
    if array.ndim < 2:
        raise SchemaError(
            f"an array of {array.ndim} dimensions is not a frame: give one of rows and columns, or a dict of arrays"
        )
    orders = [wanted.schema.names]
    if wanted.needed is not None:
        orders.append(wanted.needed())
    for names in orders:
        if len(names) == 1 and isinstance(wanted.schema[names[0]].type, TensorType):
            return {names[0]: array}
        scalars = all(isinstance(wanted.schema[name].type, ScalarType) for name in names)
        if scalars and array.ndim == 2 and array.shape[1] == len(names):
            dense = array.toarray() if is_sparse(array) else array
            return {name: dense[:, i] for i, name in enumerate(names)}
    raise SchemaError(
        f"the columns of an array of dimensions {array.shape} cannot be the inputs {wanted.schema}: give a dict of arrays"
    )
