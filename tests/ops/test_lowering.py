"""Columns at the ports of ops: texts of missing numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from leapstream import Tensor
from leapstream.bundle.types import BasicType, DataShape, ListType, ScalarType, TensorType
from leapstream.ops.base import Op
from leapstream.ops.feature import (
    Coalesce,
    FeatureHasher,
    Imputer,
    Interaction,
    MathUnary,
    SklearnBinarizer,
    VectorAssembler,
)
from tests.ops.numbers import SCALAR, run

TEXT = ScalarType(BasicType.STRING, nullable=False)
HASHER = FeatureHasher(3, (), (DataShape("scalar"),), (BasicType.DOUBLE,), ("n",))


@pytest.mark.parametrize("backend", ["vectorized", pytest.param("jvm", marks=pytest.mark.flink)])
@pytest.mark.parametrize("text", ["", "null"])
@pytest.mark.parametrize(
    ("op", "expected"),
    [
        (MathUnary("exp"), 1.0),
        (Imputer(7.0, nullable_input=True), 7.0),
        (Imputer(7.0, nullable_input=False), 7.0),
        (Coalesce((True,)), None),
        (Coalesce((False,)), None),
        (HASHER, 0),
        (VectorAssembler((SCALAR,)), None),
        (Interaction(((1,),), (SCALAR,)), None),
    ],
    ids=lambda value: value.op if isinstance(value, Op) else "",
)
def test_text_of_a_missing_number_is_0_missing_or_fails_as_the_op_reads_it(
    op: Op, expected: Any, text: str, backend: str
) -> None:
    (port,) = op.inputs()
    (found,) = run(op, [text], backend=backend, types={port: TEXT})
    if isinstance(found, Tensor):
        found = len(found.values) if found.is_sparse else int((found.to_dense() != 0).sum())
    assert found == expected


def test_text_of_a_number_is_read_at_every_such_port() -> None:
    assert run(Coalesce((False, True)), ["", 2.0], types={"input0": TEXT}) == [2.0]
    assert run(Coalesce((False, True)), ["3", 2.0], types={"input0": TEXT}) == [3.0]
    assert run(Imputer(7.0), ["NaN"], ["1.5"], types={"input": TEXT}) == [7.0, 1.5]
    assert run(VectorAssembler((SCALAR,)), ["NaN"], types={"input0": TEXT})[0].to_dense().tolist() == pytest.approx(
        [math.nan], nan_ok=True
    )


def test_text_of_a_missing_number_is_missing_within_a_tensor_of_one_element() -> None:
    one = TensorType(BasicType.STRING, (1,), nullable=False)
    assert run(Imputer(7.0), [Tensor.dense([""], BasicType.STRING)], types={"input": one}) == [7.0]


@pytest.mark.parametrize("given", [(2, 2), (3, 1), (1, 5), ()])
def test_binarizer_makes_a_vector_of_a_tensor_of_other_dimensions_than_declared(given: tuple[int, ...]) -> None:
    op = SklearnBinarizer(0.5, (DataShape("tensor", False, (2, 2)),))
    tensor = Tensor.dense(np.arange(math.prod(given), dtype=np.float64).reshape(given))
    (found,) = run(op, [tensor], types={"input": TensorType(BasicType.DOUBLE, given, nullable=False)})
    assert found.to_dense().tolist() == [0.0, *[1.0] * (math.prod(given) - 1)]


def test_binarizer_makes_a_vector_of_a_list_where_a_tensor_of_several_dimensions_is_declared() -> None:
    op = SklearnBinarizer(0.5, (DataShape("tensor", False, (2, 2)),))
    (found,) = run(op, [[1.0, 0.0, 3.0]], types={"input": ListType(BasicType.DOUBLE, nullable=False)})
    assert found.to_dense().tolist() == [1.0, 0.0, 1.0]
