"""Threads for large batches and large bundles."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from leapstream.errors import SchemaError

THREADS_VARIABLE = "LEAPSTREAM_THREADS"
"""Names the number of threads for large batches and bundles where a call does not."""

T = TypeVar("T")
R = TypeVar("R")


def number_of_threads(threads: int | None) -> int:
    """The number of threads: a given one, else the environment's, else the processors of this process.

    Raises:
        SchemaError: it is not a positive integer.
    """
    given: object = threads
    if given is None:
        text = os.environ.get(THREADS_VARIABLE)
        if not text:
            return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        given = int(text) if text.isdecimal() else text
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        where = THREADS_VARIABLE if threads is None else "threads"
        raise SchemaError(f"{where} is {given!r}, and has to be a positive integer")
    return given


def in_threads(function: Callable[[T], R], items: Sequence[T], threads: int) -> list[R]:
    """The results of a function for some items, in their order. No thread is left when it returns.

    The caller's thread is one of them: if it only waited, Linux would often start two others on one processor.
    """
    others = min(threads, len(items)) - 1
    if others < 1:
        return [function(item) for item in items]
    left = deque(enumerate(items))
    results: dict[int, R] = {}

    def work() -> None:
        while True:
            try:
                place, item = left.popleft()
            except IndexError:
                return
            try:
                results[place] = function(item)
            except BaseException:
                left.clear()
                raise

    with ThreadPoolExecutor(others, thread_name_prefix="leapstream-pool") as pool:
        working = [pool.submit(work) for _ in range(others)]
        work()
        for one in working:
            one.result()
    return [results[place] for place in range(len(items))]


def parts(items: Iterable[T], size: Callable[[T], int], enough: int) -> Iterator[list[T]]:
    """The items one after the other in lists, each of which ends when the sizes of its items add up to ``enough``."""
    part: list[T] = []
    total = 0
    for item in items:
        part.append(item)
        total += size(item)
        if total >= enough:
            yield part
            part, total = [], 0
    if part:
        yield part
