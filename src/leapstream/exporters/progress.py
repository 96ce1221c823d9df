"""Progress of exports that take long, on a terminal."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from leapstream.escaping import printable

_DELAY = 1.0
"""Seconds after which an export takes long."""


class _Progress:
    """A line on standard error that says what an export does; it appears after a while."""

    def __init__(self) -> None:
        self._text = "converting"
        self._trees = 0
        self._shown: Any = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(_DELAY, self._show)
        self._timer.daemon = True
        self._timer.start()

    def say(self, text: str) -> None:
        with self._lock:
            self._text, self._trees = text, 0
            self._update()

    def count_tree(self) -> None:
        with self._lock:
            self._trees += 1
            self._update()

    def _update(self) -> None:
        if self._shown is not None:
            self._shown.update(0, description=self._line())

    def _line(self) -> str:
        trees = f": {self._trees} tree{'' if self._trees == 1 else 's'}" if self._trees else ""
        return printable(self._text) + trees

    def _show(self) -> None:
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
        with self._lock:
            if not self._timer.finished.is_set():
                self._shown = Progress(
                    *columns, console=Console(file=sys.stderr), transient=True, redirect_stdout=False
                )
                self._shown.add_task(self._line(), total=None)
                self._shown.start()

    def end(self) -> None:
        self._timer.cancel()
        with self._lock:
            if self._shown is not None:
                self._shown.stop()


_current: ContextVar[_Progress | None] = ContextVar("progress", default=None)


@contextmanager
def shown() -> Iterator[None]:
    """Show what the body does, if standard error is a terminal and the body takes long."""
    if _current.get() is not None or not sys.stderr.isatty():
        yield
        return
    progress = _Progress()
    token = _current.set(progress)
    try:
        yield
    finally:
        _current.reset(token)
        progress.end()


def doing(text: str) -> None:
    """Say what is done from now on."""
    progress = _current.get()
    if progress is not None:
        progress.say(text)


def tree_done() -> None:
    """Count a tree that has been converted."""
    progress = _current.get()
    if progress is not None:
        progress.count_tree()
