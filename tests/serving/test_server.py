from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from leapstream.store import ModelStore
from tests.serving.conftest import BENCH, FAILING, RECORD
from tests.serving.running import serving

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
        for _ in range(10):
            with pytest.raises(HTTPError):
                predict(server.url, FAILING)
        with urlopen(f"{server.url}/v1/statistics") as answer:
            counted = json.load(answer)["models"]["linear"]
        assert (counted["requests"], counted["rows"], counted["failures"]) == (30, 30, {"prediction": 10})
        server.end()


def test_a_model_that_a_request_loads_is_served_by_all_workers() -> None:
    with serving("--workers", "2", "--allow-load", str(BENCH)) as server:
        body = json.dumps({"modelName": "linear", "uri": str(BENCH / "linear3.zip")}).encode()
        urlopen(Request(f"{server.url}/models", body, {"content-type": "application/json"}), timeout=30).close()
        for _ in range(20):
            assert predict(server.url) == {"prediction": -0.625}
        server.end()


def test_the_open_inference_protocol_loads_and_unloads_in_all_workers() -> None:
    def repository(what: str) -> None:
        body = json.dumps({"parameters": {"uri": str(BENCH / "linear3.zip")}} if what == "load" else {}).encode()
        given = Request(f"{server.url}/v2/repository/models/linear/{what}", body, {"content-type": "application/json"})
        urlopen(given, timeout=30).close()

    with serving("--workers", "2", "--allow-load", str(BENCH)) as server:
        for _ in range(5):
            repository("load")
            assert [predict(server.url) for _ in range(4)] == [{"prediction": -0.625}] * 4
            repository("unload")
            for _ in range(4):
                with pytest.raises(HTTPError, match="404"):
                    predict(server.url)
        server.end()


def test_a_store_is_followed(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    store.publish("linear", BENCH / "linear3.zip", aliases=["live"])
    with serving("--store", str(tmp_path), "linear@live", "--reload", "50ms") as server:
        assert predict(server.url) == {"prediction": -0.625}
        store.publish("linear", BENCH / "linear3.zip", aliases=["live"])
        assert server.find("model reloaded (.*)").strip() == "model=linear version=2"
        server.end()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.zip"], "no such file"),
        ([LINEAR, LINEAR], "two models have the name"),
        ([LINEAR, "--reload", "often"], "--reload"),
        ([LINEAR, "--host", "256.0.0.1"], "cannot listen"),
        (["--store", "nowhere"], "the store has no models"),
        (["--config", "nowhere"], "nowhere: No such file"),
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
