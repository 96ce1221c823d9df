"""Progress of exports: shown on a terminal, after a while."""

from __future__ import annotations

import os
import pty
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import pytest

from leapstream.exporters import progress
from leapstream.exporters.progress import doing, shown, tree_done


@contextmanager
def terminal() -> Iterator[int]:
    """Standard error is a terminal; what is written there can be read from the file descriptor."""
    reader, writer = pty.openpty()
    with pytest.MonkeyPatch.context() as patch, os.fdopen(writer, "w") as stream:
        # A fixture would come too early: pytest sets the stream again before it calls the test.
        patch.setattr(sys, "stderr", stream)
        patch.setenv("TERM", "xterm")
        yield reader
    os.close(reader)


def work(screen: int | None = None) -> None:
    """Work until the screen shows it, or not long."""
    with shown():
        doing("converting Pipeline > 'forest' (RandomForestClassifier)")
        tree_done()
        with shown():
            tree_done()
        if screen is not None:
            assert select.select([screen], [], [], 20)[0]


def test_a_long_export_says_what_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_DELAY", 0.01)
    with terminal() as screen:
        work(screen)
        written = os.read(screen, 100_000).decode()
    assert "converting Pipeline > 'forest'" in " ".join(written.split()) and "2 trees" in written


def test_a_short_export_says_nothing() -> None:
    with terminal() as screen:
        work()
        assert not select.select([screen], [], [], 0)[0]


def test_nothing_is_shown_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_DELAY", 0)
    written = StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    work()
    assert written.getvalue() == ""
