"""Sums of products: the same bits whatever the number of rows and outputs."""

from __future__ import annotations

import numpy as np
import pytest

from leapstream.executors.vectorized.sums import add_products, matrix_products


@pytest.mark.parametrize(("rows", "outputs"), [(1, 50), (2, 3), (3, 3), (50, 2)])
def test_products_with_a_matrix_are_those_with_its_rows(rows: int, outputs: int) -> None:
    random = np.random.default_rng(0)
    x, matrix = random.normal(size=(rows, 5)), random.normal(size=(outputs, 5))
    x[0, 0] = -0.0
    each = [add_products(x, weights, np.zeros(rows)) for weights in matrix]
    assert matrix_products(x, matrix).tobytes() == np.array(each).T.tobytes()
