"""A standalone cluster of the Flink that PyFlink brings: a JobManager and TaskManagers, in processes of their own."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyflink
from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway
from pyflink.table import StreamTableEnvironment

from leapstream.executors.jvm.gateway import ensure_java

HOME = Path(pyflink.__file__).parent
_PATIENCE = 180
_HOST = "127.0.0.1"


@dataclass(frozen=True)
class Cluster:
    """A cluster that runs.

    Attributes:
        target: ``host:port`` of its REST endpoint.
        logs: the folder of its logs.
        environment: what Flink's own scripts (``flink``, ``sql-client.sh``) need to find it.
        processes: the process of each part: ``jobmanager``, ``taskmanager-1``, ….
    """

    target: str
    logs: Path
    environment: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, part: str) -> None:
        """Start ``jobmanager`` or ``taskmanager-N``, for the first time or after its end."""
        # In the foreground a script becomes its Java, so that the process is ours to end.
        script, _, number = part.partition("-")
        command = ["bash", str(HOME / "bin" / f"{script}.sh"), "start-foreground"]
        if number:
            # The REST endpoint calls it by this name; one that is started again is another one.
            command.append(f"-Dtaskmanager.resource-id={part}-{uuid.uuid4().hex[:6]}")
        with (self.logs / f"{part}.out").open("ab") as out:
            self.processes[part] = subprocess.Popen(command, env=self.environment, stdout=out, stderr=subprocess.STDOUT)

    def kill(self, part: str) -> None:
        """End a part as a crash of its machine would."""
        self.processes[part].kill()
        self.processes[part].wait()

    def stop(self) -> None:
        """End all parts."""
        running = [process for process in reversed(self.processes.values()) if process.poll() is None]
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def wait(self, task_managers: int) -> None:
        """Wait for a number of TaskManagers to have registered."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            if any(process.poll() is not None for process in self.processes.values()):
                break
            try:
                overview = self.get("overview")
                if overview["taskmanagers"] == task_managers and overview["slots-total"]:
                    return
            except (OSError, urllib.error.URLError, ValueError):
                pass
            time.sleep(0.2)
        raise RuntimeError(f"the cluster does not start\n{self.log()}")

    def get(self, path: str) -> dict[str, object]:
        """The REST endpoint's response for a path, a dict."""
        return dict(self._answer(path))

    def list(self, path: str) -> list[dict[str, str]]:
        """The REST endpoint's response for a path, a list."""
        return list(self._answer(path))

    def _answer(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://{self.target}/{path}", timeout=5) as answer:
            return json.load(answer)

    def log(self) -> str:
        """The ends of all logs."""
        ends = (f"{path.name}:\n{path.read_text(errors='replace')[-3000:]}" for path in sorted(self.logs.iterdir()))
        return "\n".join(ends)


@contextmanager
def running_cluster(
    folder: Path,
    slots: int = 2,
    *,
    task_managers: int = 1,
    settings: Mapping[str, object] | None = None,
    plugins: Iterable[Path] = (),
) -> Iterator[Cluster]:
    """A cluster with its configuration and logs in a folder, stopped at the end whatever happens.

    Args:
        folder: where it writes.
        slots: the slots of each TaskManager.
        task_managers: the number of TaskManagers.
        settings: what its configuration has beside what it needs.
        plugins: folders of plugins beside those of PyFlink.
    """
    conf, logs = folder / "conf", folder / "log"
    logs.mkdir(parents=True)
    rest, rpc = free_ports(2)
    _configure(conf, folder, rest, rpc, slots, settings or {})
    # Beside Flink's own jars the one of the Python functions, as PyFlink's own jobs bring it along.
    _link(folder / "lib", (*(HOME / "lib").iterdir(), *(HOME / "opt").glob("flink-python*.jar")))
    _link(folder / "plugins", (*(path for path in (HOME / "plugins").iterdir() if path.is_dir()), *plugins))
    environment = {
        **os.environ,
        "JAVA_HOME": str(ensure_java()),
        "FLINK_HOME": str(HOME),
        "FLINK_CONF_DIR": str(conf),
        "FLINK_LIB_DIR": str(folder / "lib"),
        "FLINK_PLUGINS_DIR": str(folder / "plugins"),
        "FLINK_LOG_DIR": str(logs),
        "FLINK_PID_DIR": str(folder),
    }
    cluster = Cluster(f"{_HOST}:{rest}", logs, environment)
    try:
        for part in ("jobmanager", *(f"taskmanager-{number + 1}" for number in range(task_managers))):
            cluster.start(part)
        cluster.wait(task_managers)
        yield cluster
    finally:
        cluster.stop()


def _link(folder: Path, paths: Iterable[Path]) -> None:
    folder.mkdir()
    for path in paths:
        (folder / path.name).symlink_to(path)


def remote(cluster: Cluster, settings: Mapping[str, object]) -> Configuration:
    """The configuration of jobs that run on a cluster, with more settings."""
    host, _, port = cluster.target.rpartition(":")
    configuration = Configuration()
    for key, value in {
        "execution.target": "remote",
        "jobmanager.rpc.address": host,
        "rest.address": host,
        "rest.port": port,
        **settings,
    }.items():
        configuration.set_string(key, str(value))
    return configuration


def streams(configuration: Configuration) -> StreamTableEnvironment:
    """A table environment of streams with a configuration. PyFlink's own call gives one that runs jobs in this process."""
    environment = get_gateway().jvm.org.apache.flink.streaming.api.environment.StreamExecutionEnvironment
    return StreamTableEnvironment.create(StreamExecutionEnvironment(environment(configuration._j_configuration)))


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens on; below those of outgoing connections, which could take them meanwhile."""
    sockets: list[socket.socket] = []
    while len(sockets) < count:
        with suppress(OSError):
            sockets.append(socket.create_server((_HOST, random.randrange(16_000, 32_000))))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def java_options() -> str:
    """The options that Flink gives to Java by default."""
    found = re.search(r"^ +all: (.+)$", (HOME / "conf" / "config.yaml").read_text(), re.M)
    assert found is not None, "Flink's configuration has no env.java.opts.all"
    return found[1]


def _configure(conf: Path, folder: Path, rest: int, rpc: int, slots: int, more: Mapping[str, object]) -> None:
    shutil.copytree(HOME / "conf", conf)
    settings = {
        "env.java.opts.all": java_options(),
        "jobmanager.bind-host": _HOST,
        "jobmanager.rpc.address": _HOST,
        "jobmanager.rpc.port": rpc,
        "jobmanager.memory.process.size": "768m",
        "rest.address": _HOST,
        "rest.bind-address": _HOST,
        "rest.port": rest,
        "taskmanager.bind-host": _HOST,
        "taskmanager.host": _HOST,
        "taskmanager.numberOfTaskSlots": slots,
        "taskmanager.memory.process.size": "1024m",
        "parallelism.default": 1,
        "io.tmp.dirs": folder / "tmp",
        **more,
    }
    (conf / "config.yaml").write_text("".join(f"{key}: {value}\n" for key, value in settings.items()))
