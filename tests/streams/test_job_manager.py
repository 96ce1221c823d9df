"""A JobManager that is killed: another one takes over its jobs.

Flink finds the new JobManager through ZooKeeper or Kubernetes; a file system alone can keep the jobs, but elects nobody. Flink's
distribution brings ZooKeeper's server.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from leapstream.executors.jvm.gateway import ensure_java
from tests.flink.cluster import HOME, Cluster, free_ports, running_cluster
from tests.streams.broker import Broker
from tests.streams.conftest import QUICK, add_function, ids, rows, sink, source
from tests.streams.jobs import Job, session

ROWS = 500_000
PREDICT = "INSERT INTO Predictions SELECT id, Predict(feature1, feature2, feature3) FROM Applications"


@pytest.fixture
def zookeeper(tmp_path: Path) -> Iterator[str]:
    """The address of a ZooKeeper of one server."""
    client, peer, election = free_ports(3)
    configuration = tmp_path / "zoo.cfg"
    configuration.write_text(
        f"dataDir={tmp_path}/zookeeper\nclientPort={client}\nclientPortAddress=127.0.0.1\ntickTime=500\n"
        f"initLimit=10\nsyncLimit=5\nadmin.enableServer=false\nserver.1=127.0.0.1:{peer}:{election}\n"
    )
    peer_class = "org.apache.flink.runtime.zookeeper.FlinkZooKeeperQuorumPeer"
    command = [str(ensure_java() / "bin" / "java"), "-Xmx128m", "-cp", str(HOME / "lib" / "*"), peer_class]
    with (tmp_path / "zookeeper.out").open("wb") as out:
        process = subprocess.Popen(
            [*command, "--zkConfigFile", str(configuration), "--peerId", "1"], stdout=out, stderr=subprocess.STDOUT
        )
    yield f"127.0.0.1:{client}"
    process.kill()
    process.wait()


@pytest.fixture
def available(zookeeper: str, tmp_path: Path) -> Iterator[Cluster]:
    """A cluster whose jobs outlive their JobManager."""
    settings = QUICK | {
        "high-availability.type": "zookeeper",
        "high-availability.zookeeper.quorum": zookeeper,
        "high-availability.zookeeper.client.session-timeout": "6 s",
        "high-availability.storageDir": (tmp_path / "ha").as_uri(),
        "execution.checkpointing.dir": (tmp_path / "checkpoints").as_uri(),
    }
    with running_cluster(tmp_path / "cluster", 2, task_managers=2, settings=settings) as cluster:
        yield cluster


def test_a_job_outlives_its_job_manager(
    available: Cluster,
    broker: Broker,
    topic: str,
    jars: dict[str, Path],
    record_property: Callable[[str, object], None],
) -> None:
    given = broker.create(f"{topic}-applications")
    broker.write(given, rows(ROWS))
    table_env = session(available, {"execution.checkpointing.interval": "1 s", "parallelism.default": 2})
    tables = (source("Applications", broker, given, bounded=False), sink("Predictions", broker, topic))
    job = Job.run(available, table_env, *add_function(jars["v1"]), *tables, PREDICT)
    job.next_checkpoint()
    available.kill("jobmanager")
    start = time.monotonic()
    available.start("jobmanager")
    job.until(job.runs, "runs again", 180)
    record_property("seconds until the job runs again", round(time.monotonic() - start, 1))
    job.until(lambda: sum(1 for _ in broker.read(topic)) == ROWS, "predicts all rows", 300)
    job.cancel()
    found = ids(broker, topic)
    assert len(found) == len(set(found)) == ROWS
