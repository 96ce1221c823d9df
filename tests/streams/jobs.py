"""Jobs of a cluster, submitted from this process and watched over REST."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyflink.common import Configuration
from pyflink.table import EnvironmentSettings, StreamTableEnvironment, TableEnvironment

from leapstream.executors.jvm.gateway import ensure_java
from leapstream.flink.compat import use_file_systems
from tests.flink.cluster import Cluster, remote, streams
from tests.streams.parts import CONNECTORS, S3_PLUGIN


def session(
    cluster: Cluster,
    settings: Mapping[str, object] | None = None,
    file_systems: Mapping[str, object] | None = None,
) -> TableEnvironment:
    """A table environment whose jobs run on a cluster, with the connectors of Kafka.

    Args:
        cluster: the cluster.
        settings: settings of the jobs.
        file_systems: settings of Flink's file systems, with which statements are planned here.
    """
    configuration = _configuration(cluster, settings, file_systems)
    made = EnvironmentSettings.new_instance().with_configuration(configuration).in_streaming_mode()
    return TableEnvironment.create(made.build())


def stream_session(cluster: Cluster, settings: Mapping[str, object] | None = None) -> StreamTableEnvironment:
    """A table environment of streams whose jobs run on a cluster, with the connectors of Kafka."""
    return streams(_configuration(cluster, settings))


def _configuration(
    cluster: Cluster, settings: Mapping[str, object] | None, file_systems: Mapping[str, object] | None = None
) -> Configuration:
    ensure_java()
    use_file_systems({key: str(value) for key, value in (file_systems or {}).items()}, S3_PLUGIN.parent)
    jars = ";".join(path.as_uri() for path in sorted(CONNECTORS.iterdir()))
    return remote(cluster, {"pipeline.jars": jars, **(settings or {})})


@dataclass(frozen=True)
class Job:
    """A job of a cluster.

    Attributes:
        cluster: its cluster.
        id: its id.
    """

    cluster: Cluster
    id: str

    @classmethod
    def run(cls, cluster: Cluster, table_env: TableEnvironment, *statements: str) -> Job:
        """Run statements; the last one is the job, which this waits for until it runs."""
        *first, last = statements
        for statement in first:
            table_env.execute_sql(statement)
        job = cls(cluster, str(table_env.execute_sql(last).get_job_client().get_job_id()))
        job.until(job.runs, "runs")
        return job

    @property
    def state(self) -> str:
        """Its state: ``RUNNING``, ``FINISHED``, …"""
        return str(self.cluster.get(f"jobs/{self.id}")["state"])

    def runs(self) -> bool:
        """True while all of its tasks run."""
        found: Any = self.cluster.get(f"jobs/{self.id}")
        assert found["state"] != "FAILED", self.failure()
        return found["state"] == "RUNNING" and all(v["status"] == "RUNNING" for v in found["vertices"])

    def part(self) -> str:
        """The part of the cluster that runs its first task: ``taskmanager-N``."""
        found: Any = self.cluster.get(f"jobs/{self.id}")
        vertex: Any = self.cluster.get(f"jobs/{self.id}/vertices/{found['vertices'][0]['id']}")
        return str(vertex["subtasks"][0]["taskmanager-id"]).rpartition("-")[0]

    def checkpoints(self) -> int:
        """The number of its completed checkpoints."""
        found: Any = self.cluster.get(f"jobs/{self.id}/checkpoints")
        return int(found["counts"]["completed"])

    def next_checkpoint(self) -> None:
        """Wait for a checkpoint that starts after now."""
        before = self.checkpoints()
        self.until(lambda: self.checkpoints() >= before + 2, "has two more checkpoints")

    def failure(self) -> str:
        """The first exceptions of the job."""
        found: Any = self.cluster.get(f"jobs/{self.id}/exceptions")
        entries = found.get("exceptionHistory", {}).get("entries", [])
        return "\n".join(str(entry["stacktrace"])[:3000] for entry in entries[:2])

    def until(self, condition: Callable[[], bool], what: str, seconds: float = 120) -> float:
        """Wait for a condition; returns the seconds that it took. The REST endpoint may be away meanwhile."""
        start = time.monotonic()
        while time.monotonic() < start + seconds:
            try:
                if condition():
                    return time.monotonic() - start
            except (OSError, urllib.error.URLError, ValueError, KeyError):
                pass
            time.sleep(0.1)
        raise AssertionError(f"it is not so that the job {what}\n{self.cluster.log()}")

    def finish(self, seconds: float = 300) -> float:
        """Wait for the end of a job of bounded tables; returns the seconds that it took."""
        return self.until(lambda: self._ended() == "FINISHED", "finishes", seconds)

    def _ended(self) -> str:
        state = self.state
        assert state not in ("FAILED", "CANCELED"), f"{state}\n{self.failure()}"
        return state

    def stop(self, folder: Path) -> str:
        """Stop the job with a savepoint in a folder; returns the savepoint's path."""
        trigger = self._post(f"jobs/{self.id}/stop", {"targetDirectory": str(folder), "drain": False})["request-id"]
        found: dict[str, Any] = {}

        def done() -> bool:
            found.update(self.cluster.get(f"jobs/{self.id}/savepoints/{trigger}"))
            return bool(found["status"]["id"] == "COMPLETED")

        self.until(done, "stops with a savepoint")
        assert "location" in found["operation"], found
        self.finish()
        return str(found["operation"]["location"])

    def cancel(self) -> None:
        """End the job."""
        request = urllib.request.Request(f"http://{self.cluster.target}/jobs/{self.id}", method="PATCH")
        urllib.request.urlopen(request, timeout=10).close()
        self.until(lambda: self.state == "CANCELED", "is canceled")

    def _post(self, path: str, body: object) -> dict[str, Any]:
        request = urllib.request.Request(
            f"http://{self.cluster.target}/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return dict(json.load(answer))
