"""Versions that a control stream names, after a savepoint."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from leapstream.flink import score_stream
from tests.flink.cluster import Cluster
from tests.flink.versions import Versions
from tests.streams.broker import Broker
from tests.streams.conftest import rows, sink, source
from tests.streams.jobs import Job, stream_session

PART = 5_000


def test_a_job_that_is_restored_has_the_versions_of_its_savepoint(
    cluster: Cluster, broker: Broker, topic: str, tmp_path: Path
) -> None:
    versions = Versions(tmp_path / "models")
    for value in (1, 2, 3):
        versions.publish(value)
    versions.go_live(1)
    given, commands = broker.create(f"{topic}-applications"), broker.create(f"{topic}-commands")

    def run(**settings: object) -> Job:
        table_env = stream_session(
            cluster, {"execution.checkpointing.interval": "1 s", "parallelism.default": 2, **settings}
        )
        table_env.execute_sql(source("Applications", broker, given, bounded=False))
        table_env.execute_sql(
            f"CREATE TEMPORARY TABLE Commands (command STRING) WITH ('connector' = 'kafka', 'topic' = '{commands}', "
            f"'properties.bootstrap.servers' = '{broker.address}', 'properties.group.id' = 'commands', "
            "'scan.startup.mode' = 'earliest-offset', 'format' = 'raw')"
        )
        streams = [table_env.to_data_stream(table_env.from_path(name)) for name in ("Applications", "Commands")]
        # The version of the start, which the savepoint overrules.
        scored = score_stream(streams[0], versions.uri, streams[1], version="1", table_env=table_env)
        table_env.create_temporary_view("Scored", table_env.from_data_stream(scored))
        predict = "INSERT INTO Predictions SELECT id, prediction FROM Scored"
        return Job.run(cluster, table_env, sink("Predictions", broker, topic), predict)

    def has(count: int) -> Callable[[], bool]:
        return lambda: sum(1 for _ in broker.read(topic)) == count

    every = list(rows(3 * PART))
    broker.write(commands, [json.dumps({"command": "alias", "version": "2"})])
    job = run()
    job.next_checkpoint()
    broker.write(given, every[:PART])
    job.until(has(PART), "predicts the first part")
    # The alias of the store is not the choice of this job.
    versions.go_live(3)
    savepoint = job.stop(tmp_path / "savepoints")
    broker.write(given, every[PART : 2 * PART])
    job = run(**{"execution.state-recovery.path": savepoint})
    job.until(has(2 * PART), "predicts the second part")
    broker.write(commands, [json.dumps({"command": "rollback"})])
    job.next_checkpoint()
    broker.write(given, every[2 * PART :])
    job.until(has(3 * PART), "predicts the third part")
    job.cancel()
    found = {row["id"]: row["prediction"] for row in map(json.loads, broker.read(topic))}
    assert [found[number] for number in range(3 * PART)] == [2.0] * 2 * PART + [1.0] * PART
