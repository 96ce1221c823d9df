"""The drift of streams of Flink is that which Python finds for the same rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from py4j.protocol import Py4JJavaError
from pyflink.common.job_client import JobClient
from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway
from pyflink.table import StreamTableEnvironment

from leapstream import load
from leapstream.drift import Counts, profile
from leapstream.errors import ConfigError, SchemaError
from leapstream.flink import create_drift_function, drift_stream
from leapstream.store import ModelStore
from tests.drift.loans import ROWS, loans
from tests.drift.test_profile import BUNDLE

from .conftest import collect
from .counting import Counted, Gauges

pytestmark = pytest.mark.flink

COLUMNS = ("state", "home", "amount", "income", "age", "late", "flag")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ModelStore:
    """A store with a version with a profile, and one without."""
    store = ModelStore(tmp_path_factory.mktemp("drift") / "models")
    store.publish("loans", BUNDLE, profile=profile(load(BUNDLE), loans()), aliases=["live"])
    store.publish("loans", BUNDLE)
    return store


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    """PSI, missing rate and rows of the drifted rows, by column."""
    model = load(BUNDLE)
    counts = Counts(profile(model, loans()), model.schema)
    counts.add_frame(loans(drifted=True), "input")
    return {d.name: (d.psi, d.missing_rate, d.rows) for d in counts.drift() if d.side == "input"}


@pytest.fixture
def applications(table_env: StreamTableEnvironment, tmp_path: Path) -> str:
    """A table of the drifted rows in one window, each other of which has a version."""
    path = tmp_path / "rows.json"
    rows = [{**row, "scored_by": "1" if i % 2 else None} for i, row in enumerate(loans(drifted=True).to_pylist())]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    columns = "state STRING, home STRING, amount DOUBLE, income DOUBLE, age DOUBLE, late DOUBLE, flag DOUBLE, scored_by STRING"
    table_env.execute_sql(
        f"CREATE TEMPORARY TABLE Applications ({columns}, stamp AS TO_TIMESTAMP_LTZ(1000000, 3), "
        "WATERMARK FOR stamp AS stamp) "
        f"WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = 'json')"
    )
    return "Applications"


def in_a_window(table: str, rows: str = "TRUE") -> str:
    """The rows of a table that come into an aggregation of SQL, which gives one answer when their window ends."""
    windows = f"TUMBLE(TABLE {table}, DESCRIPTOR(stamp), INTERVAL '1' HOUR)"
    return f"TABLE({windows}) WHERE {rows} GROUP BY window_start, window_end"


@pytest.fixture
def stream(table_env: StreamTableEnvironment, applications: str) -> DataStream:
    return table_env.to_data_stream(table_env.from_path(applications))


@pytest.mark.slow
def test_the_drift_of_a_stream_is_that_of_python(
    stream: DataStream, store: ModelStore, expected: dict[str, Any]
) -> None:
    # Counts leave their operator before each checkpoint.
    stream.get_execution_environment().enable_checkpointing(20)
    drift = drift_stream(stream, f"{store.uri}/loans@live", window=timedelta(minutes=10), event_time=True)
    with drift.execute_and_collect() as rows:
        found = [row.as_dict() for row in rows]
    assert {(row["model"], row["version"], row["side"]) for row in found} == {("loans", "1", "input")}
    assert {(row["window_start"], row["window_end"]) for row in found} == {(600_000, 1_200_000)}
    assert {row["feature"]: row["rows"] for row in found} == dict.fromkeys(COLUMNS, ROWS)
    for row in found:
        psi, missing, _ = expected[row["feature"]]
        assert row["psi"] == pytest.approx(psi, rel=1e-12, abs=1e-15) and row["missing_rate"] == missing


def incomes(table_env: StreamTableEnvironment, folder: Path) -> DataStream:
    """A stream without end of the files of a folder: incomes and their minutes."""
    folder.mkdir(exist_ok=True)
    table_env.execute_sql(
        "CREATE TEMPORARY TABLE Incomes (income DOUBLE, m BIGINT, stamp AS TO_TIMESTAMP_LTZ(m * 60000, 3), "
        "WATERMARK FOR stamp AS stamp) "
        f"WITH ('connector' = 'filesystem', 'path' = '{folder}', 'format' = 'json', 'source.monitor-interval' = '50 ms')"
    )
    return table_env.to_data_stream(table_env.from_path("Incomes"))


def arrive(folder: Path, name: str, *minutes: int) -> None:
    """Let a file with an income of each of these minutes come into a folder, whole."""
    part = folder.with_name(name)
    part.write_text("".join(json.dumps({"income": 40_000.0, "m": minute}) + "\n" for minute in minutes))
    part.rename(folder / name)


@contextmanager
def windows(
    drift: DataStream, table_env: StreamTableEnvironment
) -> Iterator[tuple[JobClient, Iterator[tuple[int, int]]]]:
    """A job, and the minute at which each of its windows begins, with the rows that were counted."""
    table = table_env.from_data_stream(drift)
    result = table.select(table.window_start, table.rows).execute()
    client = result.get_job_client()
    assert client is not None
    with result.collect() as rows:
        yield client, ((row[0] // 60_000, row[1]) for row in rows)


@pytest.mark.slow
def test_a_savepoint_has_the_counts_of_the_open_window(store: ModelStore, tmp_path: Path) -> None:
    def job(**options: str) -> AbstractContextManager[tuple[JobClient, Iterator[tuple[int, int]]]]:
        env = StreamExecutionEnvironment.get_execution_environment()
        env.set_parallelism(1)
        table_env = StreamTableEnvironment.create(env)
        for key, value in options.items():
            table_env.get_config().set(key, value)
        stream = incomes(table_env, tmp_path / "rows")
        drift = drift_stream(
            stream, f"{store.uri}/loans@1", window=timedelta(minutes=10), event_time=True, table_env=table_env
        )
        return windows(drift.uid("drift"), table_env)

    with job() as (client, found):
        arrive(tmp_path / "rows", "first", 1, 2, 11, 12, 13)
        assert next(found) == (0, 2)
        formats = get_gateway().jvm.org.apache.flink.core.execution.SavepointFormatType
        stopping = client._j_job_client.stopWithSavepoint(False, str(tmp_path / "savepoints"), formats.DEFAULT)
        savepoint = stopping.get()
    # Of the first job, only the counts are left.
    (tmp_path / "rows" / "first").unlink()
    restored = {"execution.state-recovery.path": savepoint, "execution.state-recovery.ignore-unclaimed-state": "true"}
    with job(**restored) as (client, found):
        arrive(tmp_path / "rows", "second", 14, 15, 21)
        assert next(found) == (10, 5)
        client.cancel().result()


@pytest.mark.slow
def test_a_window_has_one_answer_and_later_rows_count_as_late(
    table_env: StreamTableEnvironment, store: ModelStore, tmp_path: Path
) -> None:
    # Either subtask reads a file; the other one is idle then, and holds no window up.
    table_env.get_config().set("parallelism.default", "2")
    table_env.get_config().set("table.exec.source.idle-timeout", "200 ms")
    late = Counted(table_env, tmp_path, "lateDriftRows")
    stream = incomes(table_env, tmp_path / "rows")
    drift = drift_stream(
        stream, f"{store.uri}/loans@1", window=timedelta(minutes=10), event_time=True, table_env=table_env
    )
    with windows(drift, table_env) as (client, found):
        arrive(tmp_path / "rows", "first", 1, 2, 11)
        assert next(found) == (0, 2)
        arrive(tmp_path / "rows", "late", 3, 4, 5)
        arrive(tmp_path / "rows", "second", 12, 21)
        assert next(found) == (10, 2)
        client.cancel().result()
    assert late.count() == 3


@pytest.mark.parametrize("parallelism", [1, 2])
def test_rows_are_counted_where_they_are(
    env: StreamExecutionEnvironment, stream: DataStream, store: ModelStore, parallelism: int
) -> None:
    counted = stream.map(lambda row: row, stream.get_type()).set_parallelism(parallelism)
    drift_stream(counted, f"{store.uri}/loans@1").print()
    nodes = json.loads(env.get_execution_plan())["nodes"]
    (count,) = [node for node in nodes if "drift-count" in node["type"]]
    assert (count["parallelism"], count["predecessors"][0]["ship_strategy"]) == (parallelism, "FORWARD")


@pytest.mark.slow
def test_rows_without_a_version_are_left_out(stream: DataStream, store: ModelStore) -> None:
    drift = drift_stream(
        stream,
        f"{store.uri}/loans@live",
        window=timedelta(minutes=10),
        columns=["income"],
        event_time=True,
        version_column="scored_by",
    )
    with drift.execute_and_collect() as rows:
        assert [(row["version"], row["rows"]) for row in rows] == [("1", ROWS // 2)]


@pytest.mark.slow
def test_a_sample_of_a_stream_is_counted(stream: DataStream, store: ModelStore, expected: dict[str, Any]) -> None:
    # The end of the rows ends a window of processing time, too.
    drift = drift_stream(stream, f"{store.uri}/loans@live", sample=0.5)
    with drift.execute_and_collect() as rows:
        found = {row["feature"]: (row["psi"], row["rows"]) for row in rows}
    (counted,) = {rows for _, rows in found.values()}
    assert 0.45 * ROWS < counted < 0.55 * ROWS
    assert found["income"][0] == pytest.approx(expected["income"][0], abs=0.1)


@pytest.mark.slow
def test_drift_is_a_function_of_sql(table_env: StreamTableEnvironment, applications: str, store: ModelStore) -> None:
    create_drift_function(table_env)
    query = f"""
        SELECT feature, version, psi, `rows`
        FROM (
          SELECT window_start, scored_by, DRIFT('{store.uri}/loans', scored_by, 'income, state', income, state) AS found
          FROM TABLE(TUMBLE(TABLE {applications}, DESCRIPTOR(stamp), INTERVAL '1' HOUR))
          GROUP BY window_start, window_end, scored_by
        ) CROSS JOIN UNNEST(found)
            AS drift (model, version, side, feature, psi, missing_rate, missing_rate_in_training, `rows`)
    """
    half = Counts(profile(load(BUNDLE), loans()), load(BUNDLE).schema)
    half.add_frame(loans(drifted=True).take(list(range(1, ROWS, 2))), "input")
    wanted = {drift.name: drift.psi for drift in half.drift()}
    found = {
        feature: psi for feature, version, psi, rows in collect(table_env, query) if (version, rows) == ("1", ROWS // 2)
    }
    assert found == pytest.approx({name: wanted[name] for name in ("income", "state")}, rel=1e-12)
    # Each subtask adds up its rows before they come together.
    plan = table_env.explain_sql(query)
    assert "LocalWindowAggregate" in plan and "GlobalWindowAggregate" in plan


@pytest.mark.slow
def test_the_elements_of_vectors_are_compared(
    table_env: StreamTableEnvironment, applications: str, store: ModelStore
) -> None:
    create_drift_function(table_env)
    vector = "ARRAY[1 - amount / 31000, amount / 31000]"
    query = f"""
        SELECT feature, psi FROM (
          SELECT DRIFT('{store.uri}/loans', '1', 'probability', {vector}) AS found FROM {in_a_window(applications)}
        ) CROSS JOIN UNNEST(found) AS drift (model, version, side, feature, psi, missing_rate, before, `rows`)
    """
    found = dict(collect(table_env, query))
    counts = Counts(profile(load(BUNDLE), loans()), load(BUNDLE).schema)
    amounts = loans(drifted=True)["amount"].to_pylist()
    counts.add_frame({"probability": [[1 - amount / 31000, amount / 31000] for amount in amounts]}, "output")
    wanted = {drift.name: drift.psi for drift in counts.drift() if drift.name.startswith("probability")}
    assert found.pop("probability") is wanted.pop("probability") is None
    assert len(found) == 2 and found == pytest.approx(wanted, rel=1e-12)


@pytest.mark.slow
def test_a_sample_is_a_function_of_sql(table_env: StreamTableEnvironment, applications: str) -> None:
    create_drift_function(table_env)
    (found,) = collect(table_env, f"SELECT COUNT(*) FROM {in_a_window(applications, 'DRIFT_SAMPLE(0.5)')}")
    assert 0.45 * ROWS < found[-1] < 0.55 * ROWS


@pytest.mark.slow
def test_gauges_have_the_numbers_of_a_window(
    stream: DataStream,
    table_env: StreamTableEnvironment,
    store: ModelStore,
    expected: dict[str, Any],
    tmp_path: Path,
) -> None:
    gauges = Gauges(table_env, tmp_path)
    drift = drift_stream(
        stream, f"{store.uri}/loans@1", window=timedelta(minutes=10), event_time=True, table_env=table_env
    )
    with table_env.from_data_stream(drift).execute().collect() as rows:
        assert len(list(rows)) == len(COLUMNS)
    found = gauges.read("leapstream.drift.loans.version.1.column.", 2 * len(COLUMNS))
    for column, (psi, missing, _) in expected.items():
        assert found[f"{column}.psi"] == pytest.approx(psi, rel=1e-12, abs=1e-15)
        assert found[f"{column}.missingRate"] == missing


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("'{uri}', '1', 'income', income, state", "1 names are for 2 columns"),
        ("1, '1', 'income', income", "argument 1 is INT"),
    ],
)
def test_a_wrong_call_is_explained(
    table_env: StreamTableEnvironment, applications: str, store: ModelStore, arguments: str, reason: str
) -> None:
    create_drift_function(table_env)
    with pytest.raises(Py4JJavaError, match=f"(?s){reason}"):
        table_env.sql_query(f"SELECT DRIFT({arguments.format(uri=f'{store.uri}/loans')}) FROM {applications}")


def test_what_has_no_profile_has_no_drift(stream: DataStream, store: ModelStore) -> None:
    with pytest.raises(ConfigError, match="loans@2 has no profile"):
        drift_stream(stream, f"{store.uri}/loans@2")
    with pytest.raises(SchemaError, match="the stream has no column 'x'"):
        drift_stream(stream, f"{store.uri}/loans@1", columns=["x"])
    with pytest.raises(ConfigError, match="give STORE/NAME@VERSION"):
        drift_stream(stream, "loans")
