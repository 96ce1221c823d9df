"""The texts of bundles as messages, terminals, JSON, HTML and SQL get them."""

from __future__ import annotations

import json
import pickle

import pytest

from leapstream import BundleError, PredictionError
from leapstream.errors import UnsupportedModelError
from leapstream.escaping import html_text, json_text, message_value, printable, printable_lines, sql_name, sql_string
from leapstream.executors import failures

EVIL = "\x1b]0;PWNED\x1b\\\x1b[2J\u202e\x9b31m\n2026 INFO all is well"


def test_characters_that_are_not_shown_become_escapes() -> None:
    assert printable("a\nb\r\t\0\33[31m") == r"a\nb\r\t\x00\x1b[31m"
    assert (
        printable("\x7f\x9b\xad\u202e\u2028\ufeff\ud835\U000e0041") == r"\x7f\x9b\xad\u202e\u2028\ufeff\ud835\U000e0041"
    )
    assert printable_lines("a\nb\x1b") == "a\nb\\x1b"


@pytest.mark.parametrize("text", ["it's", '"é" \\s+', "漢字 \U0001d4b3", ""])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert printable(text) == printable_lines(text) == message_value(text) == text


def test_values_in_messages_are_cut_after_a_thousand_characters() -> None:
    assert message_value("x" * 1001) == "x" * 1000 + "…"
    assert failures.unseen_label("x" * 10**6) == f"unseen label '{'x' * 1000}…'"


def test_texts_of_errors_are_printable_in_one_line() -> None:
    assert str(BundleError(EVIL)) == str(UnsupportedModelError(EVIL)) == printable(EVIL)
    failed = PredictionError(failures.unseen_label(EVIL), model=EVIL, node="it's", column=EVIL, row=3)
    for error in (failed, pickle.loads(pickle.dumps(failed))):
        assert str(error) == (
            f"unseen label '{printable(EVIL)}' (model '{printable(EVIL)}', node 'it's', column '{printable(EVIL)}', row 3)"
        )


def test_json_holds_the_text_and_shows_no_controls() -> None:
    value = {EVIL: ["\x7f\U000e0041\ud800é"]}
    text = json_text(value, indent=2)
    assert json.loads(text) == value
    assert printable_lines(text) == text and "é" in text


def test_html_and_sql_hold_no_markup_of_a_text() -> None:
    assert html_text("<b a='x'>\x1b") == "&lt;b a=&#x27;x&#x27;&gt;\\x1b"
    assert sql_name("a`b") == "`a``b`"
    assert sql_string("it's") == "'it''s'"
    assert sql_string("it's\n\\\U000e0041") == r"U&'it''s\000a\\\db40\dc41'"
