"""MLeap's own JVM runtime as a process that answers rows: the Python side of ``runner/``.

``make test-mleap`` builds the runner, and gives the path of its jar in ``LEAPSTREAM_MLEAP_RUNNER``.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import struct
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest

from leapstream import LeapFrame
from leapstream.bundle.tensor import NUMPY_DTYPES, Tensor
from leapstream.bundle.types import BasicType, DataType, ListType, MapType, ScalarType
from tests.fuzz.recorded import Answer

VARIABLE = "LEAPSTREAM_MLEAP_RUNNER"

_LETTERS: dict[BasicType, bytes] = {
    BasicType.BOOLEAN: b"z",
    BasicType.BYTE: b"b",
    BasicType.SHORT: b"s",
    BasicType.INT: b"i",
    BasicType.LONG: b"l",
    BasicType.FLOAT: b"f",
    BasicType.DOUBLE: b"d",
    BasicType.STRING: b"t",
    BasicType.BYTE_STRING: b"y",
}
_BASES = {letter: base for base, letter in _LETTERS.items()}
_FORMATS = {b"z": ">?", b"b": ">b", b"s": ">h", b"i": ">i", b"l": ">q", b"f": ">f", b"d": ">d"}


def require_runner() -> None:
    """Skip the module if there is no runner."""
    if not os.environ.get(VARIABLE):
        pytest.skip(f"needs MLeap's JVM runtime: run `make test-mleap`, which sets {VARIABLE}", allow_module_level=True)


class LoadError(Exception):
    """MLeap does not load a bundle; the text is the innermost exception's class and message."""


class MLeap:
    """A JVM with MLeap's runtime, which loads one bundle after the other; one that has ended is started again.

    Attributes:
        limit: the seconds within which a request has to be answered.
    """

    def __init__(self, jar: Path, limit: float = 60.0) -> None:
        home = os.environ.get("JAVA_HOME")
        java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
        if java is None:
            raise RuntimeError("MLeap's runtime needs Java: set JAVA_HOME, or put java on PATH")
        self.limit = limit
        self._command = [java, "-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-jar", str(jar)]
        self._start()

    def _start(self) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log)

    def close(self) -> None:
        """Let the process end."""
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            # What could not be sent to a process that has ended is of no use.
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        self._process.wait(timeout=30)
        self._log.close()

    def ask(self, bundle: Path, frame: LeapFrame, *, by_row: bool = False) -> list[Answer]:
        """The answers to the rows of a frame, each as a frame of its own, or with ``by_row`` by MLeap's row transformer.

        Raises:
            LoadError: MLeap does not load the bundle.
            RuntimeError: MLeap does not answer in time, or its process ends.
        """
        if self._process.poll() is not None:
            self.close()
            self._start()
        given, answered = self._process.stdin, self._process.stdout
        assert given is not None and answered is not None
        reader = _Reader(answered)
        late = threading.Event()
        timer = threading.Timer(self.limit, self._stop, (late,))
        timer.daemon = True
        timer.start()
        try:
            given.write(_request(bundle, frame, by_row))
            given.flush()
            if reader.byte() == b"\0":
                raise LoadError(reader.text())
            return [reader.answer() for _ in frame.rows]
        except (BrokenPipeError, EOFError) as error:
            self._process.wait(timeout=30)
            if late.is_set():
                text = f"MLeap's JVM did not answer {len(frame.rows)} rows of {bundle} within {self.limit:g} seconds"
                raise RuntimeError(text) from error
            self._log.seek(0)
            raise RuntimeError(f"MLeap's JVM ended: {self._log.read()[-2000:].decode(errors='replace')}") from error
        finally:
            timer.cancel()

    def _stop(self, late: threading.Event) -> None:
        late.set()
        self._process.kill()


# ---- requests ---------------------------------------------------------------------------------------------------------


def _request(bundle: Path, frame: LeapFrame, by_row: bool) -> bytes:
    parts = [_text(str(bundle)), struct.pack(">?i", by_row, len(frame.schema.fields))]
    for field in frame.schema:
        parts += (_text(field.name), _type(field.type))
    parts.append(struct.pack(">i", len(frame.rows)))
    for row in frame.rows:
        parts += (_value(field.type, value) for field, value in zip(frame.schema, row, strict=True))
    return b"".join(parts)


def _text(text: str) -> bytes:
    units = text.encode("utf-16-be", "surrogatepass")
    return struct.pack(">i", len(units) // 2) + units


def _type(data_type: DataType) -> bytes:
    common = _LETTERS[data_type.base] + struct.pack(">?", data_type.nullable)
    if isinstance(data_type, ScalarType):
        return b"S" + common
    if isinstance(data_type, ListType):
        return b"L" + common
    if isinstance(data_type, MapType):
        return b"M" + common + _LETTERS[data_type.key]
    return b"T" + common + (struct.pack(">i", -1) if data_type.dimensions is None else _ints(data_type.dimensions))


def _ints(numbers: tuple[int, ...]) -> bytes:
    return struct.pack(f">{1 + len(numbers)}i", len(numbers), *numbers)


def _value(data_type: DataType, value: Any) -> bytes:
    if value is None:
        return b"N"
    if isinstance(data_type, ScalarType):
        return _scalar(data_type.base, value)
    if isinstance(data_type, ListType):
        return b"L" + struct.pack(">i", len(value)) + b"".join(_scalar(data_type.base, each) for each in value)
    if isinstance(data_type, MapType):
        pairs = (_scalar(data_type.key, key) + _scalar(data_type.base, each) for key, each in value.items())
        return b"M" + struct.pack(">i", len(value)) + b"".join(pairs)
    return _tensor(value)


def _scalar(base: BasicType, value: Any) -> bytes:
    if value is None:
        return b"N"
    letter = _LETTERS[base]
    if base is BasicType.STRING:
        return letter + _text(value)
    if base is BasicType.BYTE_STRING:
        return letter + struct.pack(">i", len(value)) + value
    return letter + struct.pack(_FORMATS[letter], value)


def _tensor(tensor: Tensor) -> bytes:
    letter = _LETTERS[tensor.base]
    head = (b"P" if tensor.is_sparse else b"D") + letter + _ints(tensor.dimensions)
    head += struct.pack(">i", len(tensor.values))
    if tensor.indices is not None:
        head += tensor.indices.astype(">i4").tobytes()
    if letter in _FORMATS:
        return head + tensor.values.astype(np.dtype(_FORMATS[letter])).tobytes()
    return head + b"".join(_scalar(tensor.base, value) for value in tensor.values)


# ---- answers ----------------------------------------------------------------------------------------------------------


class _Reader:
    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def raw(self, count: int) -> bytes:
        found = self._stream.read(count)
        if len(found) < count:
            raise EOFError
        return found

    def byte(self) -> bytes:
        return self.raw(1)

    def int(self) -> int:
        return int.from_bytes(self.raw(4), "big", signed=True)

    def text(self) -> str:
        return self.raw(2 * self.int()).decode("utf-16-be", "surrogatepass")

    def answer(self) -> Answer:
        kind = self.byte()
        if kind == b"\0":
            return Answer("fails", {}, self.text())
        if kind == b"\1":
            return Answer("dropped", {})
        return Answer("values", {self.text(): self.value() for _ in range(self.int())})

    def value(self) -> Any:
        letter = self.byte()
        if letter == b"L":
            return [self.value() for _ in range(self.int())]
        if letter == b"M":
            return {self.value(): self.value() for _ in range(self.int())}
        if letter in (b"D", b"P"):
            return self._tensor(letter == b"P")
        return self._scalar(letter)

    def _scalar(self, letter: bytes) -> Any:
        if letter == b"N":
            return None
        if letter == b"t":
            return self.text()
        if letter == b"y":
            return self.raw(self.int())
        if letter == b"O":
            return f"an object of another class: {self.text()}"
        form = _FORMATS[letter]
        (number,) = struct.unpack(form, self.raw(struct.calcsize(form)))
        return np.float32(number) if letter == b"f" else number

    def _tensor(self, sparse: bool) -> Tensor:
        letter = self.byte()
        dimensions = tuple(self.int() for _ in range(self.int()))
        stored = self.int()
        indices = None
        if sparse:
            numbers = np.frombuffer(self.raw(4 * stored * len(dimensions)), dtype=">i4")
            indices = numbers.astype(np.int32).reshape(stored, len(dimensions))
        base = _BASES[letter]
        values = np.empty(stored, dtype=NUMPY_DTYPES[base])
        if letter in _FORMATS:
            form = np.dtype(_FORMATS[letter])
            values[:] = np.frombuffer(self.raw(form.itemsize * stored), dtype=form)
        else:
            values[:] = [self.value() for _ in range(stored)]
        return Tensor(base, values, dimensions, indices)
