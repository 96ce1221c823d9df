"""Decodes Parquet files in processes of their own, since a damaged file may crash Arrow's decoder.

One process stays for the next file, until the program ends.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa

from leapstream.bundle.malformed import MalformedError

_PROGRAM = str(Path(__file__).with_name("parquetprocess.py"))
_START = "import sys; sys.path[:] = {path!r}; import runpy; runpy.run_path({program!r}, run_name='__main__')"
_PIPE = 1 << 20
"""Bytes of a pipe: with more than usual, both processes work at the same time."""

_SECONDS_TO_END = 10.0


class Decoder:
    """A process that decodes one file after another."""

    def __init__(self) -> None:
        code = _START.format(path=sys.path, program=_PROGRAM)
        self._process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pipesize=_PIPE,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._commands, self._answers = self._process.stdin, self._process.stdout
        self._busy = False

    @property
    def ready(self) -> bool:
        """True if the process runs and waits for a command."""
        return not self._busy and self._process.poll() is None

    def open(self, source: str | bytes, rows: int | None = None) -> dict[str, Any]:
        """Open a file.

        Args:
            source: its path or its bytes.
            rows: most rows of a batch; ``None`` for all rows at once.

        Returns:
            ``rows`` and ``chunks``, as :mod:`leapstream.frames.parquetprocess` describes them.

        Raises:
            MalformedError: it is not a Parquet file, or crashes the decoder.
        """
        if isinstance(source, bytes):
            return self._ask({"size": len(source), "rows": rows}, source)
        return self._ask({"path": os.path.realpath(source), "rows": rows})

    def read(self) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        """The schema of the file that was opened last, and its rows in batches.

        Raises:
            MalformedError: it is damaged or crashes the decoder, also while the batches are read.
        """
        self._ask({"read": True})
        self._busy = True
        with self._watched():
            stream = pa.ipc.open_stream(pa.PythonFile(self._answers, "r"))
        return stream.schema, self._batches(stream)

    def _batches(self, stream: Any) -> Iterator[pa.RecordBatch]:
        while True:
            try:
                with self._watched():
                    batch = stream.read_next_batch()
            except StopIteration:
                break
            yield batch
        self._answer()

    def _ask(self, command: dict[str, Any], data: bytes = b"") -> dict[str, Any]:
        self._busy = True
        with self._watched():
            self._commands.write(json.dumps(command).encode() + b"\n" + data)
            self._commands.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self._answers.readline()
        if not line:
            self._ended()
        self._busy = False
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise MalformedError(answer["error"])
        return answer

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Turn an error of a pipe into one that says how the process ended."""
        try:
            yield
        except (pa.ArrowException, OSError):
            self._ended()

    def _ended(self) -> NoReturn:
        self._busy = True
        self._close_pipes()
        try:
            status = self._process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            raise MalformedError("Arrow's decoder of Parquet gives no answer; the file may be damaged") from None
        if status < 0:
            name = signal.Signals(-status).name
            raise MalformedError(f"Arrow's decoder of Parquet ended with {name}; the file may be damaged") from None
        raise MalformedError(f"the process that decodes Parquet ended with status {status}") from None

    def close(self) -> None:
        """End the process."""
        self._close_pipes()
        self._process.kill()
        self._process.wait()

    def forget(self) -> None:
        """Leave the process to the one from which this process was forked."""
        self._close_pipes()
        self._process.returncode = 0

    def _close_pipes(self) -> None:
        for pipe in (self._commands, self._answers):
            with suppress(OSError):
                pipe.close()


_idle: list[Decoder] = []
"""The process that waits for the next file, if there is one."""


@contextmanager
def borrowed() -> Iterator[Decoder]:
    """A decoder for one file."""
    try:
        decoder = _idle.pop()
    except IndexError:
        decoder = Decoder()
    if not decoder.ready:
        decoder.close()
        decoder = Decoder()
    try:
        yield decoder
    finally:
        if decoder.ready and not _idle:
            _idle.append(decoder)
        else:
            decoder.close()


def close_idle() -> None:
    """End the process that waits for the next file."""
    while _idle:
        _idle.pop().close()


def _forget() -> None:
    # A forked process has its own copy of the pipes, and would mix its commands with its parent's.
    while _idle:
        _idle.pop().forget()


atexit.register(close_idle)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
