"""Tests of the vectorized executor's own algorithms: searches, rounding, wide vectors."""

from __future__ import annotations

import math
from decimal import ROUND_FLOOR, Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leapstream import Tensor
from leapstream.executors.vectorized.numbers import binary_search, ordered_bits
from leapstream.ops.base import Op
from leapstream.ops.feature import (
    ChiSqSelector,
    ElementwiseProduct,
    Interaction,
    MathUnary,
    MinHashLSH,
    PolynomialExpansion,
    VectorIndexer,
    VectorSlicer,
)
from tests.ops.numbers import SCALAR, run, shape

WIDE = 1500


def javabinary_search(keys: list[int], wanted: int) -> int:
    """As Java documents it: which of equal keys is found is left open there, and given by halving here."""
    low, high = 0, len(keys) - 1
    while low <= high:
        middle = (low + high) // 2
        if keys[middle] == wanted:
            return middle
        low, high = (middle + 1, high) if keys[middle] < wanted else (low, middle - 1)
    return -low - 1


@given(st.lists(st.integers(-5, 5), min_size=1).map(sorted), st.lists(st.integers(-6, 6), min_size=1))
def test_search_hits_where_java_hits(keys: list[int], wanted: list[int]) -> None:
    found, above = binary_search(np.array(keys, dtype=np.int64), np.array(wanted, dtype=np.int64))
    ours = [f if f >= 0 else -a - 1 for f, a in zip(found.tolist(), above.tolist(), strict=True)]
    assert ours == [javabinary_search(keys, w) for w in wanted]


def test_doubles_are_ordered_as_java_compares_them() -> None:
    values = np.array([-math.inf, -1.0, -5e-324, -0.0, 0.0, 5e-324, 1.0, math.inf, math.nan])
    bits = ordered_bits(values).tolist()
    assert bits == sorted(set(bits))
    assert ordered_bits(-values)[-1] == bits[-1]


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-9, 9).map(lambda n: n / 2))
def test_round_takes_halves_up_within_64_bits(x: float) -> None:
    exact = int((Decimal(x) + Decimal("0.5")).to_integral_value(ROUND_FLOOR)) if abs(x) < 2**53 else int(x)
    (found,) = run(MathUnary("round"), [x])
    assert found == float(min(max(exact, -(2**63)), 2**63 - 1))
    assert math.copysign(1.0, found) == (-1.0 if found < 0 else 1.0)


INDICES = [0, 3, 700, 1499]


@pytest.mark.parametrize(
    "op",
    [
        VectorIndexer(WIDE, {3: {0.0: 0, 2.0: 1}, 700: {0.0: 0, 5.0: 9}}),
        VectorSlicer((1499, 3, 3, 0), (), (), WIDE),
        VectorSlicer(tuple(range(WIDE - 1, -1, -1)), (), (), WIDE),
        ChiSqSelector((0, 3, 4, 1499), WIDE),
        MinHashLSH((5, 2**31 - 1), (7, 9), WIDE),
        ElementwiseProduct(np.arange(float(WIDE))),
    ],
    ids=lambda op: op.op,
)
def test_wide_sparse_vector_gives_what_the_dense_one_gives(op: Op) -> None:
    vector = Tensor.sparse(WIDE, INDICES, [0.0, 2.0, 5.0, -1.0])
    sparse, dense = (run(op, [x])[0].to_dense() for x in (vector, Tensor.dense(vector.to_dense())))
    np.testing.assert_array_equal(sparse, dense)


def test_indexer_leaves_what_a_wide_vector_does_not_store() -> None:
    op = VectorIndexer(WIDE, {3: {2.0: 1}, 700: {0.0: 6}, 701: {0.0: 7}}, "keep")
    (found,) = run(op, [Tensor.sparse(WIDE, [3, 700], [9.0, 0.0])])
    assert found.to_dense()[[3, 700, 701]].tolist() == [1.0, 6.0, 0.0]


def test_selector_with_falling_indices_gives_of_a_wide_vector_the_rising_ones() -> None:
    (found,) = run(ChiSqSelector((700, 3, 1499), WIDE), [Tensor.sparse(WIDE, INDICES, [1.0, 2.0, 3.0, 4.0])])
    assert found.to_dense().tolist() == [3.0, 0.0, 4.0]


def test_slice_of_a_wide_sparse_vector_stores_what_it_stores() -> None:
    op = VectorSlicer(tuple(range(WIDE - 1, -1, -1)), (), (), WIDE)
    (found,) = run(op, [Tensor.sparse(WIDE, [0, 3], [0.0, 2.0])])
    assert (found.indices.reshape(-1).tolist(), found.values.tolist()) == ([1496, 1499], [2.0, 0.0])


def test_expansion_of_a_sparse_vector_stores_what_is_not_0() -> None:
    op = PolynomialExpansion(2, 60)
    sparse, dense = run(op, [Tensor.sparse(60, [1, 59], [2.0, 3.0])], [Tensor.dense([0.0] * 59 + [3.0])])
    assert sorted(sparse.values.tolist()) == [2.0, 3.0, 4.0, 6.0, 9.0]
    assert len(dense.values) == dense.size


@pytest.mark.parametrize("sizes", [(2, 3), (40, 50)], ids=["narrow", "wide"])
def test_interaction_of_dense_vectors_is_their_outer_product(sizes: tuple[int, int]) -> None:
    first, second = (np.random.default_rng(0).normal(size=size) for size in sizes)
    op = Interaction(((1,), (1,) * sizes[0], (1,) * sizes[1]), (SCALAR, shape(sizes[0]), shape(sizes[1])))
    (found,) = run(op, [2.0, Tensor.dense(first), Tensor.dense(second)])
    np.testing.assert_allclose(found.to_dense(), 2.0 * np.outer(first, second).reshape(-1), rtol=1e-14)
