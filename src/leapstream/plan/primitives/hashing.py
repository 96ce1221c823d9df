"""Hashes of tokens, of features and of vectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leapstream.plan.graph import Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class HashedCounts(Expr):
    """How often each hash of tokens ``x`` occurs, or with ``binary`` 1 for it, as a sparse vector of ``size``.

    The hash is 32-bit Murmur3 of the UTF-8 with seed 42, modulo ``size``; with ``legacy_tail`` the bytes behind the last full
    word are mixed in one by one, signed. That of a missing token is 42.
    """

    x: Expr
    size: int
    binary: bool
    legacy_tail: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class HashedFeatures(Expr):
    """The scalars ``xs``, each added to the element at its hash of a sparse vector of ``size``; missing ones are left out.

    The hash is that of :class:`HashedCounts`. Of a number it is that of its name; of a category it is that of ``name=value``, the
    value written as Java's ``toString``, and 1 is added.
    """

    xs: tuple[Expr, ...]
    names: tuple[str, ...]
    categories: tuple[bool, ...]
    size: int


@dataclass(frozen=True, eq=False, kw_only=True)
class MinHash(Expr):
    """For each pair the least ``((1 + i) * a + b) % 2038074743`` over the indices ``i`` of elements of ``x`` that are not 0.

    In Java's 32-bit arithmetic, which overflows. Fails where all elements are 0.
    """

    x: Expr
    a: npt.NDArray[np.int32]
    b: npt.NDArray[np.int32]
