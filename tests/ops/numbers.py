"""Models of the ops over numbers and vectors, and rows for them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

from leapstream import LeapFrame, Model, Tensor
from leapstream.bundle.definition import Socket
from leapstream.bundle.types import BasicType, DataShape, DataType, ScalarType, Schema, TensorType
from leapstream.ops.base import Op
from leapstream.ops.feature import (
    DCT,
    PCA,
    BucketedRandomProjectionLSH,
    ChiSqSelector,
    ElementwiseProduct,
    Interaction,
    MathBinary,
    MathUnary,
    MinHashLSH,
    PolynomialExpansion,
    SklearnPolynomialExpansion,
    VectorIndexer,
    VectorSlicer,
)
from leapstream.ops.feature.numbers import BINARY_OPERATIONS, UNARY_OPERATIONS
from leapstream.ops.pipeline import Node
from leapstream.ops.recommendation import ALS
from leapstream.ops.regression import IsotonicRegression

SCALAR = DataShape("scalar", False)


def shape(size: int) -> DataShape:
    return DataShape("tensor", True, (size,))


def floats(*values: float) -> Any:
    return np.array(values, dtype=np.float32)


OPS: list[Op] = [
    *(MathUnary(operation) for operation in UNARY_OPERATIONS),  # type: ignore[arg-type]
    *(MathBinary(operation) for operation in BINARY_OPERATIONS),
    MathBinary("sub", da=10.0),
    MathBinary("pow", db=2.0),
    MathBinary("div", da=0.0, db=-2.0),
    DCT(False, 4),
    DCT(True, 4),
    ElementwiseProduct(np.array([2.0, 0.0, -0.5, 1.0])),
    Interaction(((1,), (1, 1, 1)), (SCALAR, shape(3))),
    Interaction(((2,), (1, 3, 1, 2), (1,)), (SCALAR, shape(4), SCALAR)),
    Interaction(((4, 1), (1, 1)), (shape(2), shape(2))),
    PCA(np.array([[1.0, 0.5], [-0.25, 2.0], [0.0, 1.0], [4.0, -1.0]])),
    PolynomialExpansion(2, 4),
    PolynomialExpansion(3, 3),
    PolynomialExpansion(0, 2),
    SklearnPolynomialExpansion("[1,x0,x3,x0^2,x0 x1,x2^3 x1]"),
    SklearnPolynomialExpansion("1"),
    VectorIndexer(4, {0: {0.0: 0, -1.0: 1}, 3: {0.0: 0, 2.0: 1, 1.0: 2}}),
    VectorIndexer(4, {2: {1.0: 0, -1.0: 7}, 1: {-0.0: 0}}, "keep"),
    VectorIndexer(4, {2: {}, 1: {math.nan: 0}}, "keep"),
    VectorIndexer(4, {1: {0.5: 1}}, "skip"),
    VectorSlicer((3, 0), ("a",), (1,), 4),
    VectorSlicer((), (), (), 4),
    ChiSqSelector((0, 3), 4),
    ChiSqSelector((2, 0, 3, 3), 4),
    MinHashLSH((1568779488, 189533475, -7), (379250092, 1313869424, 2**40 + 3), 4),
    BucketedRandomProjectionLSH((np.array([0.5, 0.25, -1.0, 0.0]), np.array([1.0, 0.0, 0.5, 2.0])), 2.0, 4),
    IsotonicRegression((-1.0, 0.0, 0.0, 0.0, 0.25, 3.0), (-4.0, -1.0, 0.0, 1.0, 2.0, 8.0), True),
    IsotonicRegression((1.0,), (5.0,), False),
    IsotonicRegression((0.0, 2.0), (1.0, 0.5), False, feature_index=1),
    ALS(2, (3, 1, 3), (floats(9, 9), floats(1.5, -2), floats(0.25, 8)), (0, -5), (floats(1, 2), floats(4, 0.5))),
    ALS(3, (), (), (1,), (floats(1, 2, 3),)),
]


def model_of(op: Op) -> Model:
    """A model of one op whose columns are named as its ports."""
    ports = [tuple(Socket(port, port) for port in names) for names in (op.inputs(), op.outputs())]
    return Model.from_node(Node("node", op, *ports))


def run(op: Op, *rows: list[Any], backend: Any = "vectorized", types: dict[str, DataType] | None = None) -> list[Any]:
    """The op's only output for each row; ``None`` where it fails."""
    schema = Schema.of([(port, (types or {}).get(port, kind)) for port, kind in op.inputs().items()])
    frame = LeapFrame(schema, [tuple(row) for row in rows])
    (output,) = op.outputs()
    return list(model_of(op).transform(frame, backend=backend, on_error="null").column(output))


# Sums and products of these are exact, so that their order makes no difference.
NUMBERS = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.0, 0.5, math.nan, math.inf, -math.inf]),
    st.integers(-64, 64).map(lambda n: n / 4),
)


@st.composite
def vectors(draw: st.DrawFn, size: int) -> Tensor:
    """Vectors, most of them of a size; sparse ones may store zeros."""
    size = draw(st.sampled_from([size] * 8 + [max(size - 1, 0), size + 1]))
    if draw(st.booleans()):
        return Tensor.dense(draw(st.lists(NUMBERS, min_size=size, max_size=size)))
    positions = sorted(draw(st.sets(st.integers(0, size - 1)))) if size else []
    return Tensor.sparse(size, positions, draw(st.lists(NUMBERS, min_size=len(positions), max_size=len(positions))))


def values_of(data_type: DataType) -> st.SearchStrategy[Any]:
    """Values for a port of one of :data:`OPS`."""
    if isinstance(data_type, TensorType):
        return vectors((data_type.dimensions or (3,))[0])
    assert isinstance(data_type, ScalarType)
    return st.integers(-6, 6) if data_type.base is BasicType.INT else NUMBERS


def rows_of(op: Op, most: int = 12) -> st.SearchStrategy[list[tuple[Any, ...]]]:
    """Rows for an op."""
    return st.lists(st.tuples(*map(values_of, op.inputs().values())), min_size=1, max_size=most)
