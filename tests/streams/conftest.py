"""Kafka, a cluster with two TaskManagers, and models, for all tests of streams."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from leapstream import Model
from leapstream.bundle.types import DataShape
from leapstream.flink.compiler import Target, compile_jar
from leapstream.ops.feature import VectorAssembler
from leapstream.ops.linear import LinearRegression
from leapstream.ops.pipeline import Pipeline
from tests.flink.cluster import Cluster, running_cluster
from tests.flink.conftest import _java_objects_are_forgotten_by_the_main_thread_alone  # noqa: F401
from tests.pipelines import node
from tests.streams.broker import Broker, running_broker
from tests.streams.parts import KAFKA, S3_PLUGIN
from tests.streams.prometheus import prometheus_settings
from tests.streams.s3 import S3, running_s3

# A failure is noticed within seconds, not within Flink's 50.
QUICK = {"heartbeat.interval": "1 s", "heartbeat.timeout": "6 s", "restart-strategy.type": "fixed-delay"} | {
    "restart-strategy.fixed-delay.attempts": 100,
    "restart-strategy.fixed-delay.delay": "1 s",
}

_numbers = itertools.count()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of these tests are marked, have time, and are skipped where Maven has not fetched their jars."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.streams)
            item.add_marker(pytest.mark.timeout(900))
            if not KAFKA.is_dir():
                item.add_marker(pytest.mark.skip("make test-streams fetches Kafka"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests have recorded."""
    for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")):
        for name, value in report.user_properties if report.when == "call" else ():
            terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {name}: {value}")


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Kafka."""
    with running_broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """A server of S3's protocol, with the bucket ``models``."""
    with running_s3("models") as running:
        yield running


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, s3: S3) -> Iterator[Cluster]:
    """A JobManager and two TaskManagers of two slots, with S3 and Prometheus; tests may kill what they start again."""
    settings = QUICK | s3.settings | prometheus_settings()
    folder = tmp_path_factory.mktemp("cluster")
    with running_cluster(folder, 2, task_managers=2, settings=settings, plugins=[S3_PLUGIN]) as running:
        yield running


@pytest.fixture
def topic(broker: Broker) -> str:
    """An empty topic of two partitions."""
    return broker.create(f"topic-{next(_numbers)}")


@pytest.fixture(scope="session")
def jars(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The function ``Predict`` in two versions of its model, whose predictions differ: a jar of each."""
    folder = tmp_path_factory.mktemp("jars")
    for version, model in models().items():
        compile_jar([Target("Predict", model)], folder / f"{version}.jar")
    return {path.stem: path for path in folder.iterdir()}


def models() -> dict[str, Model]:
    """Two versions of a linear model; the second one predicts 1,000 more."""
    return {"v1": linear(0.125), "v2": linear(1000.125)}


def linear(intercept: float) -> Model:
    """A linear model of three features."""
    names = ("feature1", "feature2", "feature3")
    inputs = {f"input{number}": name for number, name in enumerate(names)}
    assemble = node("assemble", VectorAssembler((DataShape("scalar"),) * 3), inputs, {"output": "features"})
    regress = LinearRegression(np.array([1.5, -2.25, 0.75]), intercept)
    predict = node("regress", regress, {"features": "features"}, {"prediction": "prediction"})
    return Model.from_node(Pipeline("linear", (assemble, predict)))


def rows(count: int) -> Iterator[str]:
    """Records of the linear model's features, with an id."""
    for number in range(count):
        yield (
            f'{{"id":{number},"feature1":{number % 1000 / 1000},"feature2":{number % 77},"feature3":{number % 13 / 13}}}'
        )


def source(name: str, broker: Broker, topic: str, *, bounded: bool = True) -> str:
    """A table of the rows in a topic."""
    return (
        f"CREATE TEMPORARY TABLE {name} (id BIGINT, feature1 DOUBLE, feature2 DOUBLE, feature3 DOUBLE) WITH ("
        f"'connector' = 'kafka', 'topic' = '{topic}', 'properties.bootstrap.servers' = '{broker.address}', "
        f"'properties.group.id' = '{name}', 'scan.startup.mode' = 'earliest-offset', 'format' = 'json'"
        + (", 'scan.bounded.mode' = 'latest-offset')" if bounded else ")")
    )


def sink(name: str, broker: Broker, topic: str, guarantee: str = "exactly-once") -> str:
    """A table of predictions in a topic."""
    options = {
        "connector": "kafka",
        "topic": topic,
        "properties.bootstrap.servers": broker.address,
        "format": "json",
        "sink.delivery-guarantee": guarantee,
    }
    if guarantee == "exactly-once":
        options |= {"sink.transactional-id-prefix": topic, "properties.transaction.timeout.ms": "600000"}
    listed = ", ".join(f"'{key}' = '{value}'" for key, value in options.items())
    return f"CREATE TEMPORARY TABLE {name} (id BIGINT, prediction DOUBLE) WITH ({listed})"


def add_function(jar: Path) -> tuple[str, str]:
    """The statements that add the function of a jar."""
    return f"ADD JAR '{jar}'", "CREATE TEMPORARY FUNCTION Predict AS 'leapstream.models.Predict' LANGUAGE JAVA"


def ids(broker: Broker, topic: str, *, committed: bool = True) -> list[int]:
    """The ids of a topic's records."""
    return [json.loads(value)["id"] for value in broker.read(topic, committed=committed)]
