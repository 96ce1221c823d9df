"""Ops over numbers and vectors give on the JVM what they give in the vectorized executor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leapstream import Tensor
from leapstream.bundle.types import BasicType, ScalarType, TensorType
from leapstream.ops.base import Op
from leapstream.ops.feature import (
    DCT,
    ChiSqSelector,
    ElementwiseProduct,
    Interaction,
    MathUnary,
    PolynomialExpansion,
    VectorSlicer,
)
from tests.ops.numbers import OPS, SCALAR, rows_of, run, shape

pytestmark = pytest.mark.flink


def same(ours: Any, theirs: Any) -> None:
    assert (ours is None) == (theirs is None), (ours, theirs)
    if isinstance(ours, Tensor):
        assert ours.dimensions == theirs.dimensions
        ours, theirs = ours.to_dense(), theirs.to_dense()
    if ours is not None:
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.usefixtures("java")
@pytest.mark.parametrize("op", OPS, ids=lambda op: op.op)
@given(data=st.data())
@settings(max_examples=8, deadline=None)
def test_jvm_agrees_with_the_vectorized_executor(op: Op, data: st.DataObject) -> None:
    rows = data.draw(rows_of(op, 24))
    for ours, theirs in zip(run(op, *rows, backend="jvm"), run(op, *rows), strict=True):
        same(ours, theirs)


@pytest.mark.usefixtures("java")
@pytest.mark.parametrize(
    "op",
    [
        PolynomialExpansion(3, 4),
        ChiSqSelector((0, 2, 3), 4),
        Interaction(((2,), (1, 3, 1, 1)), (SCALAR, shape(4))),
    ],
    ids=lambda op: op.op,
)
def test_sparse_vector_may_list_its_elements_in_any_order(op: Op) -> None:
    row = [1.0, Tensor.sparse(4, [3, 0, 1], [5.0, 2.0, 1.0])][-len(op.inputs()) :]
    ordered = [*row[:-1], Tensor.sparse(4, [0, 1, 3], [2.0, 1.0, 5.0])]
    (first,), (second,), (third,) = run(op, row, backend="jvm"), run(op, ordered, backend="jvm"), run(op, row)
    same(first, second)
    same(first, third)


@pytest.mark.usefixtures("java")
@pytest.mark.parametrize("op", [DCT(False, 4), PolynomialExpansion(2, 4), ElementwiseProduct(np.ones(4))])
def test_sparse_and_dense_vectors_give_the_same_numbers(op: Op) -> None:
    rows = [[Tensor.sparse(4, [1, 2], [5.0, -2.0])], [Tensor.dense([0.0, 5.0, -2.0, 0.0])]]
    sparse, dense = run(op, *rows, backend="jvm")
    np.testing.assert_allclose(sparse.to_dense(), dense.to_dense(), rtol=1e-12)


@pytest.mark.usefixtures("java")
@pytest.mark.parametrize("backend", ["jvm", "vectorized"])
def test_tensor_of_several_declared_dimensions_counts_as_a_vector(backend: str) -> None:
    rows = [[Tensor.dense([[1, 2], [3, 4]], BasicType.INT)], [Tensor.dense([1, 2], BasicType.INT)]]
    declared = {"input": TensorType(BasicType.INT, (2, 2), nullable=False)}
    several, wrong = run(VectorSlicer((3, 1), (), (), 4), *rows, backend=backend, types=declared)
    assert several.to_dense().tolist() == [4.0, 2.0]
    assert wrong is None


@pytest.mark.usefixtures("java")
@pytest.mark.parametrize("backend", ["jvm", "vectorized"])
def test_tensor_that_is_declared_a_vector_has_to_be_one(backend: str) -> None:
    rows = [[Tensor.dense([[1.0, 2.0], [3.0, 4.0]])]]
    assert run(VectorSlicer((3, 1), (), (), 4), *rows, backend=backend) == [None]


@pytest.mark.usefixtures("java")
def test_missing_number_fails() -> None:
    nullable = {"input": ScalarType(BasicType.DOUBLE)}
    assert run(MathUnary("exp"), [None], [0.0], backend="jvm", types=nullable) == [None, 1.0]
