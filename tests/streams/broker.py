"""Kafka's broker, a single node in KRaft mode, from the jars of ``pom.xml``."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from leapstream.executors.jvm.gateway import ensure_java
from tests.flink.cluster import free_ports
from tests.streams.parts import KAFKA

_PATIENCE = 90
_PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder}/data
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
transaction.max.timeout.ms=900000
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
"""


@dataclass(frozen=True)
class Broker:
    """A broker that runs.

    Attributes:
        address: ``host:port`` of it, for ``bootstrap.servers``.
    """

    address: str

    def create(self, topic: str, partitions: int = 2) -> str:
        """Create a topic; returns its name."""
        admin = AdminClient({"bootstrap.servers": self.address})
        for future in admin.create_topics([NewTopic(topic, partitions, 1)]).values():
            future.result(30)
        return topic

    def write(self, topic: str, values: Iterable[str]) -> None:
        """Write records, all of them before this returns."""
        producer = Producer({"bootstrap.servers": self.address, "linger.ms": 50, "acks": "all"})
        for number, value in enumerate(values):
            while True:
                try:
                    producer.produce(topic, value)
                    break
                except BufferError:
                    producer.poll(0.1)
            if number % 1000 == 0:
                producer.poll(0)
        assert producer.flush(60) == 0

    def read(self, topic: str, *, committed: bool = True) -> Iterator[bytes]:
        """All records of a topic, those of committed transactions or those of all."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.address,
                "group.id": f"reader-{time.monotonic_ns()}",
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
                "enable.auto.commit": False,
                "isolation.level": "read_committed" if committed else "read_uncommitted",
            }
        )
        try:
            ends = 0
            consumer.subscribe([topic])
            partitions = len(consumer.list_topics(topic, 30).topics[topic].partitions)
            while ends < partitions:
                for message in consumer.consume(10_000, 1.0):
                    error = message.error()
                    if error is None:
                        yield message.value()
                    elif error.code() == KafkaError._PARTITION_EOF:
                        ends += 1
                    else:
                        raise KafkaException(error)
        finally:
            consumer.close()


@contextmanager
def running_broker(folder: Path) -> Iterator[Broker]:
    """A broker with its data and log in a folder, stopped at the end whatever happens."""
    port, controller = free_ports(2)
    properties = folder / "server.properties"
    properties.write_text(_PROPERTIES.format(folder=folder, port=port, controller=controller))
    java = [str(ensure_java() / "bin" / "java"), "-Xmx384m", "-XX:+UseSerialGC", "-cp", str(KAFKA / "*")]
    _tool(java, "format", "-t", _tool(java, "random-uuid"), "-c", str(properties))
    log = folder / "broker.out"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*java, "kafka.Kafka", str(properties)], cwd=folder, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        address = f"127.0.0.1:{port}"
        _wait(address, process, log)
        yield Broker(address)
    finally:
        # What a clean end would write is removed anyway.
        process.kill()
        process.wait()


def _tool(java: list[str], *arguments: str) -> str:
    command = [*java, "kafka.tools.StorageTool", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout.strip()


def _wait(address: str, process: subprocess.Popen[Any], log: Path) -> None:
    end = time.monotonic() + _PATIENCE
    client = AdminClient({"bootstrap.servers": address, "log_level": 0})
    while time.monotonic() < end and process.poll() is None:
        try:
            client.list_topics(timeout=2)
            return
        except KafkaException:
            time.sleep(0.2)
    raise RuntimeError(f"the broker does not start\n{log.read_text(errors='replace')[-3000:]}")
