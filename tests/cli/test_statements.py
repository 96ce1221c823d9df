"""Splitting SQL scripts as Flink's lexer does."""

from __future__ import annotations

import pytest

from leapstream.cli.statements import split
from leapstream.errors import ConfigError


def texts(script: str) -> list[str]:
    return [statement.text for statement in split(script)]


def test_semicolons_end_statements_and_the_last_may_lack_one() -> None:
    assert texts("SELECT 1;\n\nSELECT 2 ; ;SELECT 3") == ["SELECT 1", "SELECT 2", "SELECT 3"]


def test_semicolons_in_quotes_names_and_comments_do_not_end_a_statement() -> None:
    assert texts("SELECT 'a;''b;', `c;``d` -- e;\n/* f; */ FROM t;") == ["SELECT 'a;''b;', `c;``d`  \n  FROM t"]


def test_a_backslash_escapes_nothing() -> None:
    assert texts(r"SELECT '\'; SELECT ';'") == [r"SELECT '\'", "SELECT ';'"]


def test_comment_marks_in_strings_are_text() -> None:
    assert texts("SELECT '--', '/*'; SELECT 'http://x'") == ["SELECT '--', '/*'", "SELECT 'http://x'"]


def test_hints_are_kept() -> None:
    assert texts("SELECT /*+ OPTIONS('a'='b;c') */ 1") == ["SELECT /*+ OPTIONS('a'='b;c') */ 1"]


@pytest.mark.parametrize(
    "begin", ["EXECUTE STATEMENT SET\nBEGIN", "execute statement set begin", "BEGIN STATEMENT SET;"]
)
def test_a_statement_set_is_one_statement(begin: str) -> None:
    found = texts(f"SELECT 0; {begin} INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END; SELECT 3")
    assert len(found) == 3
    assert found[1].upper().split()[:4] == ["EXECUTE", "STATEMENT", "SET", "BEGIN"]
    assert found[1].endswith("INSERT INTO b SELECT 2;\nEND")


def test_statements_know_their_lines() -> None:
    assert [statement.line for statement in split("-- x\nSELECT 1;\n\n  SELECT\n2;")] == [2, 4]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("SELECT 1;\nSELECT 'a", "line 2: a quote"),
        ("/* a", "line 1: a comment"),
        ("SELECT `a", "line 1: a quoted name"),
        ("EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1;", "no END"),
    ],
)
def test_what_does_not_end_is_an_error_with_its_line(script: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        split(script)


def test_settings_are_read_from_set_and_reset() -> None:
    found = [statement.setting() for statement in split("SET 'a.b' = 'it''s'; RESET 'a.b'; SET; SELECT 1")]
    assert found == [("a.b", "it's"), ("a.b", None), None, None]
