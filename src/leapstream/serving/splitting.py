"""Versions of a model beside its main one: those that it is split among, and shadows, which are computed beside."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from queue import Full, Queue
from typing import TYPE_CHECKING, Any

from leapstream.errors import PredictionError
from leapstream.serving.logs import LOG
from leapstream.serving.observing import Outputs, ShadowCounts, column_values, rows_of
from leapstream.serving.registry import ServedModel

if TYPE_CHECKING:
    from leapstream.frames.running import RowResults

_MOST_WAITING = 256


@dataclass(frozen=True)
class Part:
    """A version that a model to serve has beside its main one.

    Attributes:
        version: the version.
        uri: the place of its bundle.
        sha256: the checksum of the bundle.
        weight: its weight; 0 for a shadow.
    """

    version: str
    uri: str
    sha256: str
    weight: int


class Shadow:
    """A version that is computed beside, in a thread that all shadows of a process share. It never delays or fails an answer.

    Args:
        served: the version.
        counted: is called with what it has computed.
    """

    def __init__(self, served: ServedModel, counted: Callable[[ServedModel, ShadowCounts], None]) -> None:
        self._served = served
        self._counted = counted

    def record(self, record: Mapping[str, Any], outputs: Outputs, answer: dict[str, Any] | None, failed: bool) -> None:
        """Compute a record later."""
        self._add(1, lambda counts: self._record(counts, record, outputs, answer))

    def rows(self, frame: Any, outputs: Outputs, results: RowResults | None) -> None:
        """Compute a batch later."""
        self._add(rows_of(frame), lambda counts: self._rows(counts, frame, outputs, results))

    def _add(self, rows: int, work: Callable[[ShadowCounts], None]) -> None:
        def run() -> None:
            counts = ShadowCounts()
            started = time.perf_counter()
            try:
                work(counts)
            except Exception as error:
                counts.rows = counts.failures = rows
                fields = {"model": self._served.name, "version": self._served.version, "error": str(error)}
                LOG.warning("shadow fails", extra={"fields": fields})
            counts.seconds = time.perf_counter() - started
            self._counted(self._served, counts)

        if not _WORKER.add(run):
            self._counted(self._served, ShadowCounts(left_out=rows))

    def _record(
        self, counts: ShadowCounts, record: Mapping[str, Any], outputs: Outputs, answer: dict[str, Any] | None
    ) -> None:
        counts.rows = 1
        try:
            ours = self._served.model.predict_record(record, outputs=outputs)
        except PredictionError:
            counts.failures = 1
            return
        if ours is not None and answer is not None:
            _compare(counts, {name: ([value], [answer.get(name)]) for name, value in ours.items()})

    def _rows(self, counts: ShadowCounts, frame: Any, outputs: Outputs, results: RowResults | None) -> None:
        counts.rows = rows_of(frame)
        ours = self._served.model.predict_rows(frame, outputs=outputs)
        counts.failures = len(ours.errors)
        if results is None:
            return
        places = {row: place for place, row in enumerate(ours.rows.tolist()) if row not in ours.errors}
        both = [
            (places[row], place)
            for place, row in enumerate(results.rows.tolist())
            if row in places and row not in results.errors
        ]
        pairs = {}
        for name in self._served.model.schema.outputs.names if outputs is None else outputs:
            here, there = column_values(ours.frame, name), column_values(results.frame, name)
            pairs[name] = ([here[i] for i, _ in both], [there[i] for _, i in both])
        _compare(counts, pairs)


def _compare(counts: ShadowCounts, pairs: Mapping[str, tuple[list[Any], list[Any]]]) -> None:
    """Count the rows in which two versions differ, and add up how far."""
    counts.differing, counts.difference = {}, {}
    for name, (ours, theirs) in pairs.items():
        differing, distance = 0, 0.0
        for a, b in zip(ours, theirs, strict=True):
            is_number = type(a) in (float, int) and type(b) in (float, int)
            if is_number and a == a and b == b and a != b:
                differing += 1
                distance += abs(a - b)
            elif not is_number and repr(a) != repr(b):
                differing += 1
        counts.differing[name] = differing
        if all(type(value) in (float, int) for value in ours[:1]):
            counts.difference[name] = distance


class _Worker:
    """The thread that computes shadows. What comes while much waits is left out."""

    def __init__(self) -> None:
        self._queue: Queue[Callable[[], None]] = Queue(_MOST_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, work: Callable[[], None]) -> bool:
        """Queue work for the thread; returns false if the queue is full."""
        if self._thread is None:
            self._start()
        try:
            self._queue.put_nowait(work)
        except Full:
            return False
        return True

    def wait(self) -> None:
        """Wait until everything is done."""
        self._queue.join()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="leapstream-shadow", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            self._queue.get()()
            self._queue.task_done()


_WORKER = _Worker()


def await_shadows() -> None:
    """Wait until all shadows that are under way are computed."""
    _WORKER.wait()
