"""Strings and tokens."""

from __future__ import annotations

import pytest

from leapstream.executors.contract import Executor
from leapstream.executors.registry import executor
from leapstream.plan import primitives as p
from tests.primitives.cases import STRING, STRINGS, TEXT, TOKENS, Case, Fails
from tests.primitives.running import Failed, run

LOWER = {
    "": "",
    "A b": "a b",
    "İSTANBUL": "i̇stanbul",
    "ΟΔΟΣ ΣΑΣ": "οδος σας",
    "Σ": "σ",
    "Α1Σ": "α1ς",  # Python has α1σ
    "Α.Σ": "α.ς",
    "Α Σ": "α σ",
    "ΑΣ-Β": "ασ-β",
    "ẞ": "ß",
    "𐐀😀": "𐐨😀",
}


def tokens(pattern: str, gaps: bool, *rows: tuple[str, list[str]]) -> Case:
    name = f"{'between' if gaps else 'matches of'} {pattern}"
    return Case(name, p.Tokens(x=TEXT, pattern=pattern, gaps=gaps, type=STRINGS), rows)


CASES = [
    Case("lower case is that of Java", p.LowerCase(x=TEXT, type=STRING), list(LOWER.items())),
    Case(
        "accents are stripped from what they stand on",
        p.StripAccents(x=TEXT, ascii=False, type=STRING),
        [
            ("Été ﬁn", "Ete fin"),
            ("ÅΩ", "AΩ"),
            ("", ""),
            ("x\u0301", "x"),
            ("ab", "ab"),
            ("각", "\u1100\u1161\u11a8"),
            ("😀", "😀"),
        ],
    ),
    Case(
        "characters without an ASCII form are left out",
        p.StripAccents(x=TEXT, ascii=True, type=STRING),
        [("Été ﬁn", "Ete fin"), ("ÅΩ½", "A12"), ("", ""), ("😀a", "a")],
    ),
    Case(
        "substrings are those of code points",
        p.CharacterGrams(x=TEXT, least=1, greatest=2, words=False, type=STRINGS),
        [("a😀b", ["a", "😀", "b", "a😀", "😀b"]), ("a \t b", ["a", " ", "b", "a ", " b"]), ("", []), ("\t", ["\t"])],
    ),
    Case(
        "substrings of words have blanks around them",
        p.CharacterGrams(x=TEXT, least=2, greatest=4, words=True, type=STRINGS),
        [
            ("ab", [" a", "ab", "b ", " ab", "ab ", " ab "]),
            ("é x\u00a0", [" é", "é ", " é ", " x", "x ", " x "]),
            (" ", []),
        ],
    ),
    Case(
        "a word that is too short is taken once",
        p.CharacterGrams(x=TEXT, least=5, greatest=9, words=True, type=STRINGS),
        [("a bcd", [" a ", " bcd "])],
    ),
    tokens(r"\s", True, ("x  y ", ["x", "", "y"]), ("", [""]), (" ", []), ("é\tb", ["é", "b"])),
    tokens(r"\s+", True, (" x  y", ["", "x", "y"])),
    tokens(r"\w+", False, ("a_1 é-b", ["a_1", "b"]), ("-", [])),
    tokens("ab|c", True, ("1ab2c", ["1", "2"]), ("ab", [])),
    tokens("", True, ("ab", ["a", "b"]), ("", [""])),
    tokens("a*", False, ("aab", ["aa", "", ""])),
    tokens("|a", False, ("a", ["", ""])),
    tokens(r"\p{Lu}", False, ("aÉB😀", ["É", "B"])),
    Case(
        "tokens are measured in UTF-16",
        p.TokensOfLength(x=TOKENS, min_length=2, letters=False, type=STRINGS),
        [(["a", "bc", "😀", "é"], ["bc", "😀"]), ([], []), (["ab", None], Fails("a token is missing"))],
    ),
    Case(
        "letters are those of the Basic Multilingual Plane",
        p.TokensOfLength(x=TOKENS, min_length=0, letters=True, type=STRINGS),
        [(["a", "b1", "𐐀", "été", "日本", ""], ["a", "été", "日本", ""])],
    ),
    Case(
        "words are left out whatever their case",
        p.WithoutWords(x=TOKENS, words=("The", "ÉTÉ"), case_sensitive=False, type=STRINGS),
        [(["the", "THE", "été", "a", None], ["a", None])],
    ),
    Case(
        "words are left out in their case",
        p.WithoutWords(x=TOKENS, words=("The",), case_sensitive=True, type=STRINGS),
        [(["the", "The", None], ["the", None]), ([], [])],
    ),
    Case(
        "n-grams are neighbours joined",
        p.NGrams(x=TOKENS, n=2, type=STRINGS),
        [(["a", "b", "c"], ["a b", "b c"]), (["a", None], ["a null"]), (["a"], []), ([], [])],
    ),
    Case("there is no 0-gram", p.NGrams(x=TOKENS, n=0, type=STRINGS), [(["a"], Fails("n-grams of 0 tokens"))]),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, executor: Executor) -> None:
    case.check(executor)


# ---- what Python cannot know, and what Java cannot do ------------------------------------------------------------------


def test_row_with_an_uncertain_match_fails_alone_in_python() -> None:
    plan = Case("", p.Tokens(x=TEXT, pattern="x*", gaps=False, type=STRINGS), []).plan
    first, second, third = run(executor("vectorized").prepare(plan), [("a",), ("😀",), ("x",)])
    assert first == {"out": ["", ""]} and third == {"out": ["x", ""]}
    assert isinstance(second, Failed)
    assert second.reason == "the regular expression 'x*': a match may lie within a pair of surrogates"


@pytest.mark.flink
def test_pattern_that_is_not_translated_runs_on_the_jvm() -> None:
    plan = Case("", p.Tokens(x=TEXT, pattern=r"(\w)\1", gaps=False, type=STRINGS), []).plan
    assert run(executor("jvm").prepare(plan), [("aabccd",), ("abc",)]) == [{"out": ["aa", "cc"]}, {"out": []}]


@pytest.mark.flink
def test_pattern_that_overflows_the_stack_fails_its_row_alone() -> None:
    plan = Case("", p.Tokens(x=TEXT, pattern="(a|b)*", gaps=False, type=STRINGS), []).plan
    deep, fine = run(executor("jvm").prepare(plan), [("ab" * 200_000,), ("ab",)])
    assert isinstance(deep, Failed)
    assert deep.reason == "the regular expression '(a|b)*' needs too deep a stack for this text"
    assert fine == {"out": ["ab", ""]}
