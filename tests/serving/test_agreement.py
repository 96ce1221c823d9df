from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from leapstream.serving.agreement import Agreement, Announced
from leapstream.serving.loading import ModelSpec, Pinned

SPEC = ModelSpec("m", "m.zip")
PINNED = Pinned(SPEC, "1", "0" * 64)
# Process 1 is there as long as the machine runs.
OTHER = 1


@pytest.fixture(params=["memory", "file"])
def agreement(request: pytest.FixtureRequest, tmp_path: Path) -> Agreement:
    return Agreement(tmp_path if request.param == "file" else None)


def test_a_change_is_seen_as_a_whole(agreement: Agreement) -> None:
    with agreement.change() as state:
        state.begun = True
        state.models["m"] = PINNED
    assert agreement.state().begun and agreement.state().models == {"m": PINNED}


def test_a_change_that_fails_is_not_written(tmp_path: Path) -> None:
    agreement = Agreement(tmp_path)
    with agreement.change() as state:
        state.models["m"] = PINNED

    def fail() -> None:
        with agreement.change() as state:
            del state.models["m"]
            raise ValueError

    with pytest.raises(ValueError):
        fail()
    assert agreement.state().models == {"m": PINNED}


def test_changes_at_the_same_time_are_all_made(tmp_path: Path) -> None:
    def add(number: int) -> None:
        mine = Agreement(tmp_path)
        for i in range(10):
            with mine.change() as state:
                state.models[f"{number}-{i}"] = PINNED

    threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    state = Agreement(tmp_path).state()
    assert len(state.models) == 40 and state.revision == 40


def test_one_of_several_leads(tmp_path: Path) -> None:
    first, second = Agreement(tmp_path), Agreement(tmp_path)
    assert first.leads() and first.leads() and not second.leads()
    assert Agreement().leads()


def test_an_announcement_ends_with_its_process(agreement: Agreement) -> None:
    with agreement.change() as state:
        state.announced["mine"] = Announced(SPEC, os.getpid())
        state.announced["dead"] = Announced(SPEC, 2**22 + 1)
    state = agreement.state()
    assert [state.is_announced(name) for name in ("mine", "dead", "none")] == [True, False, False]


def test_few_unloaded_models_are_remembered(agreement: Agreement) -> None:
    with agreement.change() as state:
        for number in range(100):
            state.put_away(str(number), PINNED)
    assert list(agreement.state().away) == [str(number) for number in range(36, 100)]


def test_the_others_are_awaited(tmp_path: Path) -> None:
    agreement = Agreement(tmp_path)
    with agreement.change() as state:
        state.models["m"] = PINNED
    agreement.acknowledge(0)
    assert agreement.await_others(0)
    (tmp_path / "workers" / str(OTHER)).write_text("0")
    assert not agreement.await_others(0.05)
    (tmp_path / "workers" / str(OTHER)).write_text("1")
    assert agreement.await_others(0)


def test_a_worker_that_was_killed_is_not_awaited(tmp_path: Path) -> None:
    agreement = Agreement(tmp_path)
    with agreement.change():
        pass
    agreement.acknowledge(1)
    dead = tmp_path / "workers" / str(2**22 + 1)
    dead.write_text("0")
    assert agreement.await_others(0) and not dead.exists()


def test_a_model_is_as_idle_as_the_worker_that_used_it_last_says(tmp_path: Path) -> None:
    first, second = Agreement(tmp_path), Agreement(tmp_path)
    assert first.idle("m", 50.0) == pytest.approx(50, abs=1)
    assert second.idle("m", 5.0) == pytest.approx(5, abs=1)
    assert first.idle("m", 51.0) == pytest.approx(5, abs=1)
    assert Agreement().idle("m", 7.0) == 7.0


def test_the_state_is_read_again_only_if_it_changed(tmp_path: Path) -> None:
    agreement = Agreement(tmp_path)
    with Agreement(tmp_path).change() as state:
        state.models["m"] = PINNED
    first = agreement.state()
    assert agreement.state() is first
    time.sleep(0.01)
    with Agreement(tmp_path).change() as state:
        del state.models["m"]
    assert agreement.state().models == {}
