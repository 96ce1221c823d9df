"""Counts and vectors of known words."""

from __future__ import annotations

import math

import numpy as np
import pytest

from leapstream.executors.contract import Executor
from leapstream.plan import primitives as p
from tests.primitives.cases import TOKENS, Case, Fails
from tests.primitives.running import dense, sparse


def counts(binary: bool, least: float, vocabulary: tuple[str, ...] = ("a", "é", "😀")) -> p.VocabularyCounts:
    return p.VocabularyCounts(
        x=TOKENS, vocabulary=vocabulary, binary=binary, min_count=least, type=p.vector(len(set(vocabulary)))
    )


def vectors(normalize: bool) -> p.WordVectors:
    table = np.array([[3.0, 4.0], [1.0, 0.0], [0.0, 0.0]])
    complete = (True, True, False)
    return p.WordVectors(
        x=TOKENS, words=("a", "b", "c"), vectors=table, complete=complete, normalize=normalize, type=p.vector(2)
    )


INCOMPLETE = Fails("the vector of a word is incomplete")

CASES = [
    Case(
        "words of a vocabulary are counted",
        counts(False, 1.0),
        [
            (["a", "😀", "a", "x", None], sparse(3, {0: 2.0, 2: 1.0})),
            ([], sparse(3, {})),
        ],
    ),
    Case(
        "counts below a share of the tokens are left out", counts(True, 0.5), [(["a", "a", "é"], sparse(3, {0: 1.0}))]
    ),
    Case("counts below a number are left out", counts(False, 2.0), [(["a", "a", "é"], sparse(3, {0: 2.0}))]),
    Case("no count is at least NaN", counts(False, math.nan), [(["a", "a", "é"], sparse(3, {}))]),
    Case(
        "a word that repeats takes the last position",
        counts(False, 1.0, ("a", "b", "a")),
        [
            (["b"], sparse(2, {1: 1.0})),
            (["a"], Fails("a word repeats in the vocabulary, which leaves no element for another")),
        ],
    ),
    Case(
        "vectors of words are averaged over all tokens",
        vectors(False),
        [(["a", "b", "x", None], dense(1, 1)), (["x"], dense(0, 0)), (["c"], INCOMPLETE), ([], sparse(2, {}))],
    ),
    Case(
        "vectors of words are divided by their norm",
        vectors(True),
        [(["a"], dense(0.6, 0.8)), (["a", "c"], INCOMPLETE)],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, executor: Executor) -> None:
    case.check(executor)
