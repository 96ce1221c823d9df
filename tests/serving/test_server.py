from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.serving.conftest import BENCH, RECORD
from tests.serving.running import processes_of, serving

pytestmark = [pytest.mark.network, pytest.mark.slow]

LINEAR = f"linear={BENCH / 'linear3.zip'}"


def predict(url: str, body: object = RECORD) -> object:
    given = Request(f"{url}/v1/models/linear:predict", json.dumps(body).encode(), {"content-type": "application/json"})
    with urlopen(given, timeout=30) as answer:
        return json.load(answer)


def test_the_command_serves_until_it_is_told_to_end() -> None:
    with serving(LINEAR) as server:
        assert predict(server.url) == {"prediction": -0.625}
        assert server.end() == 0


def test_workers_share_the_port_and_the_metrics() -> None:
    with serving(LINEAR, "--workers", "2") as server:
        for _ in range(20):
            predict(server.url)
        with urlopen(f"{server.url}/metrics") as answer:
            text = answer.read().decode()
        assert 'leapstream_requests_total{model="linear",protocol="plain"} 20.0' in text
        server.end()


def test_a_worker_that_is_killed_is_started_again() -> None:
    with serving(LINEAR, "--workers", "2") as server:
        os.kill(processes_of(server)[-1], signal.SIGKILL)
        end = time.monotonic() + 60
        answered = 0
        while answered < 20 and time.monotonic() < end:
            try:
                assert predict(server.url) == {"prediction": -0.625}
                answered += 1
            except (OSError, HTTPError):
                answered = 0
        assert answered == 20
        server.end()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.zip"], "no such file"),
        ([LINEAR, LINEAR], "two models have the name"),
        ([LINEAR, "--reload", "often"], "--reload"),
        ([LINEAR, "--host", "256.0.0.1"], "cannot listen"),
    ],
)
def test_what_cannot_be_served_is_told(arguments: list[str], message: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "leapstream", "serve", *arguments, "--port", "0"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 1 and message in done.stderr
