"""Threads for calls, few of which run at once, as long as each takes little time.

Threads of Python that run at once wait for one another, and each hand-over takes longer than most predictions: with 16 threads a
call takes several times as much CPU as with two. So two threads take the calls, one after the other. A call that will take long,
or has to wait, tells so, and another thread takes its thread's turn; a thread that is in one call for too long loses it, too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

_TURNS = 2
# Seconds for which a thread may be in one call while others wait.
_PATIENCE = 0.005


@dataclass(eq=False)
class _Worker:
    """A thread. Without a turn it takes no further call, until ``given`` says that it has one again."""

    has_turn: bool = True
    began: int = 0
    given: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))


class TurnsExecutor(Executor):
    """Runs calls in threads of which two have a turn.

    Args:
        threads: the number of threads; as many calls that take long are possible at once.
        name: the beginning of the threads' names.
    """

    def __init__(self, threads: int, name: str) -> None:
        self._most = threads
        self._name = name
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._arrived = threading.Event()
        self._ended = False
        self._lock = threading.Lock()
        self._workers: list[_Worker] = []
        self._parked: list[_Worker] = []
        # Turns that no thread was there to take.
        self._free = 0
        self._local = threading.local()
        for _ in range(_TURNS):
            self._start()
        threading.Thread(target=self._watch, name=f"{name}-watch", daemon=True).start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a function when a thread has time for it."""
        future: Future[Any] = Future()

        def run() -> None:
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        self._queue.put(run)
        if not self._arrived.is_set():
            self._arrived.set()
        return future

    def step_aside(self) -> None:
        """Let another thread take the turn of this one, whose call will take long or has to wait."""
        self._pass_on(self._local.worker)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Run no further calls; those that run go on to their end."""
        self._ended = True
        self._arrived.set()
        with self._lock:
            workers, self._parked = list(self._workers), []
        for worker in workers:
            self._queue.put(None)
            worker.given.release()

    def _start(self) -> None:
        worker = _Worker()
        self._workers.append(worker)
        name = f"{self._name}-{len(self._workers)}"
        threading.Thread(target=self._work, args=(worker,), name=name, daemon=True).start()

    def _work(self, worker: _Worker) -> None:
        self._local.worker = worker
        while not self._ended:
            if not self._has_turn(worker):
                worker.given.acquire()
                continue
            run = self._queue.get()
            worker.began += 1
            if run is not None:
                run()

    def _has_turn(self, worker: _Worker) -> bool:
        """True if a thread may take a call; else it is parked."""
        if worker.has_turn:
            return True
        with self._lock:
            if self._free:
                self._free -= 1
                worker.has_turn = True
            else:
                self._parked.append(worker)
            return worker.has_turn

    def _pass_on(self, worker: _Worker) -> None:
        with self._lock:
            if not worker.has_turn:
                return
            worker.has_turn = False
            if self._parked:
                other = self._parked.pop()
                other.has_turn = True
                other.given.release()
            elif len(self._workers) < self._most:
                self._start()
            else:
                self._free += 1

    def _watch(self) -> None:
        """Take the turns of threads that are in one call for too long."""
        while not self._ended:
            self._arrived.wait()
            self._arrived.clear()
            before = [(worker, worker.began) for worker in list(self._workers) if worker.has_turn]
            time.sleep(_PATIENCE)
            if self._queue.empty():
                continue
            for worker, began in before:
                if worker.began == began:
                    self._pass_on(worker)
            self._arrived.set()
