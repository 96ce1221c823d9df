"""Sparse vectors, as SciPy's ``csr_array``. SciPy takes a quarter of a second to import, so that the first of them does."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def csr(*arguments: Any, **options: Any) -> csr_array:
    """A ``csr_array`` of its arguments."""
    from scipy import sparse

    return sparse.csr_array(*arguments, **options)


def is_csr(values: object) -> TypeGuard[csr_array]:
    """True if ``values`` are a ``csr_array``."""
    return "scipy.sparse" in sys.modules and _is_csr(values)


def is_sparse(values: object) -> bool:
    """True if ``values`` are a sparse array or matrix of SciPy in any format."""
    return "scipy.sparse" in sys.modules and _is_sparse(values)


def stacked(parts: Sequence[Any], *, axis: int) -> csr_array:
    """Dense and sparse arrays as one, below (0) or beside (1) each other."""
    from scipy import sparse

    return (sparse.hstack if axis else sparse.vstack)([sparse.csr_array(part) for part in parts], format="csr")


def _is_csr(values: object) -> bool:
    from scipy.sparse import csr_array

    return isinstance(values, csr_array)


def _is_sparse(values: object) -> bool:
    from scipy.sparse import issparse

    return bool(issparse(values))
