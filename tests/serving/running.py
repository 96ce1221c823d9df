"""A server as its users start it: the command in a process of its own."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.request import urlopen

SECONDS_TO_START = 90


@dataclass
class Running:
    """A running server."""

    process: subprocess.Popen[bytes]
    url: str
    log: list[str]

    def find(self, pattern: str) -> str:
        """The text that the first group of an expression matches in the log, which is read until then."""
        end = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < end:
            for line in self.log:
                found = re.search(pattern, line)
                if found:
                    return found[1]
            assert self.process.stderr is not None
            if select.select([self.process.stderr], [], [], 1)[0]:
                self.log.append(self.process.stderr.readline().decode())
        raise AssertionError(f"the log has no {pattern}: {self.log}")

    def discard_log(self) -> None:
        """Read the log from now on, and forget it: a server whose log nobody reads waits when the pipe is full."""
        assert self.process.stderr is not None
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def end(self, with_signal: int = signal.SIGTERM) -> int:
        """End the server; returns its exit code."""
        self.process.send_signal(with_signal)
        return self.process.wait(SECONDS_TO_START)


@contextmanager
def serving(*arguments: str, environment: dict[str, str] | None = None, ready: bool = True) -> Iterator[Running]:
    """``leapstream serve`` with these arguments on a free port, until the block ends."""
    with subprocess.Popen(
        [sys.executable, "-m", "leapstream", "serve", *arguments, "--port", "0"],
        stderr=subprocess.PIPE,
        env={**os.environ, **(environment or {})},
    ) as process:
        try:
            log: list[str] = []
            url = _address(process, log)
            if ready:
                _wait_until_ready(url, process)
            yield Running(process, url, log)
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()


def _address(process: subprocess.Popen[bytes], log: list[str]) -> str:
    end = time.monotonic() + SECONDS_TO_START
    assert process.stderr is not None
    while time.monotonic() < end:
        if select.select([process.stderr], [], [], 1)[0]:
            line = process.stderr.readline().decode()
            log.append(line)
            found = re.search(r'https?://[^\s"]+', line)
            if found:
                return found[0]
        if process.poll() is not None:
            break
    raise AssertionError("the server did not start: " + "".join(log) + process.stderr.read().decode())


def _wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < end and process.poll() is None:
        try:
            with urlopen(f"{url}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server did not become ready")


def processes_of(server: Running) -> Sequence[Any]:
    """The worker processes of a server."""
    listed = subprocess.run(["pgrep", "-P", str(server.process.pid)], capture_output=True, text=True, check=False)
    return [int(pid) for pid in listed.stdout.split()]
