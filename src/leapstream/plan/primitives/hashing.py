"""Hashes of tokens, of features and of vectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leapstream.plan.graph import Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class HashedCounts(Expr):
    """The number of occurrences of each hash of the tokens ``x``, or with ``binary`` 1, as a sparse vector of ``size`` elements.

    The hash is 32-bit Murmur3 with seed 42 of the token in UTF-8, modulo ``size``. With ``legacy_tail`` the bytes after the last
    4-byte block are mixed in one by one, as signed numbers. A missing token's hash is 42 (before the modulo).
    """

    x: Expr
    size: int
    binary: bool
    legacy_tail: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class SignedHashes(Expr):
    """The number of occurrences of each hash of the tokens ``x``, as a sparse vector of ``size`` elements.

    The hash is 32-bit Murmur3 with seed 0 of the token in UTF-8, and the element is its magnitude modulo ``size``. With
    ``signed``, a token of a negative hash counts as -1; with ``binary``, each element is 1 instead. Missing tokens are left out.
    """

    x: Expr
    size: int
    signed: bool
    binary: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class HashedFeatures(Expr):
    """A sparse vector of ``size`` elements, made of the scalars ``xs``; missing scalars are left out.

    A number is added to the element at the hash of its name. For a category, 1 is added to the element at the hash of
    ``name=value``, with the value as Java's ``toString`` prints it. The hash is that of :class:`HashedCounts`.
    """

    xs: tuple[Expr, ...]
    names: tuple[str, ...]
    categories: tuple[bool, ...]
    size: int


@dataclass(frozen=True, eq=False, kw_only=True)
class MinHash(Expr):
    """For each pair (a, b) the least ``((1 + i) * a + b) % 2038074743`` over the indexes ``i`` where the vector ``x`` is not 0.

    Computed in Java's 32-bit arithmetic, which overflows. Fails where all elements are 0.
    """

    x: Expr
    a: npt.NDArray[np.int32]
    b: npt.NDArray[np.int32]
