"""Hashes of tokens, of columns and of vectors."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.utils import murmurhash3_32

from leapstream import Tensor
from leapstream.bundle.types import BasicType, ScalarType
from leapstream.executors.contract import Executor
from leapstream.plan import primitives as p
from tests.executors.vectorized.test_text import murmur3
from tests.primitives.cases import MAYBE_DOUBLE, MAYBE_STRING, TOKENS, VEC, Case, Fails, column
from tests.primitives.running import dense, sparse

WORDS = ["a", "été", "日本語", "😀", "", "abcd", "a"]
NAN = math.nan


def hashed(size: int, words: list[str], legacy: bool = False) -> dict[int, float]:
    found: dict[int, float] = {}
    for word in words:
        place = murmur3(word.encode(), legacy) % size
        found[place] = found.get(place, 0.0) + 1.0
    return dict(sorted(found.items()))


def counts(size: int, binary: bool = False, legacy: bool = False) -> Case:
    found = hashed(size, WORDS, legacy)
    expected = {place: 1.0 if binary else count for place, count in found.items()}
    return Case(
        f"hashes of tokens modulo {size} are counted, {binary=}, {legacy=}",
        p.HashedCounts(x=TOKENS, size=size, binary=binary, legacy_tail=legacy, type=p.vector(size)),
        [(WORDS, sparse(size, expected)), ([], sparse(size, {})), ([None], sparse(size, {42 % size: 1.0}))],
    )


def signed(size: int, *, signs: bool = True, binary: bool = False) -> Case:
    found: dict[int, float] = {}
    for word in WORDS:
        code = murmurhash3_32(word.encode(), 0)
        found[abs(code) % size] = found.get(abs(code) % size, 0.0) + (-1.0 if signs and code < 0 else 1.0)
    expected = {place: 1.0 if binary else number for place, number in sorted(found.items())}
    return Case(
        f"hashes of seed 0 modulo {size} have signs, {signs=}, {binary=}",
        p.SignedHashes(x=TOKENS, size=size, signed=signs, binary=binary, type=p.vector(size)),
        [(WORDS, sparse(size, expected)), ([], sparse(size, {})), ([None], sparse(size, {}))],
    )


def category(base: BasicType, value: Any, text: str) -> Case:
    x = column(ScalarType(base))
    expr = p.HashedFeatures(xs=(x,), names=("x",), categories=(True,), size=1 << 18, type=p.vector(1 << 18))
    return Case(
        f"the {base} {text} is hashed as Java writes it",
        expr,
        [(value, sparse(1 << 18, hashed(1 << 18, [f"x={text}"]))), (None, sparse(1 << 18, {}))],
    )


ADDED = p.HashedFeatures(
    xs=(column(MAYBE_DOUBLE, "n"), column(MAYBE_STRING, "s")),
    names=("n", "s"),
    categories=(False, True),
    size=1 << 18,
    type=p.vector(1 << 18),
)
SHORT = p.HashedFeatures(
    xs=(
        column(MAYBE_DOUBLE, "n"),
        column(MAYBE_STRING, "s"),
        column(ScalarType(BasicType.BOOLEAN), "b"),
        column(ScalarType(BasicType.LONG), "l"),
        column(MAYBE_DOUBLE, "d"),
    ),
    names=("n", "s", "b", "l", "d"),
    categories=(False, True, True, True, True),
    size=11,
    type=p.vector(11),
)


def elements(size: int, number: float, *words: str) -> Tensor:
    """The vector with a number at the hash of ``n``, and 1 at the hashes of words."""
    values = {murmur3(b"n", False) % size: number}
    for word in words:
        place = murmur3(word.encode(), False) % size
        values[place] = values.get(place, 0.0) + 1.0
    return sparse(size, dict(sorted(values.items())))


(PLACE_N,) = hashed(1 << 18, ["n"])
(PLACE_S,) = hashed(1 << 18, ["s=ä"])
EVERY_ZERO = Fails("the vector needs an element that is not 0")

CASES = [
    *(signed(size, signs=signs) for size in (1 << 20, 97, 2) for signs in (True, False)),
    signed(1 << 20, binary=True),
    counts(7),
    counts(100, binary=True),
    counts(100, legacy=True),
    counts(1 << 18),
    counts(2**31 - 1),
    category(BasicType.BOOLEAN, True, "true"),
    category(BasicType.BYTE, -3, "-3"),
    category(BasicType.SHORT, 300, "300"),
    category(BasicType.INT, -(2**31), "-2147483648"),
    category(BasicType.LONG, 2**63 - 1, "9223372036854775807"),
    category(BasicType.FLOAT, float(np.float32(0.1)), "0.1"),
    category(BasicType.DOUBLE, 1e7, "1.0E7"),
    category(BasicType.DOUBLE, -0.0, "-0.0"),
    category(BasicType.DOUBLE, NAN, "NaN"),
    category(BasicType.STRING, "𝄞", "𝄞"),
    Case(
        "numbers are added at the hash of their names",
        ADDED,
        [
            ((2.5, "ä"), sparse(1 << 18, {PLACE_N: 2.5, PLACE_S: 1.0})),
            ((None, "ä"), sparse(1 << 18, {PLACE_S: 1.0})),
            ((0.0, None), sparse(1 << 18, {PLACE_N: 0.0})),
        ],
    ),
    Case(
        "short vectors of features have what is missing left out",
        SHORT,
        [
            ((2.5, "ä", True, -7, -0.0), elements(11, 2.5, "s=ä", "b=true", "l=-7", "d=-0.0")),
            ((NAN, "ä", False, 7, 1e7), elements(11, NAN, "s=ä", "b=false", "l=7", "d=1.0E7")),
            ((None, None, None, None, None), sparse(11, {})),
        ],
    ),
    Case(
        "one element tells how many features there are",
        replace(SHORT, size=1, type=p.vector(1)),
        [((2.5, "ä", None, 1, None), sparse(1, {0: 4.5})), ((None, None, None, None, None), sparse(1, {}))],
    ),
    Case(
        "the least hash over elements that are not 0, in 32 bits",
        p.MinHash(
            x=VEC, a=np.array([1, 2**31 - 1], dtype=np.int32), b=np.array([0, 7], dtype=np.int32), type=p.vector(2)
        ),
        [
            (dense(0, 1, NAN), dense(2, -109408901)),
            (sparse(9, {4: 0.0, 5: -1.0}), dense(6, 1)),
            (dense(0, -0.0), EVERY_ZERO),
            (sparse(3, {}), EVERY_ZERO),
        ],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, executor: Executor) -> None:
    case.check(executor)
