"""Sums that add from left to right, as MLeap and the Java kernels do.

The last bits of a sum depend on the order of the additions. In NumPy and BLAS the order depends on the memory layout and on the
size of the batch, so their sums differ from MLeap's, and the sum of a row differs from batch to batch.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from leapstream.executors.sparse import is_csr
from leapstream.executors.vectorized.run import rows_of
from leapstream.plan.primitives import Doubles

if TYPE_CHECKING:
    from scipy.sparse import csr_array

NARROW = 16
"""Vectors of at most this many elements are added up column by column, which is as fast as a kernel."""
_MOST_COLUMNS = 64
"""Without a kernel, vectors of more elements are not added up column by column: the columns would be too far apart in memory."""
_BLOCK = 1 << 15
"""Number of products that fit into the processor's cache."""
_BLOCK_OF_COLUMNS = 1 << 17
"""Number of elements of which every column is read from the cache but the first."""
_FEW_OUTPUTS = 8
"""Up to this number of outputs, the sums of one row do not keep the processor busy."""
_FEW = 1 << 21
"""Number of leaves' values that NumPy adds up in the time that importing numba takes."""
_PER_LEAF = 32
"""Number of elements that NumPy multiplies and adds up in the time that it takes for the value of one leaf."""


class Kernels:
    """Chooses between NumPy and the compiled kernels for sums, for all models of a process.

    Importing numba takes 0.2-0.3 s, so NumPy adds up the first numbers, and the kernels all others.
    """

    def __init__(self) -> None:
        self._module: ModuleType | None = None
        self._values = 0

    def load(self) -> ModuleType:
        """The kernels; from now on they add up all numbers."""
        if self._module is None:
            from leapstream.executors.vectorized import kernels

            self._module = kernels
        return self._module

    def wait(self, values: int) -> bool:
        """Count values of leaves that are to be added up; true while NumPy adds them in less time than the import takes."""
        if self._module is None:
            self._values += values
        return self._module is None and self._values <= _FEW


KERNELS = Kernels()


def row_sums(terms: Doubles) -> Doubles:
    """The sum of each row (rows, elements)."""
    total = np.zeros(len(terms))
    if terms.shape[1] <= NARROW:
        for column in terms.T:
            total += column
    elif KERNELS.wait(terms.size // _PER_LEAF):
        # Sums of all beginnings are made one after the other; 0.0 is what a sum starts with, which matters to -0.0.
        total += np.cumsum(terms, axis=1)[:, -1]
    else:
        KERNELS.load().add_rows(np.ascontiguousarray(terms), total)
    return total


def add_products(x: Doubles | csr_array, weights: Doubles, total: Doubles) -> Doubles:
    """``total`` (rows,) plus the products of each row of ``x`` with ``weights``; ``total`` may be overwritten."""
    if is_csr(x):
        # A count by weights adds in the order of its arguments.
        rows = np.concatenate([np.arange(len(total)), rows_of(x)])
        terms = np.concatenate([total, x.data * weights[x.indices]])
        return np.asarray(np.bincount(rows, terms, len(total)), dtype=np.float64)
    if x.shape[1] <= NARROW:
        _add_columns(x, weights, total)
    elif not KERNELS.wait(x.size // _PER_LEAF):
        KERNELS.load().add_products(np.ascontiguousarray(x), np.ascontiguousarray(weights), total)
    elif x.shape[1] <= _MOST_COLUMNS:
        step = _BLOCK_OF_COLUMNS // x.shape[1]
        for start in range(0, len(x), step):
            _add_columns(x[start : start + step], weights, total[start : start + step])
    else:
        step = max(_BLOCK // x.shape[1], 1)
        for start in range(0, len(x), step):
            products = x[start : start + step] * weights
            products[:, 0] += total[start : start + step]
            total[start : start + step] = np.cumsum(products, axis=1)[:, -1]
    return total


def _add_columns(x: Doubles, weights: Doubles, total: Doubles) -> None:
    product = np.empty(len(x))
    for column, weight in zip(x.T, weights.tolist(), strict=True):
        total += np.multiply(column, weight, out=product)


def matrix_products(x: Doubles | csr_array, matrix: Doubles) -> Doubles:
    """The products (rows, outputs) of each row of ``x`` with the rows of ``matrix`` (outputs, elements)."""
    if is_csr(x):
        # SciPy adds the stored elements of a row one after the other.
        return np.asarray(x @ matrix.T)
    result = np.zeros((len(x), len(matrix)))
    if x.size * len(matrix) > _BLOCK and not KERNELS.wait(x.size * len(matrix) // _PER_LEAF):
        if len(matrix) < _FEW_OUTPUTS:
            KERNELS.load().few_products(np.ascontiguousarray(x), np.ascontiguousarray(matrix), result)
        else:
            KERNELS.load().many_products(np.ascontiguousarray(x), np.ascontiguousarray(matrix.T), result)
        return result
    if x.shape[1] <= NARROW and len(x) < len(matrix):
        for column, weights in zip(x.T, matrix.T, strict=True):
            result += np.outer(column, weights)
        return result
    for output, weights in zip(result.T, matrix, strict=True):
        output[:] = add_products(x, weights, np.zeros(len(x)))
    return result
