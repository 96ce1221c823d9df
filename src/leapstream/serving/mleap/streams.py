"""The streams of MLeap's executor: elements that many calls send to a model by the name of a stream.

A *stream* belongs to a model, and has threads that compute its elements. A *flow* is one call's part of it: it sends elements,
and gets their answers in the order in which it sent them. Both may have a throttle, a delay, an idle time-out and a number of
elements at once; a stream has a buffer, too.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from leapstream.serving.failures import BusyError, ConflictError, DeadlineError, ServingError

# More would be of no use: Python computes on few cores at once.
_MOST_THREADS = 32
_MOST_STREAMS = 1000
_LARGEST_BUFFER = 1 << 16
# A thread waits no longer than this at once, since longer waits overflow.
_LONGEST_WAIT = 3600.0

T = TypeVar("T")
R = TypeVar("R")


class UnknownStreamError(ServingError):
    """A stream that a model does not have."""

    status = 404
    kind = "unknown_model"


class ClosedStreamError(ServingError):
    """A stream that ended: its model was unloaded, or nobody used it for too long."""

    status = 503
    kind = "not_ready"


class RateError(ServingError):
    """More elements in a time than a throttle that enforces its rate lets through."""

    status = 429
    kind = "busy"


@dataclass(frozen=True)
class Throttle:
    """A limit on the rate of elements.

    Attributes:
        elements: the number of elements in a time.
        seconds: the time.
        burst: the number of elements that may come at once after a pause.
        enforcing: fail above the rate; else elements wait.
    """

    elements: int
    seconds: float
    burst: int
    enforcing: bool = False


@dataclass(frozen=True)
class Pace:
    """The limits on elements that pass through a stream or a flow.

    Attributes:
        parallelism: the number of elements that are computed at once.
        idle_timeout: seconds without an element after which the stream or flow ends.
        delay: seconds that each element is kept back.
        throttle: a limit on the rate.
        buffer: the number of elements that wait; further ones are not read.
    """

    parallelism: int = 1
    idle_timeout: float | None = None
    delay: float = 0.0
    throttle: Throttle | None = None
    buffer: int = 1024


class _Gate:
    """Lets elements through at the rate of a throttle. Safe to use from several threads."""

    def __init__(self, throttle: Throttle | None) -> None:
        self._throttle = throttle
        self._lock = threading.Lock()
        # When the bucket of tokens would be full again, as in the generic cell rate algorithm.
        self._full = 0.0

    def wait(self) -> float:
        """Take a place; returns the seconds to wait for it.

        Raises:
            RateError: there is none, and the throttle enforces its rate.
        """
        throttle = self._throttle
        if throttle is None:
            return 0.0
        step = throttle.seconds / max(throttle.elements, 1)
        with self._lock:
            now = time.monotonic()
            full = max(self._full, now)
            wait = max(0.0, full - now - step * (max(throttle.burst, 1) - 1))
            if wait > 0 and throttle.enforcing:
                raise RateError(f"more than {throttle.elements} elements in {throttle.seconds:g} s")
            self._full = full + step
            return wait


class Stream:
    """A stream of a model. Safe to use from several threads.

    Args:
        pace: how fast elements may pass.
        description: anything that was said about it; kept for those who ask.
    """

    def __init__(self, pace: Pace, description: Any = None) -> None:
        self.pace = pace
        self.description = description
        self.closed = threading.Event()
        self.reason: ServingError | None = None
        self._gate = _Gate(pace.throttle)
        self._waiting: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._most = max(1, min(pace.parallelism, _MOST_THREADS))
        self._threads = 0
        self._buffer = threading.Semaphore(max(1, min(pace.buffer, _LARGEST_BUFFER)))
        self._used = time.monotonic()
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        if pace.idle_timeout is not None:
            threading.Thread(target=self._watch, name="leapstream-stream-idle", daemon=True).start()

    def _watch(self) -> None:
        assert self.pace.idle_timeout is not None
        while not self.closed.is_set():
            left = self._used + self.pace.idle_timeout - time.monotonic()
            if left <= 0:
                self.close(_idle(self.pace.idle_timeout))
                return
            self.closed.wait(min(left, _LONGEST_WAIT))

    def close(self, reason: ServingError) -> None:
        """End the stream, and the flows that are part of it."""
        with self._lock:
            if self.closed.is_set():
                return
            self.reason = reason
            self.closed.set()
            listeners, self._listeners = self._listeners, []
        # One for each thread: they compute what waits, which now fails, and end.
        for _ in range(self._most):
            self._waiting.put(None)
        for listener in listeners:
            listener()

    def drain(self, reason: ServingError) -> None:
        """Let the flows end when the elements that came are computed."""
        with self._lock:
            if self.closed.is_set():
                return
            self.reason = reason
            listeners = list(self._listeners)
        for listener in listeners:
            listener()

    def listen(self, listener: Callable[[], None]) -> None:
        """Have a function called when the stream is to end; at once if it has ended."""
        with self._lock:
            if not self.closed.is_set():
                self._listeners.append(listener)
            if self.reason is None:
                return
        listener()

    def forget(self, listener: Callable[[], None]) -> None:
        """Have a function no longer called."""
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def submit(self, compute: Callable[[T], R], element: T) -> Future[R]:
        """Compute an element when its turn comes.

        Raises:
            ClosedStreamError: the stream has ended.
        """
        self._used = arrived = time.monotonic()
        while not self._buffer.acquire(timeout=1):
            if self.closed.is_set():
                raise self._end()
        future: Future[R] = Future()
        future.add_done_callback(lambda _: self._buffer.release())
        with self._lock:
            if self.closed.is_set():
                self._buffer.release()
                raise self._end()
            if self._threads < self._most:
                self._threads += 1
                # Threads of a pool would keep the process from ending as long as they wait.
                threading.Thread(target=self._work, name="leapstream-stream", daemon=True).start()
            self._waiting.put(lambda: self._set(future, compute, element, arrived))
        return future

    def _work(self) -> None:
        while (work := self._waiting.get()) is not None:
            work()

    def _set(self, future: Future[R], compute: Callable[[T], R], element: T, arrived: float) -> None:
        try:
            future.set_result(self._compute(compute, element, arrived))
        except Exception as error:
            future.set_exception(error)

    def _compute(self, compute: Callable[[T], R], element: T, arrived: float) -> R:
        if self.closed.is_set():
            raise self._end()
        try:
            wait = self._gate.wait()
        except RateError as error:
            self.close(error)
            raise
        wait = max(wait, arrived + wait + self.pace.delay - time.monotonic())
        while wait > 0:
            if self.closed.wait(min(wait, _LONGEST_WAIT)):
                raise self._end()
            wait -= _LONGEST_WAIT
        return compute(element)

    def _end(self) -> ServingError:
        return self.reason or ClosedStreamError("the stream has ended")


def _idle(seconds: float) -> DeadlineError:
    return DeadlineError(f"No elements passed in the last {seconds * 1000:g} milliseconds")


_ARRIVED, _ENDED, _DONE, _DRAIN, _CLOSED, _GONE = range(6)


class Flow(Generic[T, R]):
    """The part of a stream that a call has.

    Args:
        stream: the stream.
        pace: how fast the call's elements may pass; its buffer is the stream's.
        compute: computes an element; its exceptions are answers, too.
    """

    def __init__(self, stream: Stream, pace: Pace, compute: Callable[[T], R]) -> None:
        self._stream = stream
        self._pace = pace
        self._compute = compute
        self._gate = _Gate(pace.throttle)
        self._events: queue.SimpleQueue[tuple[int, Any]] = queue.SimpleQueue()
        self._room = threading.Semaphore(max(1, min(stream.pace.buffer, _LARGEST_BUFFER)))

    def end(self) -> None:
        """End the flow: its call is over."""
        self._events.put((_GONE, None))
        self._room.release()

    def run(self, elements: Iterator[T]) -> Iterator[R]:
        """The answers for elements, in their order.

        Raises:
            DeadlineError: no element came for too long.
            RateError: elements came too fast.
            ServingError: the stream has ended.
        """
        closed = self._closed
        self._stream.listen(closed)
        threading.Thread(target=self._read, args=(elements,), name="leapstream-flow", daemon=True).start()
        try:
            yield from self._answers()
        finally:
            self._stream.forget(closed)
            self.end()

    def _closed(self) -> None:
        self._events.put((_CLOSED if self._stream.closed.is_set() else _DRAIN, None))

    def _read(self, elements: Iterator[T]) -> None:
        try:
            for element in elements:
                self._events.put((_ARRIVED, element))
                self._room.acquire()
        except Exception:  # the call is over; what it sent is of no use
            self._events.put((_GONE, None))
            return
        self._events.put((_ENDED, None))

    def _answers(self) -> Iterator[R]:
        waiting: deque[tuple[float, T]] = deque()
        computing: deque[Future[R]] = deque()
        ended = draining = False
        last = due = time.monotonic()
        while True:
            while computing and computing[0].done():
                self._room.release()
                yield computing.popleft().result()
            while waiting and waiting[0][0] <= time.monotonic() and len(computing) < max(1, self._pace.parallelism):
                future = self._stream.submit(self._compute, waiting.popleft()[1])
                computing.append(future)
                future.add_done_callback(lambda _: self._events.put((_DONE, None)))
            if ended and not waiting and not computing:
                if draining:
                    raise self._reason()
                return
            kind, element = self._next(waiting[0][0] if waiting else None, None if ended else last)
            if kind == _ARRIVED and not draining:
                last = time.monotonic()
                # Each element waits for its own turn, and behind the ones before it.
                due = max(due, last + self._gate.wait())
                waiting.append((due + self._pace.delay, element))
            elif kind == _ENDED:
                ended = True
            elif kind == _DRAIN:
                ended = draining = True
            elif kind == _CLOSED:
                raise self._reason()
            elif kind == _GONE:
                return

    def _reason(self) -> ServingError:
        return self._stream.reason or ClosedStreamError("the stream has ended")

    def _next(self, due: float | None, last: float | None) -> tuple[int, Any]:
        """The next thing that happens; nothing in particular when an element's time has come."""
        now = time.monotonic()
        waits = [_LONGEST_WAIT]
        if due is not None and due > now:
            waits.append(due - now)
        idle = self._pace.idle_timeout
        if idle is not None and last is not None:
            waits.append(max(0.0, last + idle - now))
        try:
            return self._events.get(timeout=min(waits))
        except queue.Empty:
            if idle is not None and last is not None and time.monotonic() >= last + idle:
                raise _idle(idle) from None
            return _DONE, None


class Streams:
    """The streams of all models, by model and name. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._streams: dict[tuple[str, str], Stream] = {}

    def create(self, model: str, name: str, stream: Stream) -> None:
        """Add a stream.

        Raises:
            ConflictError: there is one of this name.
            BusyError: there are very many.
        """
        with self._lock:
            if (model, name) in self._streams:
                raise ConflictError(f"stream already exists {model}/{name}")
            if len(self._streams) >= _MOST_STREAMS:
                raise BusyError(f"the server has {_MOST_STREAMS} streams")
            self._streams[model, name] = stream
        stream.listen(lambda: self._remove(model, name, stream))

    def get(self, model: str, name: str, kind: type[Any]) -> Stream:
        """The stream of a name.

        Args:
            model: the model.
            name: the stream's name.
            kind: the class of its description.

        Raises:
            UnknownStreamError: there is none of this kind.
        """
        stream = self._streams.get((model, name))
        if stream is None or not isinstance(stream.description, kind):
            raise UnknownStreamError(f"could not find stream {model}/{name}")
        return stream

    def has_any(self, model: str) -> bool:
        """True if a model has streams."""
        return any(of == model for of, _ in list(self._streams))

    def close(self, model: str) -> None:
        """End the streams of a model that is served no longer."""
        for (of, _), stream in list(self._streams.items()):
            if of == model:
                stream.close(ClosedStreamError(f"model {model!r} was unloaded"))

    def drain(self) -> None:
        """Let all streams end, since the server is about to."""
        for stream in list(self._streams.values()):
            stream.drain(ClosedStreamError("the server is about to end"))

    def _remove(self, model: str, name: str, stream: Stream) -> None:
        with self._lock:
            if self._streams.get((model, name)) is stream:
                del self._streams[model, name]
