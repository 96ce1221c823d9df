"""Kernels over the UTF-8 of strings give what plain Python gives."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import issparse

from leapstream.bundle.types import BasicType, DataType, ListType, ScalarType, Schema
from leapstream.executors.columns import WIDE, Column
from leapstream.executors.contract import Outcome
from leapstream.executors.vectorized import textkernels
from leapstream.executors.vectorized.executor import VectorizedPlan
from leapstream.javalike.text import Matcher, UncertainMatchError, letters
from leapstream.plan import primitives as p
from leapstream.plan.planning import make_plan
from tests.ops.texts import texts, words

STRING = ScalarType(BasicType.STRING, nullable=False)
STRINGS = ListType(BasicType.STRING, nullable=False)
lists = st.lists(st.lists(words, max_size=6), min_size=1, max_size=6)


def run(expr: p.Expr, values: list[Any] | pa.Array, data_type: DataType) -> Outcome[Column]:
    (x,) = expr.operands
    plan = make_plan("model", Schema.of([("x", data_type)]), [x, expr], [("out", expr)])
    array = values if isinstance(values, pa.Array) else pa.array(values, pa.list_(pa.string()))
    return VectorizedPlan(plan).run({"x": Column(array)}, len(array))


def tokens_of(pattern: str, gaps: bool, values: list[str] | pa.Array) -> list[list[str]]:
    expr = p.Tokens(x=p.Input(name="x", type=STRING), pattern=pattern, gaps=gaps, type=STRINGS)
    array = values if isinstance(values, pa.Array) else pa.array(values, pa.string())
    return run(expr, array, STRING).columns["out"].values.to_pylist()


@pytest.mark.parametrize("gaps", [True, False])
@pytest.mark.parametrize("pattern", [r"\s", r"\s+", r"\W", r"\W+", "[^a]", "a", "[^a]+"])
@given(values=st.lists(texts, min_size=1, max_size=6))
@settings(max_examples=30, deadline=None)
def test_tokens_of_a_set_of_characters_are_those_of_its_pattern(pattern: str, gaps: bool, values: list[str]) -> None:
    matcher = Matcher.of(pattern)
    find = matcher.gaps if gaps else matcher.matches
    assert tokens_of(pattern, gaps, values) == [find(text) for text in values]


def test_slice_of_an_array_gives_the_tokens_of_its_rows() -> None:
    array = pa.array(["x y", "a b", "é  c"]).slice(1)
    assert tokens_of(r"\s", True, array) == [["a", "b"], ["é", "", "c"]]
    assert tokens_of(r"\s|b", True, array) == [["a"], ["é", "", "c"]]


def test_no_rows_give_no_tokens() -> None:
    assert tokens_of(r"\s", True, []) == tokens_of("ab", True, []) == []


@given(rows=lists, n=st.integers(1, 3))
@settings(max_examples=50, deadline=None)
def test_ngrams_are_neighbours_joined(rows: list[list[str]], n: int) -> None:
    expr = p.NGrams(x=p.Input(name="x", type=STRINGS), n=n, type=STRINGS)
    expected = [[" ".join(row[i : i + n]) for i in range(len(row) - n + 1)] for row in rows]
    assert run(expr, rows, STRINGS).columns["out"].values.to_pylist() == expected


@given(rows=lists, least=st.integers(0, 4), only_letters=st.booleans())
@settings(max_examples=50, deadline=None)
def test_long_tokens_are_measured_in_utf_16(rows: list[list[str]], least: int, only_letters: bool) -> None:
    expr = p.TokensOfLength(x=p.Input(name="x", type=STRINGS), min_length=least, letters=only_letters, type=STRINGS)

    def fine(word: str) -> bool:
        long = len(word.encode("utf-16-le")) >= 2 * least
        return long and (not only_letters or all(c <= "\uffff" and c.isalpha() for c in word))

    expected = [[word for word in row if fine(word)] for row in rows]
    assert run(expr, rows, STRINGS).columns["out"].values.to_pylist() == expected


def murmur3(data: bytes, legacy_tail: bool) -> int:
    """Murmur3 in Python's integers."""

    def rotate(x: int, by: int) -> int:
        return (x << by | x >> 32 - by) & 0xFFFFFFFF

    def scramble(word: int) -> int:
        return rotate(word * 0xCC9E2D51 & 0xFFFFFFFF, 15) * 0x1B873593 & 0xFFFFFFFF

    def mix(state: int, word: int) -> int:
        return (rotate(state ^ scramble(word), 13) * 5 + 0xE6546B64) & 0xFFFFFFFF

    state, full = 42, len(data) // 4 * 4
    for at in range(0, full, 4):
        state = mix(state, int.from_bytes(data[at : at + 4], "little"))
    if legacy_tail:
        for byte in data[full:]:
            state = mix(state, (byte - 256 if byte > 127 else byte) & 0xFFFFFFFF)
    else:
        state ^= scramble(int.from_bytes(data[full:], "little"))
    state ^= len(data)
    state = (state ^ state >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    state = (state ^ state >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    state ^= state >> 16
    return state - 2**32 if state >= 2**31 else state


@given(rows=lists, size=st.sampled_from([1, 7, 100, WIDE, 1 << 18, 2**31 - 1]), legacy_tail=st.booleans())
@settings(max_examples=60, deadline=None)
def test_counts_of_hashes_are_those_of_murmur3(rows: list[list[str]], size: int, legacy_tail: bool) -> None:
    expr = p.HashedCounts(
        x=p.Input(name="x", type=STRINGS), size=size, binary=False, legacy_tail=legacy_tail, type=p.vector(size)
    )
    found = run(expr, rows, STRINGS).columns["out"].values
    assert issparse(found) == (size >= WIDE)
    for row, given_row in enumerate(rows):
        expected = Counter(murmur3(word.encode(), legacy_tail) % size for word in given_row)
        if issparse(found):
            start, end = found.indptr[row : row + 2]
            assert dict(zip(found.indices[start:end], found.data[start:end], strict=True)) == expected
            assert all(a < b for a, b in pairwise(found.indices[start:end]))
        else:
            assert {i: found[row, i] for i in np.flatnonzero(found[row])} == expected


def test_bytes_that_are_no_utf_8_are_not_read_beyond_their_end() -> None:
    data = np.frombuffer(b"a\xf0", np.uint8)
    offsets = np.array([0, 2], np.int32)
    kept = np.ones(1, dtype=bool)
    textkernels.long_tokens(offsets, data, letters(), True, 0, kept)
    assert not kept[0]
    starts, out = np.zeros(2, np.int64), np.zeros(2, np.uint8)
    table = np.zeros(128, dtype=bool)
    assert textkernels.tokens(offsets, data, table, True, True, False, True, starts, np.zeros(2, np.int32), out) == (
        1,
        1,
    )


def test_strings_in_lower_case_keep_their_places() -> None:
    expr = p.LowerCase(x=p.Input(name="x", type=STRING), type=STRING)
    found = run(expr, pa.array(["A", "É", "B", None, "ΑΣ"]), STRING).columns["out"].values
    assert found.to_pylist() == ["a", "é", "b", None, "ας"]


def test_empty_matches_leave_no_empty_string_in_front() -> None:
    assert Matcher.of("").gaps("ab") == ["a", "b"]
    assert Matcher.of("").gaps("") == [""]
    assert Matcher.of("a*").matches("aab") == ["aa", "", ""]
    # Python's own would find the a, too.
    assert Matcher.of("|a").matches("a") == ["", ""]


def test_match_that_java_versions_or_surrogates_make_uncertain_is_none() -> None:
    edge = Matcher.of(r"\bé\b")
    assert not edge.found("e")
    with pytest.raises(UncertainMatchError, match="Java 17"):
        edge.found("é")
    with pytest.raises(UncertainMatchError, match="surrogates"):
        Matcher.of("x*").matches("😀")


def test_many_texts_are_matched_in_parts() -> None:
    assert tokens_of("ab|c", True, ["1ab2c"] * 5000) == [["1", "2"]] * 5000
