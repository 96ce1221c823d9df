from __future__ import annotations

import math
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from leapstream.serving import Application, ModelRegistry, Settings, app
from leapstream.serving.keeper import Keeper
from leapstream.serving.sources import StoreModels
from leapstream.serving.splitting import await_shadows
from leapstream.store import ModelStore
from tests.serving.asgi import Answer, ask
from tests.serving.versions import adding

PREDICT = "/v1/models/loans:predict"
X = {"x": [1.0]}


class Server:
    """A server of a store whose model has the versions 1 to 3, which add their number."""

    def __init__(self, folder: Path) -> None:
        self.store = ModelStore(folder)
        for number in (1, 2, 3):
            self.store.publish("loans", adding(number))
        self.store.set_alias("loans", "live", {"1": 90, "2": 10}, shadow=["3"])
        self.models = ModelRegistry()
        self.keeper = Keeper(self.models, Settings(), sources=[StoreModels(str(folder), alias="live")])
        self.application: Application = app(self.models, keeper=self.keeper)
        self.keeper.start()

    def ask(self, key: str | None = None, path: str = PREDICT, body: Any = X) -> Answer:
        return ask(self.application, "POST", path, body, None if key is None else {"X-Split-Key": key})

    def metrics(self, name: str, **labels: str) -> dict[str, float]:
        """The samples of a metric that have these labels, by version."""
        await_shadows()
        text = ask(self.application, "GET", "/metrics").body.decode()
        return {
            sample.labels["version"]: sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == f"leapstream_{name}" and labels.items() <= sample.labels.items()
        }


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path / "store")


def test_a_key_has_the_version_that_the_alias_gives_it(server: Server) -> None:
    alias = server.store.alias("loans", "live")
    assert alias is not None
    for key in [*(f"customer-{number}" for number in range(100)), "Zürich", "日本"]:
        answer = server.ask(key)
        version = answer.headers["x-model-version"]
        assert version == alias.version_of(key)
        assert answer.json() == {"sum": 1.0 + float(version)}


def test_requests_without_a_key_are_split_by_the_weights(server: Server) -> None:
    requests = 1000
    found = Counter(server.ask().headers["x-model-version"] for _ in range(requests))
    assert set(found) == {"1", "2"}
    assert abs(found["2"] - requests * 0.1) < 4 * math.sqrt(requests * 0.1 * 0.9)


def test_a_request_may_name_each_version(server: Server) -> None:
    for version in ("1", "2", "3"):
        answer = server.ask("customer-17", f"/v1/models/loans/versions/{version}:predict")
        assert (answer.headers["x-model-version"], answer.json()) == (version, {"sum": 1.0 + float(version)})


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (PREDICT, [X, X]),
        ("/invocations", {"instances": [{"x": [1.0]}]}),
        ("/v2/models/loans/infer", {"inputs": [{"name": "x", "shape": [1, 1], "datatype": "FP64", "data": [1.0]}]}),
    ],
)
def test_every_protocol_splits(server: Server, path: str, body: Any) -> None:
    versions = [server.ask(key, path, body).headers["x-model-version"] for key in ("Zürich", "hello, world")]
    assert versions == ["1", "2"]


def test_the_versions_are_shown(server: Server) -> None:
    split = {"versions": {"1": 90, "2": 10}, "shadow": ["3"]}
    model = ask(server.application, "GET", "/v1/models/loans").json()
    assert (model["version"], model["versions"], model["split"]) == ("1", ["1", "2", "3"], split)


def test_the_page_gets_the_numbers_of_the_versions(server: Server) -> None:
    server.ask("Zürich")
    await_shadows()
    found = ask(server.application, "GET", "/v1/statistics").json()["models"]["loans"]["versions"]
    assert (found["1"]["requests"], found["1"]["failed"]) == (1, 0)
    assert found["3"]["shadow"]["rows"] == found["3"]["shadow"]["differing_rows"] == 1


def test_each_version_has_its_metrics(server: Server) -> None:
    for key in ("Zürich", "Zürich", "hello, world"):
        server.ask(key)
    server.ask("hello, world", body={"x": None})
    assert server.metrics("version_requests_total") == {"1": 2, "2": 2}
    assert server.metrics("version_rows_total") == {"1": 2, "2": 2}
    assert server.metrics("version_failures_total") == {"1": 0, "2": 1}
    assert server.metrics("version_seconds_count") == {"1": 2, "2": 2}
    assert server.metrics("version_share") == {"1": 0.9, "2": 0.1, "3": 0}


def test_shadows_are_computed_and_compared(server: Server) -> None:
    server.ask("Zürich")
    server.ask("hello, world", body=[X, X])
    server.ask("Zürich", body=[X] * 300)
    assert server.metrics("shadow_rows_total") == {"3": 303}
    assert server.metrics("shadow_failures_total") == {"3": 0}
    assert server.metrics("shadow_differing_rows_total", output="sum") == {"3": 303}
    assert server.metrics("shadow_difference_total", output="sum") == {"3": 2 * 301 + 2}


def test_a_shadow_that_fails_fails_no_request(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("broken")

    group = server.models.get("loans").group
    assert group is not None
    for name in ("predict_record", "predict_rows"):
        monkeypatch.setattr(group.shadows[0].model, name, fail, raising=False)
    assert server.ask("Zürich").status == 200
    assert server.ask("Zürich", body=[X] * 300).status == 200
    assert server.metrics("shadow_failures_total") == {"3": 301}


def test_a_shadow_that_is_too_slow_leaves_rows_out(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    group = server.models.get("loans").group
    assert group is not None
    release = threading.Event()
    monkeypatch.setattr(group.shadows[0].model, "predict_record", lambda *args, **kwargs: release.wait(20))
    started = time.monotonic()
    statuses = {server.ask("Zürich").status for _ in range(300)}
    seconds = time.monotonic() - started
    release.set()
    assert statuses == {200} and seconds < 10
    assert server.metrics("shadow_left_out_total")["3"] >= 300 - 256 - 1


def test_other_weights_go_live_and_a_single_version_ends_the_split(server: Server) -> None:
    server.store.set_alias("loans", "live", {"1": 1, "2": 99})
    server.keeper.reload()
    assert server.ask("Zürich").headers["x-model-version"] == "2"
    server.store.set_alias("loans", "live", "3")
    server.keeper.reload()
    assert {server.ask().headers["x-model-version"] for _ in range(50)} == {"3"}
    assert "split" not in ask(server.application, "GET", "/v1/models/loans").json()


def test_a_version_that_breaks_its_promise_does_not_go_live(server: Server) -> None:
    path = Path(server.store.uri, "loans", "2", "bundle.zip")
    path.write_bytes(Path(server.store.uri, "loans", "3", "bundle.zip").read_bytes())
    server.store.set_alias("loans", "live", {"3": 50, "2": 50})
    server.keeper.reload()
    assert server.ask("Zürich").headers["x-model-version"] == "1"
    assert "sha256" in server.keeper.rejected()["loans"].error
