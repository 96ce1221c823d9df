"""Calls in a process of their own: whatever becomes of it, the caller gets a result or an error."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import pytest

from leapstream.exporters.child import ChildError, CrashError, call

pytestmark = pytest.mark.slow


def twice(values: list[float]) -> list[float]:
    print("a library prints")
    os.write(1, b"in C too")
    return [2.0 * value for value in values]


def failing(error: type[Exception]) -> None:
    raise error("no such thing")


def killed() -> None:
    os.abort()


def sleeping() -> None:
    time.sleep(60)


def filling() -> int:
    return len(bytearray(1 << 31))


def unserializable() -> Any:
    return object()


def test_a_result_is_not_damaged_by_what_a_library_prints() -> None:
    assert call(twice, [1.5, float("inf")]) == [3.0, float("inf")]


def test_an_exception_is_told_by_its_text() -> None:
    with pytest.raises(ChildError, match="^ValueError: no such thing$"):
        call(failing, ValueError)
    with pytest.raises(ChildError, match="^no such thing$"):
        call(failing, ChildError)


def test_a_crash_a_time_limit_and_a_memory_limit_are_errors() -> None:
    with pytest.raises(CrashError, match="ends the process with status -6"):
        call(killed)
    with pytest.raises(CrashError, match="takes longer than 3 s"):
        call(sleeping, seconds=3.0)
    if sys.platform == "linux":
        with pytest.raises(ChildError, match="MemoryError"):
            call(filling, memory=2 << 30)


def test_a_result_that_is_not_json_is_an_error() -> None:
    with pytest.raises(CrashError, match="ends the process"):
        call(unserializable)
