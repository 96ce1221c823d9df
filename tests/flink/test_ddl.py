"""Statements for a bundle whose names and labels are SQL, or are not shown."""

from __future__ import annotations

import pytest

from leapstream import ConfigError, Model
from leapstream.cli.statements import split
from leapstream.drift import Column, Profile
from leapstream.flink.ddl import create_table_statement, statements
from leapstream.ops.feature import MathUnary, StringIndexer
from tests.pipelines import node

INJECTION = "x' = '1'); DROP TABLE Orders; --`"


def indexer(column: str, labels: tuple[str, ...] = ("a",)) -> Model:
    return Model.from_node(node("index", StringIndexer((labels,)), {"input": column}, {"output": "index"}))


def test_names_and_labels_stay_within_their_quotes() -> None:
    found = statements("Shown", indexer(INJECTION, (INJECTION,)), jar=f"/{INJECTION}.jar")
    texts = [statement.text for statement in split(";\n".join(found))]
    order = ["SET", "SET", "ADD", "CREATE", "CREATE", "SELECT", "CREATE", "SELECT", "CREATE", "SELECT"]
    assert [text.split()[0] for text in texts] == order


def test_statements_are_those_that_the_version_of_flink_has() -> None:
    def kinds(*version: int) -> list[str]:
        return [" ".join(text.split()[:2]) for text in statements("Shown", indexer("x"), flink=version)]

    assert kinds(1, 20) == ["CREATE TABLE", "CREATE FUNCTION", "SELECT `Shown`(`x`)"]
    assert kinds(2, 0) == kinds(1, 20)
    assert kinds(2, 1) == [*kinds(1, 20), "CREATE MODEL", "SELECT *", "CREATE FUNCTION", "SELECT *"]


def test_ranges_are_short_numbers_unless_that_empties_them() -> None:
    model = Model.from_node(node("add", MathUnary("exp"), {"input": "x"}, {"output": "y"}))

    def options(*edges: float) -> str:
        trained = Profile((Column("x", "input", "number", (0,) * (len(edges) + 1), 1, edges),), 1, 1)
        return create_table_statement("t", model, profile=trained).partition("WITH")[2]

    assert "'fields.x.min' = '0.1235'" in options(0.123456, 9.0)
    assert "'fields.x.min' = '0.123456'" in options(0.123456, 0.1234561)


def test_labels_that_are_not_shown_become_code_points() -> None:
    (table, *_) = statements("Shown", indexer("x", ("a\x1b]0;", "it's")))
    assert r"U&'a\001b]0;', 'it''s'" in table


@pytest.mark.parametrize("column", ["x\x1b", "x\ny", "\u202ex"])
def test_a_column_whose_name_is_not_shown_is_rejected(column: str) -> None:
    with pytest.raises(ConfigError, match="control characters"):
        statements("Shown", indexer(column))
