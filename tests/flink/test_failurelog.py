"""Warnings of rows that fail."""

from __future__ import annotations

import pytest

import leapstream
from leapstream.flink import failurelog

from .conftest import LINEAR


def test_failures_are_warned_of_once_a_minute_with_their_number(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter((0.0, 1.0, 59.0, 61.0, 62.0))
    monkeypatch.setattr("leapstream.flink.failurelog.time.monotonic", lambda: next(times))
    log = failurelog.FailureLog(leapstream.load(LINEAR))
    for error in ("first", "second", "third", "fourth", "fifth"):
        log.failed(1, error)
    log.close()
    log.close()
    assert [(r.args[1], r.args[2]) for r in caplog.records if isinstance(r.args, tuple)] == [
        (1, "first"),
        (3, "fourth"),
        (1, "fifth"),
    ]
