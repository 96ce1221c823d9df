from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from leapstream import Model, load
from leapstream.drift import Counts, Profile, profile
from leapstream.serving import ModelRegistry, Settings, app
from leapstream.serving.drift import DriftMonitor
from leapstream.serving.keeper import Keeper
from leapstream.serving.registry import ServedModel
from leapstream.serving.settings import DriftSettings
from leapstream.serving.sources import StoreModels
from leapstream.store import ModelStore
from tests.drift.loans import ROWS, loans
from tests.drift.test_profile import BUNDLE
from tests.serving.asgi import ask

PREDICT = "/v1/models/loans:predict?on_error=null"
DAY = DriftSettings(window=86400.0)


@pytest.fixture(scope="module")
def model() -> Model:
    return load(BUNDLE)


@pytest.fixture(scope="module")
def made(model: Model) -> Profile:
    return profile(model, loans())


@pytest.fixture(scope="module")
def expected(model: Model, made: Profile) -> dict[str, Any]:
    """PSI and missing rate of the drifted rows, by column."""
    counts = Counts(made, model.schema)
    counts.add_frame(loans(drifted=True), "input")
    counts.add_frame(model.predict_rows(loans(drifted=True)).frame, "output")
    return {drift.name: (drift.psi, drift.missing_rate) for drift in counts.drift()}


def served(model: Model, made: Profile) -> ModelRegistry:
    models = ModelRegistry()
    models.put(ServedModel("loans", "1", model, profile=made))
    return models


def found(application: Any) -> dict[str, Any]:
    (version,) = ask(application, "GET", "/v1/models/loans/drift").json()["versions"]
    assert version["current"]["rows"] == ROWS
    return {column["name"]: (column["psi"], column["missing_rate"]) for column in version["current"]["columns"]}


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 100, ROWS])
def test_the_drift_of_requests_is_that_of_their_rows(
    model: Model, made: Profile, expected: dict[str, Any], size: int
) -> None:
    application = app(served(model, made), settings=Settings(drift=DAY))
    rows = loans(drifted=True).to_pylist()
    for start in range(0, ROWS, size):
        assert ask(application, "POST", PREDICT, rows[start] if size == 1 else rows[start : start + size]).status == 200
    assert found(application) == expected


def test_metrics_have_psi_and_missing_rates(model: Model, made: Profile, expected: dict[str, Any]) -> None:
    application = app(served(model, made), settings=Settings(drift=DAY))
    ask(application, "POST", PREDICT, loans(drifted=True).to_pylist())
    samples = {
        (sample.name, sample.labels.get("column")): sample.value
        for family in text_string_to_metric_families(ask(application, "GET", "/metrics").body.decode())
        for sample in family.samples
    }
    for column, (psi, missing) in expected.items():
        assert samples.get(("leapstream_drift_psi", column)) == psi
        assert samples["leapstream_drift_missing_rate", column] == missing
    assert samples["leapstream_drift_rows", None] == ROWS


def test_workers_add_up_what_they_count(
    model: Model, made: Profile, expected: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = loans(drifted=True).to_pylist()
    monitors = []
    for number in (1, 2):
        models = served(load(BUNDLE), made)
        monitors.append(DriftMonitor(models, DAY, tmp_path))
        models.get("loans").model.predict_rows(rows[number - 1 :: 2])
        monitors[-1].count()
        monkeypatch.setattr("os.getpid", lambda number=number: number)
        monitors[-1]._report()
    (window,) = monitors[1].windows("loans", "1")
    assert {drift.name: (drift.psi, drift.missing_rate) for drift in window.counts.drift()} == expected


def test_of_many_rows_a_part_is_counted(model: Model, made: Profile) -> None:
    models = served(load(BUNDLE), made)
    monitor = DriftMonitor(models, DriftSettings(window=86400.0, rows_per_second=1, burst=500), None)
    rows = loans().to_pylist()
    for _ in range(3):
        models.get("loans").model.predict_rows(rows)
    for row in rows:
        models.get("loans").model.predict_record(row)
    (window,) = monitor.windows("loans", "1")
    assert 400 <= window.counts.rows <= 520


@pytest.mark.slow
def test_rows_are_counted_again_after_a_while(model: Model, made: Profile) -> None:
    models = served(load(BUNDLE), made)
    monitor = DriftMonitor(models, DriftSettings(window=86400.0, rows_per_second=1000, burst=10), None)
    row = loans().to_pylist()[0]
    end = time.monotonic() + 10
    while time.monotonic() < end and not (
        monitor.windows("loans", "1") and monitor.windows("loans", "1")[0].counts.rows > 30
    ):
        models.get("loans").model.predict_record(row)
        time.sleep(0.001)
    assert monitor.windows("loans", "1")[0].counts.rows > 30


def test_windows_follow_each_other(model: Model, made: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    models = served(load(BUNDLE), made)
    monitor = DriftMonitor(models, DriftSettings(window=60.0), None)
    row = loans().to_pylist()[0]
    for now in (1000.0, 1019.0, 1021.0, 1090.0):
        monkeypatch.setattr("leapstream.serving.drift.time.time", lambda now=now: now)
        models.get("loans").model.predict_record(row)
        monitor.count()
    windows = monitor.windows("loans", "1")
    assert [(window.start, window.end, window.counts.rows) for window in windows] == [(1080, 1140, 1), (1020, 1080, 1)]
    report = monitor.report("loans")["versions"][0]
    assert (report["current"]["start"], report["last"]["rows"]) == ("1970-01-01T00:18:00+00:00", 1)


def test_a_value_that_is_of_no_use_spoils_no_other_row(model: Model, made: Profile) -> None:
    application = app(served(model, made), settings=Settings(drift=DAY))
    row = loans().to_pylist()[0]
    for income in (1.0, "x", [3.0], "2.0"):
        ask(application, "POST", PREDICT, {**row, "income": income})
    (version,) = ask(application, "GET", "/v1/models/loans/drift").json()["versions"]
    income = next(column for column in version["current"]["columns"] if column["name"] == "income")
    assert sum(income["counts"]) == 2


def test_the_profile_of_a_store_is_used(model: Model, made: Profile, tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "store")
    store.publish("loans", BUNDLE, profile=made)
    store.publish("loans", BUNDLE, profile=made)
    store.set_alias("loans", "live", {"1": 1, "2": 1})
    models = ModelRegistry()
    keeper = Keeper(models, Settings(drift=DAY), sources=[StoreModels(store.uri, alias="live")])
    application = app(models, settings=Settings(drift=DAY), keeper=keeper)
    keeper.start()
    for key in range(20):
        ask(application, "POST", PREDICT, loans().to_pylist()[0], {"X-Split-Key": str(key)})
    versions = ask(application, "GET", "/v1/models/loans/drift").json()["versions"]
    assert [version["version"] for version in versions] == ["1", "2"]
    assert sum(version["current"]["rows"] for version in versions) == 20


def test_a_model_without_a_profile_has_no_drift(model: Model) -> None:
    application = app({"loans": model})
    assert ask(application, "GET", "/v1/models/loans/drift").json()["versions"] == []
    assert ask(application, "GET", "/v1/models/other/drift").status == 404
