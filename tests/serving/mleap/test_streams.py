from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from leapstream.serving.failures import ConflictError, DeadlineError
from leapstream.serving.mleap.streams import (
    ClosedStreamError,
    Flow,
    Pace,
    RateError,
    Stream,
    Streams,
    Throttle,
    UnknownStreamError,
)

LONG = 3600.0
END = ClosedStreamError("the end")


@pytest.fixture
def streams() -> Iterator[list[Stream]]:
    """A list whose streams are closed at the end."""
    made: list[Stream] = []
    yield made
    for stream in made:
        stream.close(END)


def flow(
    streams: list[Stream], stream: Pace | None = None, pace: Pace | None = None, compute: Any = abs
) -> Flow[Any, Any]:
    streams.append(Stream(stream or Pace()))
    return Flow(streams[-1], pace or Pace(), compute)


def seconds(work: Any) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def forever() -> Iterator[int]:
    threading.Event().wait(5)
    yield from ()


def test_answers_come_in_the_order_of_elements(streams: list[Stream]) -> None:
    def slower_first(number: int) -> int:
        time.sleep(0.02 * (5 - number))
        return number

    made = flow(streams, Pace(parallelism=5), Pace(parallelism=5), slower_first)
    assert list(made.run(iter(range(5)))) == [0, 1, 2, 3, 4]


@pytest.mark.slow
def test_elements_are_computed_at_once_as_far_as_both_allow(streams: list[Stream]) -> None:
    def wait(number: int) -> int:
        time.sleep(0.1)
        return number

    both = flow(streams, Pace(parallelism=8), Pace(parallelism=8), wait)
    assert seconds(lambda: list(both.run(iter(range(8))))) < 0.75
    one = flow(streams, Pace(parallelism=1), Pace(parallelism=8), wait)
    assert seconds(lambda: list(one.run(iter(range(4))))) > 0.4


def test_an_answer_does_not_wait_for_the_next_element(streams: list[Stream]) -> None:
    answered = threading.Event()

    def elements() -> Iterator[int]:
        yield 1
        assert answered.wait(5)

    made = flow(streams, pace=Pace(parallelism=4))
    for answer in made.run(elements()):
        assert answer == 1
        answered.set()


def test_elements_are_not_read_beyond_the_buffer(streams: list[Stream]) -> None:
    read = []

    def elements() -> Iterator[int]:
        for number in range(100):
            read.append(number)
            yield number

    made = flow(streams, Pace(buffer=3)).run(elements())
    next(made)
    time.sleep(0.1)
    assert len(read) < 10


def test_a_flow_without_elements_ends_after_its_idle_timeout(streams: list[Stream]) -> None:
    with pytest.raises(DeadlineError, match="No elements passed in the last 50 milliseconds"):
        list(flow(streams, pace=Pace(idle_timeout=0.05)).run(forever()))


def test_a_stream_without_elements_ends_after_its_idle_timeout_with_its_flows(streams: list[Stream]) -> None:
    made = flow(streams, Pace(idle_timeout=0.1))
    with pytest.raises(DeadlineError, match="No elements passed in the last 100 milliseconds"):
        list(made.run(forever()))
    assert streams[0].closed.is_set()


@pytest.mark.parametrize("of_stream", [True, False])
def test_a_throttle_lets_elements_wait(streams: list[Stream], of_stream: bool) -> None:
    pace = Pace(throttle=Throttle(10, 0.5, 1))
    made = flow(streams, pace) if of_stream else flow(streams, pace=pace)
    assert 0.2 <= seconds(lambda: list(made.run(iter(range(6))))) < 1.5


def test_a_burst_passes_a_throttle_at_once(streams: list[Stream]) -> None:
    made = flow(streams, pace=Pace(throttle=Throttle(1, LONG, 4)))
    assert seconds(lambda: list(made.run(iter(range(4))))) < 0.5


@pytest.mark.parametrize("of_stream", [True, False])
def test_a_throttle_that_enforces_its_rate_ends_the_flow(streams: list[Stream], of_stream: bool) -> None:
    pace = Pace(throttle=Throttle(1, LONG, 1, enforcing=True))
    made = flow(streams, pace) if of_stream else flow(streams, pace=pace)
    with pytest.raises(RateError):
        list(made.run(iter(range(2))))


@pytest.mark.parametrize("of_stream", [True, False])
def test_a_delay_keeps_elements_back_without_slowing_them(streams: list[Stream], of_stream: bool) -> None:
    pace = Pace(delay=0.2, parallelism=20)
    made = flow(streams, pace, Pace(parallelism=20)) if of_stream else flow(streams, pace=pace)
    assert 0.2 <= seconds(lambda: list(made.run(iter(range(20))))) < 1


def test_a_flow_that_is_kept_back_does_not_keep_others_back(streams: list[Stream]) -> None:
    first = flow(streams, pace=Pace(delay=LONG))
    thread = threading.Thread(target=lambda: list(first.run(iter([1]))), daemon=True)
    thread.start()
    assert list(Flow(streams[0], Pace(), abs).run(iter([-2]))) == [2]
    first.end()
    thread.join(5)
    assert not thread.is_alive()


def test_a_stream_that_is_closed_ends_its_flows(streams: list[Stream]) -> None:
    made = flow(streams, Pace(delay=LONG))
    threading.Timer(0.1, lambda: streams[0].close(END)).start()
    with pytest.raises(ClosedStreamError, match="the end"):
        list(made.run(iter([1])))
    with pytest.raises(ClosedStreamError, match="the end"):
        list(Flow(streams[0], Pace(), abs).run(iter([1])))


def test_a_stream_that_drains_ends_its_flows_when_their_elements_are_computed(streams: list[Stream]) -> None:
    made = flow(streams, Pace(delay=0.3))

    def elements() -> Iterator[int]:
        yield -1
        streams[0].drain(END)
        threading.Event().wait(5)

    answers = made.run(elements())
    assert next(answers) == 1
    with pytest.raises(ClosedStreamError, match="the end"):
        next(answers)


def test_streams_are_found_by_model_name_and_kind() -> None:
    streams, stream = Streams(), Stream(Pace(), "text")
    streams.create("m", "s", stream)
    assert streams.get("m", "s", str) is stream
    for model, name, kind in (("m", "t", str), ("n", "s", str), ("m", "s", int)):
        with pytest.raises(UnknownStreamError, match=f"could not find stream {model}/{name}"):
            streams.get(model, name, kind)
    with pytest.raises(ConflictError, match="already exists m/s"):
        streams.create("m", "s", Stream(Pace()))
    assert (streams.has_any("m"), streams.has_any("n")) == (True, False)
    streams.close("m")
    assert stream.closed.is_set()
    assert not streams.has_any("m")
