"""Statements for a bundle whose names and labels are SQL, or are not shown."""

from __future__ import annotations

import pytest

from leapstream import ConfigError, Model
from leapstream.cli.statements import split
from leapstream.flink.ddl import statements
from leapstream.ops.feature import StringIndexer
from tests.pipelines import node

INJECTION = "x' = '1'); DROP TABLE Orders; --`"


def indexer(column: str, labels: tuple[str, ...] = ("a",)) -> Model:
    return Model.from_node(node("index", StringIndexer((labels,)), {"input": column}, {"output": "index"}))


def test_names_and_labels_stay_within_their_quotes() -> None:
    found = [statement.text for statement in split(";\n".join(statements("Shown", indexer(INJECTION, (INJECTION,)))))]
    assert [text.split()[0] for text in found] == ["CREATE"] * 4 + ["SELECT"] * 3


def test_labels_that_are_not_shown_become_code_points() -> None:
    (table, *_) = statements("Shown", indexer("x", ("a\x1b]0;", "it's")))
    assert r"U&'a\001b]0;', 'it''s'" in table


@pytest.mark.parametrize("column", ["x\x1b", "x\ny", "\u202ex"])
def test_a_column_whose_name_is_not_shown_is_rejected(column: str) -> None:
    with pytest.raises(ConfigError, match="control characters"):
        statements("Shown", indexer(column))
