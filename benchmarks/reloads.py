"""Reloads of a model under load: requests that fail, answers that mix versions, memory, and what clients see of a killed worker.

``python benchmarks/reloads.py [RELOADS]`` publishes so many versions to a store that a server with two workers follows, while
clients ask it for single records, lists, and lists that are scored in threads. Each version adds other numbers in three columns:
an answer tells for each value which version it is from.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from leapstream import Model
from leapstream.bundle.definition import Socket
from leapstream.ops.linear import LinearRegression
from leapstream.ops.pipeline import Node, Pipeline
from leapstream.store import ModelStore

MODEL = "counted"
FACTORS = {"first": 1.0, "second": 1000.0, "third": -7.0}
ROWS = (1, 1, 1, 20, 2000)
"""The rows of the requests of a client, one after the other."""

# Seconds for which a version is live everywhere.
_PAUSE = 0.3


def version_of(number: int) -> Model:
    """The version that adds its number, multiplied by each factor, to the only element of ``x``."""
    nodes = [
        Node(
            column,
            LinearRegression(np.array([1.0]), number * factor),
            (Socket("features", "x"),),
            (Socket("prediction", column),),
        )
        for column, factor in FACTORS.items()
    ]
    return Model.from_node(Pipeline(MODEL, tuple(nodes)))


def versions_in(answers: list[dict[str, float]]) -> set[float]:
    """The numbers of the versions that the values of an answer are from."""
    return {(answer[column] - row) / factor for row, answer in enumerate(answers) for column, factor in FACTORS.items()}


@dataclass
class Seen:
    """The things that clients have seen.

    Attributes:
        requests: the number of requests that were answered.
        rows: the number of their rows.
        versions: the number of answers by version.
        mixed: answers that are from more than one version.
        failures: the number of requests that failed, by the reason.
    """

    requests: int = 0
    rows: int = 0
    versions: Counter[float] = field(default_factory=Counter)
    mixed: list[set[float]] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)

    def add(self, other: Seen) -> None:
        """Add what another client has seen."""
        self.requests += other.requests
        self.rows += other.rows
        self.versions.update(other.versions)
        self.mixed += other.mixed
        self.failures.update(other.failures)


def _ask(url: str, ended: threading.Event, seen: Seen) -> None:
    """Ask without a pause, on one connection, until the end."""
    address = urlsplit(url).netloc
    bodies = [json.dumps([{"x": [float(row)]} for row in range(rows)]).encode() for rows in ROWS]
    connection = http.client.HTTPConnection(address, timeout=30)
    while not ended.is_set():
        for body, rows in zip(bodies, ROWS, strict=True):
            try:
                connection.request("POST", f"/v1/models/{MODEL}:predict", body, {"content-type": "application/json"})
                answer = connection.getresponse()
                content = answer.read()
            except (OSError, http.client.HTTPException) as error:
                seen.failures[type(error).__name__] += 1
                connection.close()
                continue
            if answer.status != 200:
                seen.failures[f"status {answer.status}"] += 1
                continue
            found = versions_in(json.loads(content))
            seen.requests += 1
            seen.rows += rows
            if len(found) == 1:
                seen.versions.update(found)
            else:
                seen.mixed.append(found)
    connection.close()


@contextmanager
def load_of(url: str, clients: int) -> Iterator[Seen]:
    """Clients that ask while the block runs; what they saw is there after it."""
    seen = Seen()
    ended = threading.Event()
    each = [Seen() for _ in range(clients)]
    threads = [threading.Thread(target=_ask, args=(url, ended, found)) for found in each]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        ended.set()
        for thread in threads:
            thread.join()
        for found in each:
            seen.add(found)


@contextmanager
def served(store: Path, workers: int, log: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A server that follows the alias ``live`` of a store; its URL and process."""
    command = [sys.executable, "-m", "leapstream", "serve", "--store", str(store), "--alias", "live"]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [*command, "--workers", str(workers), "--reload", "100ms", "--port", "0"], stderr=stream
        )
    try:
        url = ""
        while not url:
            time.sleep(0.1)
            assert process.poll() is None, log.read_text()
            url = next((part[4:] for part in log.read_text().split() if part.startswith("url=")), "")
        while log.read_text().count("startup complete") < workers:
            time.sleep(0.1)
        yield url, process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def live_version(url: str) -> str:
    """The version that a worker has live."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    connection.request("GET", f"/v1/models/{MODEL}")
    version: str = json.loads(connection.getresponse().read())["version"]
    connection.close()
    return version


def family(process: int) -> list[int]:
    """A process and its workers."""
    listed = subprocess.run(["pgrep", "-P", str(process)], capture_output=True, text=True, check=False).stdout
    return [process, *map(int, listed.split())]


def memory_of(processes: list[int]) -> float:
    """The memory of processes in MiB, with their shares of what they have in common."""
    total = 0
    for process in processes:
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
        total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total / 1024


@dataclass
class Reloads:
    """The result of many reloads.

    Attributes:
        seen: what clients saw.
        memory: MiB of the server's processes, by the number of reloads after which it was measured.
        seconds: seconds from the publication of each version until it was live in every worker that answered.
    """

    seen: Seen
    memory: dict[int, float]
    seconds: list[float]


def reload_often(folder: Path, reloads: int, *, workers: int = 2, clients: int = 4) -> Reloads:
    """Publish versions while clients ask.

    Args:
        folder: where to; for the store and the server's log.
        reloads: the number of versions.
        workers: the number of the server's processes.
        clients: the number of clients.
    """
    store = ModelStore(folder / "store")
    store.publish(MODEL, version_of(1), aliases=["live"])
    memory: dict[int, float] = {}
    seconds = []
    with served(folder / "store", workers, folder / "log") as (url, process), load_of(url, clients) as seen:
        for number in range(2, reloads + 2):
            published = time.monotonic()
            store.publish(MODEL, version_of(number), aliases=["live"])
            # Each look may be answered by another worker.
            while any(live_version(url) != str(number) for _ in range(2 * workers)):
                assert time.monotonic() - published < 60, f"version {number} did not become live"
            seconds.append(time.monotonic() - published)
            if number - 1 in (reloads // 10, reloads // 2, reloads):
                memory[number - 1] = memory_of(family(process.pid))
    return Reloads(seen, memory, seconds)


def kill_each_worker(folder: Path, *, workers: int = 2, clients: int = 4) -> tuple[Seen, list[float]]:
    """Kill the workers one after the other while clients ask, and publish a version after each.

    Returns:
        what clients saw, and the seconds until another worker was in the place of each.
    """
    store = ModelStore(folder / "store")
    store.publish(MODEL, version_of(1), aliases=["live"])
    log = folder / "log"
    seconds = []
    with served(folder / "store", workers, log) as (url, process):
        before = family(process.pid)[-workers:]
        with load_of(url, clients) as seen:
            for number, worker in enumerate(before, 2):
                started = log.read_text().count("startup complete")
                killed = time.monotonic()
                os.kill(worker, signal.SIGKILL)
                while log.read_text().count("startup complete") == started:
                    assert time.monotonic() - killed < 90, log.read_text()
                    time.sleep(0.05)
                seconds.append(time.monotonic() - killed)
                # One of them was the one that looks for new versions.
                store.publish(MODEL, version_of(number), aliases=["live"])
                _wait_for(url, str(number), workers)
    return seen, seconds


def _wait_for(url: str, version: str, workers: int) -> float:
    """Wait until a version is live in every worker that answers; returns the seconds."""
    started = time.monotonic()
    # Each look may be answered by another worker.
    while any(live_version(url) != version for _ in range(2 * workers)):
        assert time.monotonic() - started < 60, f"version {version} did not become live"
    return time.monotonic() - started


def main() -> None:
    """Print the figures; fail if a request failed or an answer was mixed."""
    reloads = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory(prefix="leapstream-reloads-") as folder:
        found = reload_often(Path(folder), reloads)
    seen, seconds = found.seen, sorted(found.seconds)
    print(f"{reloads} reloads, 2 workers, 4 clients: {seen.requests} requests of {seen.rows} rows")
    print(f"  failed {sum(seen.failures.values())}, mixed {len(seen.mixed)}, versions seen {len(seen.versions)}")
    print(f"  seconds until live everywhere: median {seconds[len(seconds) // 2]:.2f}, worst {seconds[-1]:.2f}")
    print("  memory: " + ", ".join(f"{mib:.1f} MiB after {number}" for number, mib in found.memory.items()))
    with tempfile.TemporaryDirectory(prefix="leapstream-reloads-") as folder:
        killed, away = kill_each_worker(Path(folder))
    failures = ", ".join(f"{count} {reason}" for reason, count in killed.failures.items()) or "none"
    replaced = ", ".join(f"{each:.1f} s" for each in away)
    print(
        f"kill -9 of each of 2 workers: {killed.requests} requests answered, failed: {failures}; replaced in {replaced}"
    )
    sys.exit(bool(seen.failures or seen.mixed))


if __name__ == "__main__":
    main()
