"""Kafka to Kafka while TaskManagers are killed: nothing is lost, and nothing is twice unless a job asks for no more than that."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.flink.cluster import Cluster
from tests.streams.broker import Broker
from tests.streams.conftest import add_function, ids, rows, sink, source
from tests.streams.jobs import Job, session

ROWS = 2_000_000
PREDICT = "INSERT INTO Predictions SELECT id, Predict(feature1, feature2, feature3) FROM Applications"


@pytest.fixture(scope="module")
def applications(broker: Broker) -> str:
    """A topic with all rows."""
    topic = broker.create("many-applications")
    broker.write(topic, rows(ROWS))
    return topic


@pytest.fixture
def killed(cluster: Cluster) -> Iterator[Callable[[Job], float]]:
    """Kills a TaskManager of a running job, starts another one, and returns the seconds until the job runs again."""

    def kill(job: Job) -> float:
        part = job.part()
        cluster.kill(part)
        start = time.monotonic()
        cluster.start(part)
        job.until(lambda: job.state != "FINISHED" and not job.runs(), "notices that its TaskManager is gone")
        job.until(job.runs, "runs again")
        return time.monotonic() - start

    yield kill
    cluster.wait(2)


def predict(cluster: Cluster, broker: Broker, topics: tuple[str, str], jar: Path, guarantee: str) -> Job:
    """The job that predicts the rows of a topic to another one."""
    table_env = session(cluster, {"execution.checkpointing.interval": "1 s", "parallelism.default": 2})
    return Job.run(
        cluster,
        table_env,
        *add_function(jar),
        source("Applications", broker, topics[0]),
        sink("Predictions", broker, topics[1], guarantee),
        PREDICT,
    )


def test_each_row_is_predicted_exactly_once_though_five_task_managers_are_killed(
    cluster: Cluster,
    broker: Broker,
    applications: str,
    topic: str,
    jars: dict[str, Path],
    killed: Callable[[Job], float],
    record_property: Callable[[str, object], None],
) -> None:
    job = predict(cluster, broker, (applications, topic), jars["v1"], "exactly-once")
    for number in range(5):
        job.next_checkpoint()
        record_property(f"seconds until the job runs again, kill {number + 1}", round(killed(job), 1))
    job.finish()
    committed = ids(broker, topic)
    assert len(committed) == len(set(committed)) == ROWS
    every = len(ids(broker, topic, committed=False))
    record_property("rows of aborted transactions", every - ROWS)
    assert every > ROWS, "no transaction was aborted, so that the kills proved nothing"


def test_without_transactions_the_same_job_predicts_rows_twice(
    cluster: Cluster,
    broker: Broker,
    applications: str,
    topic: str,
    jars: dict[str, Path],
    killed: Callable[[Job], float],
    record_property: Callable[[str, object], None],
) -> None:
    job = predict(cluster, broker, (applications, topic), jars["v1"], "at-least-once")
    job.next_checkpoint()
    killed(job)
    job.finish()
    found = ids(broker, topic)
    record_property("rows that are there twice", len(found) - ROWS)
    assert len(found) > len(set(found)) == ROWS
