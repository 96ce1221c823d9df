from __future__ import annotations

import math

import pytest
import regex

from leapstream import BundleError, UnsupportedOpError
from leapstream.javalike.regex import check, translate


def matches(pattern: str, text: str) -> list[str]:
    return [m.group() for m in regex.finditer(translate(pattern).sources[0], text, regex.V0)]


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"\s", " \xa0\u2028\x0b", [" ", "\x0b"]),
        (r"\w+", "aé_1٣", ["a", "_1"]),
        (r"\d", "1٣", ["1"]),
        (".", "a\n\r\x85\u2028\x0bb", ["a", "\x0b", "b"]),
        ("(?s).", "\n\x85", ["\n", "\x85"]),
        ("(?i)k", "kK\u212a", ["k", "K"]),
        ("(?i)é|ß", "ÉéßS", ["é", "ß"]),
        ("(?i:a)a", "Aa AA", ["Aa"]),
        ("(?i)[a-c&]", "B&d", ["B", "&"]),
        ("(?i)[^a]", "Ab", ["b"]),
        ("a$", "a\r\n", ["a"]),
        ("a$", "a\n\n", []),
        (r"a\z", "a\n", []),
        (r"\Qa.b\E+", "a.bb aab", ["a.bb"]),
        (r"[\Q]^\E-]", "]^-a", ["]", "^", "-"]),
        (r"\x41\u0042\0103\x{44}\ud83d\ude00", "ABCD😀", ["ABCD😀"]),
        (r"\cA", "\x01", ["\x01"]),
        ("a*+a", "aaa", []),
        ("(?>a|ab)c", "abc", []),
        ("a{2,}?", "aaaa", ["aa", "aa"]),
        (r"[\w-]+", "a-b", ["a-b"]),
        (r"[^\p{L}1]", "é1 ", [" "]),
        (r"\p{Punct}+", "a.$^|_", [".$^|_"]),
        (r"\P{IsGreek}", "αa", ["a"]),
        (r"\p{script=Han}\pL", "日本", ["日本"]),
        (r"}]", "}]", ["}]"]),
        (r"(?<name>a)(?<=a)(?<!b)(?=b)b", "ab", ["ab"]),
        (r"\h\v", "\xa0\x85", ["\xa0\x85"]),
    ],
)
def test_pattern_means_what_it_means_in_java(pattern: str, text: str, found: list[str]) -> None:
    assert matches(pattern, text) == found


@pytest.mark.parametrize(
    ("pattern", "construct"),
    [
        (r"(a)\1", "a back reference"),
        (r"(?<n>a)\k<n>", "a back reference"),
        ("(?m)^a", "the flag 'm'"),
        ("(?x)a", "the flag 'x'"),
        ("(?U:a)", "the flag 'U'"),
        (r"a\R", r"\R"),
        (r"\Ga", r"\G"),
        (r"\b{g}", r"\b{…}"),
        ("[a&&b]", "a class within a class"),
        ("[a[b]]", "a class within a class"),
        ("[]a]", "a ']' in front of a class"),
        (r"[a-\d]", "a range that ends in a class"),
        ("(a*)*", "a repetition of what may be empty"),
        ("a{2}{3}", "a repetition of nothing"),
        ("a{20000}", "the repetition {20000}"),
        (r"(?<=a*+)b", "an endless part"),
        (r"(?<=(?>a))b", "look-behind"),
        (r"\p{InGreek}", "the property 'InGreek'"),
        (r"\p{javaLowerCase}", "the property 'javaLowerCase'"),
        (r"(?i)\p{Lu}", "the property 'Lu' whatever the case"),
        (r"(?i)\p{Lower}", "the property 'Lower' whatever the case"),
        (r"\ud83d", "half of a surrogate pair"),
        ("(" * 101 + ")" * 101, "more than 100 groups"),
    ],
)
def test_what_is_something_else_outside_of_java_is_rejected_by_name(pattern: str, construct: str) -> None:
    check(pattern)
    with pytest.raises(UnsupportedOpError) as error:
        translate(pattern)
    assert repr(pattern)[:50] in str(error.value) and construct.replace("an endless part", "endless") in str(
        error.value
    )


NO_PATTERNS = [
    *(
        "(a",
        "a)",
        "[a",
        "*a",
        "a**",
        "a+++",
        "a{",
        "a{2",
        "a{,2}",
        "a{3,2}",
        "{",
        "[b-a]",
        "a\\",
        "(?q)",
        "(?i",
        r"[\b]",
    ),
    *(r"\y", r"\E", r"\x4", r"\x{110000}", r"\u12", r"\09", r"\p{L", r"\p", r"\c", "(?<1>a)", "(?<n>a)(?<n>b)", "(?<n"),
]


@pytest.mark.parametrize("pattern", NO_PATTERNS)
def test_what_is_not_a_pattern_in_java_is_rejected(pattern: str) -> None:
    with pytest.raises(BundleError, match="is not valid in Java"):
        check(pattern)


def test_edges_of_words_have_a_pattern_for_each_of_javas_meanings() -> None:
    old, new = translate(r"\bé").sources[1], translate(r"\bé").sources[0]
    assert regex.search(old, "é") and not regex.search(new, "é")
    assert len(translate("é").sources) == 1


@pytest.mark.parametrize(
    ("pattern", "repeated", "inside"),
    [(r"\s", False, " "), (r"\W+", True, ".é"), ("[^a]++", True, "bé"), (",", False, ","), ("(?i)a", False, "aA")],
)
def test_pattern_that_is_a_set_of_characters_is_known_as_such(pattern: str, repeated: bool, inside: str) -> None:
    found = translate(pattern)
    assert found.chars is not None and found.repeated is repeated
    table = found.chars.ascii_table
    assert table is not None and all(table[0][ord(c)] if c < "\x80" else table[1] for c in inside)


@pytest.mark.parametrize("pattern", [r"\s+?", r"\s*", "ab", "(a)", "é", r"\p{L}", r"(?:a+)+"])
def test_pattern_that_is_more_than_a_set_of_ascii_characters_is_matched(pattern: str) -> None:
    found = translate(pattern)
    assert found.chars is None or found.chars.ascii_table is None


def test_pattern_that_may_match_nothing_is_known() -> None:
    assert translate("a*|b").matches_empty and translate("^").matches_empty and not translate("a+|b").matches_empty


@pytest.mark.parametrize(
    ("pattern", "loops"),
    [
        ("a", 0),
        ("a{3}", 0),
        ("[a-z]+", 1),
        (r"\w+(?:'\w+)?", 3),
        ("a|b+", 1),
        ("(?:ab)*", 1),
        ("(a|b)+", math.inf),
        ("(a+)+", math.inf),
        ("(a+b){2}", math.inf),
    ],
)
def test_loops_bound_the_steps_of_a_match(pattern: str, loops: float) -> None:
    assert translate(pattern).loops == loops
