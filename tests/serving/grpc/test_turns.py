from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import wait

import pytest

from leapstream.serving.grpc.turns import TurnsExecutor


@pytest.fixture
def calls() -> Iterator[TurnsExecutor]:
    executor = TurnsExecutor(6, "test-turns")
    yield executor
    executor.shutdown()


def test_calls_are_answered_and_fail_as_they_do(calls: TurnsExecutor) -> None:
    assert [calls.submit(divmod, 7, n).result(10) for n in (1, 2, 3)] == [(7, 0), (3, 1), (2, 1)]
    assert isinstance(calls.submit(divmod, 7, 0).exception(10), ZeroDivisionError)


def test_quick_calls_run_in_two_threads(calls: TurnsExecutor) -> None:
    futures = [calls.submit(threading.get_ident) for _ in range(200)]
    assert len({future.result(10) for future in futures}) <= 2


def test_calls_that_step_aside_hold_up_no_others(calls: TurnsExecutor) -> None:
    end = threading.Event()

    def long() -> bool:
        calls.step_aside()
        return end.wait(10)

    waiting = [calls.submit(long) for _ in range(4)]
    assert calls.submit(lambda: "quick").result(10) == "quick"
    end.set()
    assert all(future.result(10) for future in waiting)
    # Their threads have turns again.
    assert len([calls.submit(int).result(10) for _ in range(50)]) == 50


def test_calls_that_stay_too_long_lose_their_turn(calls: TurnsExecutor) -> None:
    end = threading.Event()
    waiting = [calls.submit(end.wait, 10) for _ in range(5)]
    assert calls.submit(lambda: "quick").result(10) == "quick"
    end.set()
    assert wait(waiting, 10).not_done == set()


def test_more_long_calls_than_threads_wait_for_one_another(calls: TurnsExecutor) -> None:
    end = threading.Event()
    waiting = [calls.submit(end.wait, 10) for _ in range(9)]
    threading.Timer(0.05, end.set).start()
    assert all(future.result(10) for future in waiting)
    assert calls.submit(lambda: "quick").result(10) == "quick"
