"""Counts of requests, which cost little to keep, and which all workers of a server add up.

A tally is a block of numbers for a protocol, a model and its version. Workers keep theirs in memory that is mapped to files in
one directory, so that each of them can add up the counts of all, also those of workers that ended.
"""

from __future__ import annotations

import json
import mmap
import struct
import tempfile
import threading
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, MutableSequence, Sequence
from pathlib import Path
from typing import TypeAlias, TypeVar, cast

T = TypeVar("T")

SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""The upper bounds of the buckets of a histogram of seconds; a last bucket has all that took longer."""

_ROWS, _TOTAL, _FAILED, _BUCKETS = 0, 1, 2, 3
Labels: TypeAlias = tuple[str, str, str]
"""The protocol, the model and the version of a tally."""

_SIZE = _BUCKETS + len(SECONDS) + 1
_SUFFIX = ".tally"
# The labels are JSON after their length; the numbers begin at a multiple of their size.
_LENGTH = struct.Struct("<q")
_NUMBER = 8


class Tally:
    """The counts of some requests: by the seconds they took, the sum of these, the rows, and how many failed."""

    def __init__(self, numbers: Sequence[float]) -> None:
        self._numbers = numbers

    @property
    def rows(self) -> float:
        """Rows that were scored."""
        return self._numbers[_ROWS]

    @property
    def seconds(self) -> float:
        """The seconds of all requests together."""
        return self._numbers[_TOTAL]

    @property
    def failed(self) -> float:
        """The number of requests that failed."""
        return self._numbers[_FAILED]

    @property
    def buckets(self) -> Sequence[float]:
        """The number of requests in each bucket."""
        return self._numbers[_BUCKETS:]

    @property
    def requests(self) -> float:
        """The number of requests."""
        return sum(self.buckets)


class Tallies:
    """The tallies of a process, and the sums over all processes. Safe to use from several threads.

    Args:
        directory: where the workers of a server have theirs; ``None`` for a single process.
    """

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._own: dict[Labels, MutableSequence[float]] = {}

    def count(self, labels: Labels, seconds: float, rows: int, failed: bool = False) -> None:
        """Count a request."""
        with self._lock:
            try:
                numbers = self._own[labels]
            except KeyError:
                numbers = self._own[labels] = self._made(labels)
            if failed:
                numbers[_FAILED] += 1.0
            numbers[_ROWS] += rows
            numbers[_TOTAL] += seconds
            numbers[_BUCKETS + bisect_left(SECONDS, seconds)] += 1.0

    def sums(self, by: Callable[[Labels], T]) -> dict[T, Tally]:
        """The sums over all processes of the tallies whose labels have one result of a function."""
        found: dict[T, list[float]] = defaultdict(lambda: [0.0] * _SIZE)
        for labels, numbers in self._all():
            key = by(labels)
            found[key] = [a + b for a, b in zip(found[key], numbers, strict=True)]
        return {key: Tally(numbers) for key, numbers in found.items()}

    def _made(self, labels: Labels) -> MutableSequence[float]:
        if self._directory is None:
            return array("d", bytes(_SIZE * _NUMBER))
        named = json.dumps(labels).encode()
        head = _LENGTH.pack(len(named)) + named
        head += bytes(-len(head) % _NUMBER)
        # Others see the file when it is whole.
        with tempfile.NamedTemporaryFile(dir=self._directory, suffix=".part", delete=False) as file:
            file.write(head + bytes(_SIZE * _NUMBER))
            file.flush()
            mapped = mmap.mmap(file.fileno(), 0)
        made = Path(file.name)
        made.rename(made.with_suffix(_SUFFIX))
        # A view has what is needed of a mutable sequence here.
        return cast("MutableSequence[float]", memoryview(mapped)[len(head) :].cast("d"))

    def _all(self) -> Iterator[tuple[Labels, Sequence[float]]]:
        if self._directory is None:
            with self._lock:
                yield from ((labels, list(numbers)) for labels, numbers in self._own.items())
            return
        for path in self._directory.glob(f"*{_SUFFIX}"):
            data = path.read_bytes()
            end = _LENGTH.size + _LENGTH.unpack_from(data)[0]
            protocol, model, version = json.loads(data[_LENGTH.size : end])
            yield (protocol, model, version), struct.unpack_from(f"{_SIZE}d", data, len(data) - _SIZE * _NUMBER)
