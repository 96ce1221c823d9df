"""A standalone cluster of the Flink that PyFlink brings: a JobManager and a TaskManager, in processes of their own."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyflink

from leapstream.executors.jvm.gateway import ensure_java

HOME = Path(pyflink.__file__).parent
_PATIENCE = 60
_HOST = "127.0.0.1"


@dataclass(frozen=True)
class Cluster:
    """A cluster that runs.

    Attributes:
        target: ``host:port`` of its REST endpoint.
        logs: the folder of its logs.
        environment: what Flink's own scripts (``flink``, ``sql-client.sh``) need to find it.
    """

    target: str
    logs: Path
    environment: dict[str, str]

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
def running_cluster(folder: Path, slots: int = 2) -> Iterator[Cluster]:
    """A cluster with its configuration and logs in a folder, stopped at the end whatever happens."""
    conf, logs = folder / "conf", folder / "log"
    logs.mkdir(parents=True)
    rest, rpc = _free_ports(2)
    _configure(conf, folder, rest, rpc, slots)
    lib = folder / "lib"
    lib.mkdir()
    # Beside Flink's own jars the one of the Python functions, as PyFlink's own jobs bring it along.
    for jar in (*(HOME / "lib").iterdir(), *(HOME / "opt").glob("flink-python*.jar")):
        (lib / jar.name).symlink_to(jar)
    environment = {
        **os.environ,
        "JAVA_HOME": str(ensure_java()),
        "FLINK_HOME": str(HOME),
        "FLINK_CONF_DIR": str(conf),
        "FLINK_LIB_DIR": str(lib),
        "FLINK_LOG_DIR": str(logs),
        "FLINK_PID_DIR": str(folder),
    }
    cluster = Cluster(f"{_HOST}:{rest}", logs, environment)
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for script in ("jobmanager.sh", "taskmanager.sh"):
            # In the foreground a script becomes its Java, so that the process is ours to end.
            command = ["bash", str(HOME / "bin" / script), "start-foreground"]
            with (logs / f"{script}.out").open("wb") as out:
                processes.append(subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT))
        _wait(cluster, processes)
        yield cluster
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server((_HOST, 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def _configure(conf: Path, folder: Path, rest: int, rpc: int, slots: int) -> None:
    shutil.copytree(HOME / "conf", conf)
    path = conf / "config.yaml"
    found = re.search(r"^ +all: (.+)$", path.read_text(), re.M)
    assert found is not None, "Flink's configuration has no env.java.opts.all"
    settings = {
        "env.java.opts.all": found[1],
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
    }
    path.write_text("".join(f"{key}: {value}\n" for key, value in settings.items()))


def _wait(cluster: Cluster, processes: list[subprocess.Popen[bytes]]) -> None:
    """Wait for the TaskManager to have offered its slots."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if any(process.poll() is not None for process in processes):
            break
        try:
            if cluster.get("overview")["slots-available"]:
                return
        except (OSError, urllib.error.URLError, ValueError):
            pass
        time.sleep(0.2)
    raise RuntimeError(f"the cluster does not start\n{cluster.log()}")
