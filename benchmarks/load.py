"""Puts load on a server by wrk or h2load, and reads from ``/proc`` what its processes use for it.

Both are ordinary packages of Debian: ``wrk`` and ``nghttp2-client``.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 16
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}
_SHOWN = 3000


def require_generators() -> None:
    """Exit if a load generator is missing."""
    for command, package in (("wrk", "wrk"), ("h2load", "nghttp2-client")):
        if shutil.which(command) is None:
            sys.exit(f"{command} is missing; on Debian, the package {package} has it")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


# ---- processes --------------------------------------------------------------------------------------------------------


def tree(pid: int) -> Iterator[int]:
    """A process and all that it started."""
    yield pid
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except OSError:
        return
    for child in children:
        yield from tree(child)


def cpu_seconds(pid: int) -> float:
    """The seconds of CPU, of the user and of the system, that a process and all that it started have used."""
    ticks = 0
    for one in tree(pid):
        try:
            # The name of the command, in parentheses, may hold anything.
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS


def resident_megabytes(pid: int) -> float:
    """The memory of a process and all that it started; pages that they share count once for each."""
    pages = 0
    for one in tree(pid):
        try:
            pages += int(Path(f"/proc/{one}/statm").read_text().split()[1])
        except OSError:
            continue
    return pages * _PAGE / 1e6


class ServerProcess:
    """A server in a process of its own, whose output goes to a file."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command, stdout=output, stderr=output, env={**os.environ, **environment}, start_new_session=True
            )
        self.pid = self._process.pid

    def wait_until(self, url: str, body: bytes | None, headers: dict[str, str], expected: bytes) -> None:
        """Wait until a request is answered by something that contains ``expected``."""
        end = time.monotonic() + 120
        said: bytes | OSError = b""
        while time.monotonic() < end and self._process.poll() is None:
            try:
                request = urllib.request.Request(url, body, headers)
                with urllib.request.urlopen(request, timeout=10) as answer:
                    answered: bytes = answer.read()
                if expected in answered:
                    return
                said = answered
            except urllib.error.HTTPError as error:
                said = error.read()
            except OSError as error:
                said = error
            time.sleep(0.2)
        self.stop()
        sys.exit(f"{url} does not answer {expected!r}, but {said!r}:\n{self.log.read_text()[-_SHOWN:]}")

    def wait_for_port(self, port: int) -> None:
        """Wait until something listens on a port."""
        end = time.monotonic() + 120
        while time.monotonic() < end and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.2)
        self.stop()
        sys.exit(f"nobody listens on {port}:\n{self.log.read_text()[-_SHOWN:]}")

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


# ---- load -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Load:
    """The result of a load.

    Attributes:
        requests: the number of requests.
        failed: how many of them failed: no answer, or a status other than 2xx.
        rate: requests a second.
        cpu: microseconds of CPU of the server's processes for each.
        p50, p99: milliseconds in which half, and 99 of 100, were answered; ``nan`` if the generator does not tell.
    """

    requests: int
    failed: int
    rate: float
    cpu: float
    p50: float
    p99: float


@dataclass(frozen=True)
class Post:
    """A request that is sent over and over.

    Attributes:
        path: the path.
        body: the body.
        headers: its headers.
        expected: is in each answer.
    """

    path: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"),)
    expected: bytes = b"-0.625"


def wrk(pid: int, port: int, post: Post, seconds: float, pause: float = 0.0) -> Load:
    """Load by wrk, from one thread, over connections that are kept.

    Args:
        pid: the server.
        port: where it listens.
        post: the request.
        seconds: how long.
        pause: milliseconds, on the average, between an answer and the connection's next request.
    """
    lines = [
        'wrk.method = "POST"',
        f"wrk.body = {_lua(post.body)}",
        *(f'wrk.headers["{name}"] = "{value}"' for name, value in post.headers),
    ]
    if pause:
        # wrk takes whole milliseconds.
        lines.append(f"function delay() return math.floor({2 * pause} * math.random() + 0.5) end")
    with _file("\n".join(lines).encode()) as script:
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "--latency", "-s", script]
        before = cpu_seconds(pid)
        said = _run([*command, f"http://127.0.0.1:{port}{post.path}"])
        used = cpu_seconds(pid) - before
    requests, taken = _found(r"(\d+) requests in ([\d.]+)(us|ms|s|m)", said)[:2]
    failed = sum(map(int, re.findall(r"Non-2xx or 3xx responses: (\d+)", said)))
    for counts in re.findall(r"Socket errors: (.*)", said):
        failed += sum(map(int, re.findall(r"\d+", counts)))
    shares = {
        share: float(value) * _UNITS[unit] for share, value, unit in re.findall(r" (50|99)% +([\d.]+)(us|ms|s)", said)
    }
    return Load(int(requests), failed, int(requests) / float(taken), _each(used, requests), shares["50"], shares["99"])


def h2load(pid: int, port: int, path: str, message: bytes, seconds: float) -> Load:
    """Load of gRPC calls by h2load, from one thread, a call at once on each connection."""
    with _file(b"\0" + struct.pack(">I", len(message)) + message) as body:
        command = ["h2load", "-t1", f"-c{CONNECTIONS}", "-m1", f"-D{max(1, round(seconds))}", "-d", body]
        command += ["--header=content-type: application/grpc", "--header=te: trailers"]
        before = cpu_seconds(pid)
        said = _run([*command, f"http://127.0.0.1:{port}{path}"])
        used = cpu_seconds(pid) - before
    done, failed = (int(text) for text in _found(r"(\d+) succeeded, (\d+) failed", said))
    (rate,) = _found(r"([\d.]+) req/s", said)
    return Load(done, failed, float(rate), _each(used, done), float("nan"), float("nan"))


def _each(seconds: float, requests: int | str) -> float:
    return seconds * 1e6 / max(1, int(requests))


def _lua(data: bytes) -> str:
    return '"' + "".join(f"\\{byte:03d}" for byte in data) + '"'


@contextmanager
def _file(content: bytes) -> Iterator[str]:
    with tempfile.NamedTemporaryFile(suffix=".lua") as file:
        file.write(content)
        file.flush()
        yield file.name


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command[0]} failed:\n{done.stdout[-_SHOWN:]}{done.stderr[-_SHOWN:]}")
    return done.stdout


def _found(pattern: str, text: str) -> tuple[str, ...]:
    match = re.search(pattern, text)
    if match is None:
        sys.exit(f"no {pattern!r} in:\n{text[-_SHOWN:]}")
    return match.groups()
