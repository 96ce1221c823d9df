from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pandas as pd
import pytest

from leapstream import Model
from leapstream.errors import PredictionError, SchemaError
from leapstream.executors.vectorized import executor
from leapstream.threads import THREADS_VARIABLE, in_threads, number_of_threads
from tests.executors.vectorized.test_executor import categories

ROWS = 3000


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "FEWEST_ROWS_OF_PIECE", 100)
    monkeypatch.setattr(executor, "LEAST_SECONDS", 0.0)


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    colours = np.array(["red", "blue", "green", None], dtype=object)
    sizes = np.array(["small", "large", "huge"], dtype=object)
    return pd.DataFrame(
        {
            "colour": colours[rng.choice(4, ROWS, p=[0.5, 0.4, 0.05, 0.05])],
            "size": sizes[rng.choice(3, ROWS, p=[0.5, 0.4, 0.1])],
        }
    )


@pytest.fixture
def model() -> Model:
    return categories()


def _results(model: Model, frame: pd.DataFrame, threads: int) -> Any:
    found = model.predict_rows(frame, threads=threads)
    values = np.array([np.full(4, np.nan) if row is None else row for row in found.frame["out"]])
    return values.tobytes(), found.rows.tolist(), {row: str(error) for row, error in found.errors.items()}


@pytest.mark.usefixtures("small_pieces")
def test_results_drops_and_failures_do_not_depend_on_the_number_of_threads(model: Model, frame: pd.DataFrame) -> None:
    wanted = _results(model, frame, 1)
    assert len(wanted[1]) < ROWS and len(wanted[2]) > 100
    for threads in (2, 3, 50):
        assert _results(model, frame, threads) == wanted
    with pytest.raises(PredictionError) as ours:
        model.predict(frame, threads=2)
    with pytest.raises(PredictionError) as theirs:
        model.predict(frame, threads=1)
    assert str(ours.value) == str(theirs.value)


@pytest.mark.usefixtures("small_pieces")
def test_a_batch_that_takes_less_time_than_threads_do_gets_none(
    model: Model, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []

    def watched(run: Any, items: Any, count: int) -> list[Any]:
        threads.append(count)
        return [run(item) for item in items]

    monkeypatch.setattr(executor, "LEAST_SECONDS", 1000.0)
    monkeypatch.setattr(executor, "in_threads", watched)
    for _ in range(3):
        model.transform(frame, on_error="null", threads=2)
    assert threads == [2]


@pytest.mark.usefixtures("small_pieces")
def test_no_thread_is_left_after_a_batch(model: Model, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[str] = set()
    run = executor.VectorizedPlan._run_once

    def watched(*arguments: Any) -> Any:
        seen.add(threading.current_thread().name)
        return run(*arguments)

    monkeypatch.setattr(executor.VectorizedPlan, "_run_once", watched)
    before = threading.enumerate()
    model.transform(frame, on_error="null", threads=3)
    assert threading.enumerate() == before
    assert seen
    seen.discard(threading.current_thread().name)
    assert all(name.startswith("leapstream-pool") for name in seen)


def test_the_number_of_threads_is_the_given_one_or_the_environments_or_that_of_processors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(THREADS_VARIABLE, raising=False)
    assert number_of_threads(3) == 3
    assert number_of_threads(None) >= 1
    monkeypatch.setenv(THREADS_VARIABLE, "7")
    assert number_of_threads(None) == 7
    assert number_of_threads(2) == 2


@pytest.mark.parametrize("threads", [0, -1, 1.5, True, "2"])
def test_a_number_of_threads_that_is_none_is_rejected(threads: Any) -> None:
    with pytest.raises(SchemaError, match="threads is .*, and has to be a positive integer"):
        number_of_threads(threads)


def test_a_number_of_threads_in_the_environment_that_is_none_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(THREADS_VARIABLE, "many")
    with pytest.raises(SchemaError, match="LEAPSTREAM_THREADS is 'many'"):
        number_of_threads(None)


def test_an_error_in_a_thread_is_that_of_the_call() -> None:
    def divide(x: int) -> float:
        return 1 / x

    assert in_threads(divide, [1, 2], 2) == [1.0, 0.5]
    with pytest.raises(ZeroDivisionError):
        in_threads(divide, [1, 0, 2], 2)


def test_after_an_error_no_thread_takes_another_item() -> None:
    calls: list[int] = []

    def fail(x: int) -> None:
        calls.append(x)
        raise ValueError(x)

    with pytest.raises(ValueError, match="^[01]$"):
        in_threads(fail, range(100), 2)
    assert len(calls) <= 2


def test_the_callers_thread_works_too() -> None:
    both = threading.Barrier(2, timeout=10)

    def name(_: int) -> str:
        both.wait()
        return threading.current_thread().name

    own = threading.current_thread().name
    assert own in in_threads(name, [0, 1], 2)


def test_no_items_need_no_thread() -> None:
    assert in_threads(str, [], 2) == []
