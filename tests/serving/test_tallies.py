from __future__ import annotations

from pathlib import Path
from threading import Thread

import pytest

from leapstream.serving.tallies import SECONDS, Tallies


@pytest.mark.parametrize("shared", [False, True])
def test_requests_are_counted_with_their_rows_and_seconds(shared: bool, tmp_path: Path) -> None:
    tallies = Tallies(tmp_path if shared else None)
    tallies.count(("plain", "linear", "7"), 0.0001, 1)
    tallies.count(("plain", "linear", "8"), 60.0, 5, True)
    tallies.count(("oip", "größe/2", "1"), 0.3, 0)
    assert tallies.sums(lambda labels: labels[2])["8"].failed == 1
    found = tallies.sums(lambda labels: labels[:2])
    assert set(found) == {("plain", "linear"), ("oip", "größe/2")}
    tally = found["plain", "linear"]
    assert (tally.requests, tally.rows, tally.seconds, tally.failed) == (2, 6, 60.0001, 1)
    # A bound belongs to its bucket, and the last bucket has no bound.
    assert tally.buckets[0] == 1 and tally.buckets[len(SECONDS)] == 1


def test_processes_add_up_what_they_count_also_of_those_that_ended(tmp_path: Path) -> None:
    ended, other = Tallies(tmp_path), Tallies(tmp_path)
    ended.count(("plain", "linear", "1"), 0.001, 1)
    del ended
    other.count(("plain", "linear", "1"), 0.001, 2)
    sums = other.sums(lambda labels: labels[:2])["plain", "linear"]
    assert (sums.requests, sums.rows, sums.seconds) == (2, 3, 0.002)


def test_threads_lose_no_count() -> None:
    tallies = Tallies(None)

    def count() -> None:
        for _ in range(2000):
            tallies.count(("plain", "linear", "1"), 0.001, 1)

    threads = [Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tallies.sums(lambda labels: labels[:2])["plain", "linear"].requests == 8000
