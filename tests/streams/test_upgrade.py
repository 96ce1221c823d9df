"""A job that goes on with another version of its model, from a savepoint."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.flink.cluster import Cluster
from tests.streams.broker import Broker
from tests.streams.conftest import add_function, rows, sink, source
from tests.streams.jobs import Job, session

ROWS = 20_000
PREDICT = "INSERT INTO Predictions SELECT id, Predict(feature1, feature2, feature3) FROM Applications"


def test_a_savepoint_carries_a_job_from_one_version_to_the_next(
    cluster: Cluster,
    broker: Broker,
    topic: str,
    jars: dict[str, Path],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    given = broker.create(f"{topic}-applications")

    def run(jar: Path, settings: dict[str, object]) -> Job:
        table_env = session(cluster, {"execution.checkpointing.interval": "1 s", "parallelism.default": 2, **settings})
        tables = (source("Applications", broker, given, bounded=False), sink("Predictions", broker, topic))
        return Job.run(cluster, table_env, *add_function(jar), *tables, PREDICT)

    def has(count: int) -> Callable[[], bool]:
        return lambda: sum(1 for _ in broker.read(topic)) == count

    every = list(rows(ROWS))
    broker.write(given, every[: ROWS // 2])
    old = run(jars["v1"], {})
    old.until(has(ROWS // 2), "predicts the first half")
    savepoint = old.stop(tmp_path)
    broker.write(given, every[ROWS // 2 :])
    new = run(jars["v2"], {"execution.state-recovery.path": savepoint})
    record_property("seconds from the new job to all of its rows", new.until(has(ROWS), "predicts the second half"))
    new.stop(tmp_path)

    predictions = [json.loads(value) for value in broker.read(topic)]
    assert sorted(row["id"] for row in predictions) == list(range(ROWS))
    by_version = [row["prediction"] > 500 for row in sorted(predictions, key=lambda row: row["id"])]
    assert by_version == [False] * (ROWS // 2) + [True] * (ROWS // 2)
