from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from leapstream.serving import Settings, keeper
from leapstream.serving.failures import ConflictError, DeadlineError, ForbiddenError, UnknownModelError
from leapstream.serving.http import Request
from leapstream.serving.keeper import Keeper
from leapstream.serving.loading import ModelSpec, load_pinned
from leapstream.serving.loads import Loads
from leapstream.serving.registry import ModelRegistry
from leapstream.serving.scoring import NotYetError
from tests.serving.conftest import BENCH

LINEAR = ModelSpec("m", str(BENCH / "linear3.zip"))
FOREST = ModelSpec("m", str(BENCH / "forest3-20x5.zip"))
MISSING = ModelSpec("m", str(BENCH / "no.zip"))


@pytest.fixture
def loads() -> Loads:
    models = ModelRegistry()
    return Loads(models, Keeper(models, Settings(allow_load=(str(BENCH),))))


def request(seconds: float = 30) -> Request:
    return Request("GET", "/", b"", {}, b"", "1", time.monotonic() + seconds, in_loop=False)


@pytest.fixture
def go_on(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Loading waits for this."""
    event = threading.Event()

    def load(*arguments: Any) -> Any:
        assert event.wait(30)
        return load_pinned(*arguments)

    monkeypatch.setattr(keeper, "load_pinned", load)
    return event


def test_a_request_waits_for_a_model_that_is_being_loaded(loads: Loads, go_on: threading.Event) -> None:
    loads.begin(LINEAR, replace=False)
    assert loads.spec("m") == LINEAR
    with pytest.raises(NotYetError):
        loads.get("m")
    go_on.set()
    assert loads.wait_for("m", request()).model.name == "linear3"
    assert loads.spec("m") == LINEAR


def test_a_request_waits_no_longer_than_it_may(loads: Loads, go_on: threading.Event) -> None:
    loads.begin(LINEAR, replace=False)
    with pytest.raises(DeadlineError, match="still being loaded"):
        loads.wait_for("m", request(0))
    go_on.set()
    loads.wait_for("m", request())


def test_a_name_is_given_once_unless_it_is_replaced(loads: Loads, go_on: threading.Event) -> None:
    loads.begin(LINEAR, replace=False)
    with pytest.raises(ConflictError):
        loads.begin(FOREST, replace=False)
    loads.begin(FOREST, replace=True)
    go_on.set()
    first = loads.wait_for("m", request())
    end = time.monotonic() + 30
    while first.model.name == "linear3" and time.monotonic() < end:
        time.sleep(0.01)
        first = loads.get("m")
    assert first.model.name == "forest3_20x5"


def test_a_model_that_cannot_be_loaded_says_why_until_it_can(loads: Loads) -> None:
    loads.begin(MISSING, replace=False)
    for _ in range(2):
        with pytest.raises(UnknownModelError, match=r"no\.zip"):
            loads.wait_for("m", request())
    loads.begin(LINEAR, replace=False)
    assert loads.wait_for("m", request())


def test_a_model_may_be_unloaded(loads: Loads) -> None:
    loads.begin(LINEAR, replace=False)
    assert loads.waiting(lambda: loads.unload("m"), request()) == LINEAR
    with pytest.raises(UnknownModelError):
        loads.spec("m")


def test_only_allowed_places_are_loaded_from(loads: Loads) -> None:
    with pytest.raises(ForbiddenError):
        loads.begin(ModelSpec("m", "/etc/passwd"), replace=False)
