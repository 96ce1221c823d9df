"""Streams that are scored by the versions that a control stream names."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyflink.common import Types
from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from leapstream.errors import SchemaError
from leapstream.flink import score_stream

from .versions import BAD, INPUTS, NAME, Versions

pytestmark = pytest.mark.flink

ROWS = 60
COMMANDS = (
    "no JSON",
    '{"command": "forget"}',
    '{"command": "rollback"}',
    '{"command": "publish", "version": "3"}',
    '{"command": "alias", "version": "3"}',
    '{"command": "alias", "version": "../2"}',
    '{"command": "alias", "version": "nobody"}',
    '{"command": "weights", "versions": {"1": 50, "2": 0}}',
    '{"command": "alias", "version": "2"}',
    '{"command": "weights", "versions": {"1": 50, "2": 50}}',
    '{"command": "rollback"}',
)
"""Of these, the last leaves version 2 live. Version 3 differs from its contract."""


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    """A store whose model has versions 1, which is live, and 2, and a bad version 3."""
    made = Versions(tmp_path / "models")
    made.publish(1, aliases=["live"])
    made.publish(2)
    BAD["contract"][0](made, 3)
    return made


def test_commands_name_the_versions_and_those_that_cannot_be_followed_change_nothing(
    env: StreamExecutionEnvironment, table_env: StreamTableEnvironment, versions: Versions
) -> None:
    columns = ", ".join(f"{name} DOUBLE" for name in INPUTS)
    table_env.execute_sql(
        f"CREATE TEMPORARY TABLE given (id INT, {columns}) WITH ('connector' = 'datagen', 'fields.id.kind' = 'sequence', "
        f"'fields.id.start' = '1', 'fields.id.end' = '{ROWS}', 'rows-per-second' = '30')"
    )
    rows = table_env.to_data_stream(table_env.from_path("given"))
    control = env.from_collection(list(COMMANDS), Types.STRING())
    scored = score_stream(rows, versions.uri, control, table_env=table_env)
    with scored.execute_and_collect() as found:
        answers = [tuple(row) for row in found]
    assert [row[0] for row in answers] == list(range(1, ROWS + 1))
    assert {float(row[-1]) == row[-2] for row in answers} == {True}
    assert {row[-1] for row in answers} <= {"1", "2"}
    assert answers[-1][-1] == "2"


def operators_of(stream: DataStream) -> set[str]:
    """The names of the operators that a stream comes from."""
    above = stream._j_data_stream.getTransformation().getTransitivePredecessors()
    return {transformation.getName() for transformation in above}


def test_rows_that_fail_are_a_stream_of_their_own(
    env: StreamExecutionEnvironment, table_env: StreamTableEnvironment, versions: Versions
) -> None:
    given = "(VALUES (1, 1.0E0, 2.0E0), (2, CAST(NULL AS DOUBLE), 2.0E0)) AS t (id, feature1, feature2)"
    rows = table_env.to_data_stream(
        table_env.sql_query(f"SELECT id, feature1, feature2, 3.0E0 AS feature3 FROM {given}")
    )
    control = env.from_collection(['{"command": "publish", "version": "2"}'], Types.STRING())
    scored = score_stream(rows, versions.uri, control, failed=True, table_env=table_env)
    assert operators_of(scored) >= {f"predict {NAME} by commands", f"failed rows of {NAME}"}
    with scored.execute_and_collect() as found:
        assert [tuple(row) for row in found] == [(1, 1.0, 2.0, 3.0, 1.0, "1")]
    with scored.failed.execute_and_collect() as found:
        ((*columns, error),) = [tuple(row) for row in found]
    assert columns == [2, None, 2.0, 3.0]
    assert "feature1" in error


def test_outputs_and_inputs_are_checked_when_the_stream_is_made(
    env: StreamExecutionEnvironment, versions: Versions
) -> None:
    rows = env.from_collection([(1.0, 2.0, 3.0)], Types.ROW_NAMED(list(INPUTS), [Types.DOUBLE()] * 3))
    control = env.from_collection(['{"command": "rollback"}'], Types.STRING())
    with pytest.raises(SchemaError, match="gives no column 'score'"):
        score_stream(rows, versions.uri, control, outputs=["score"])
    with pytest.raises(SchemaError, match="needs the input 'feature3'"):
        score_stream(rows, versions.uri, control, inputs=["feature1", "feature2"])
