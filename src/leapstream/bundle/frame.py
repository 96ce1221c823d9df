"""Leap frames: a schema and rows, in MLeap's JSON, binary and Avro formats."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from leapstream.bundle import frame_avro, frame_binary, frame_json
from leapstream.bundle.container import Source, locate
from leapstream.bundle.limits import Limits
from leapstream.bundle.malformed import decoding
from leapstream.bundle.tensor import Tensor
from leapstream.bundle.types import BasicType, Schema
from leapstream.bundle.values import single_precision
from leapstream.bundle.writer import write_atomically
from leapstream.errors import BundleError
from leapstream.escaping import printable

FrameFormat: TypeAlias = Literal["json", "binary", "avro"]

_ENCODERS: dict[str, Callable[[Schema, Iterable[Sequence[Any]]], bytes]] = {
    "json": frame_json.encode,
    "binary": frame_binary.encode,
    "avro": frame_avro.encode,
}
_SUFFIXES: dict[str, FrameFormat] = {
    ".json": "json",
    ".avro": "avro",
    ".bin": "binary",
    ".binary": "binary",
    ".leap": "binary",
}
_SHOWN_ROWS, _SHOWN_WIDTH = 10, 40


@dataclass(eq=False)
class LeapFrame:
    """A table of leap values (MLeap's ``DefaultLeapFrame``).

    Two frames are equal when their schemas and values are; NaN equals NaN, and floats are compared in single precision.

    Attributes:
        schema: names and types of the columns.
        rows: one sequence of values per row, in the order of the fields: ``bool``, ``int``, ``float``, ``str``,
            ``bytes``, a list, a :class:`~leapstream.bundle.tensor.Tensor`, a dict, or ``None`` for a missing value.
    """

    schema: Schema
    rows: list[Sequence[Any]]

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str) -> list[Any]:
        """The values of one column."""
        position = self.schema.names.index(name)
        return [row[position] for row in self.rows]

    @classmethod
    def read(cls, source: Source, *, limits: Limits | None = None) -> LeapFrame:
        """Read a frame; the format is detected from the bytes.

        Args:
            source: a path, a ``file:`` URI, or the frame's bytes.
            limits: ``max_file_size`` applies; the defaults of :class:`Limits` when not given.

        Raises:
            BundleError: the file does not exist, is too large, or does not hold a frame. The message names the file and
                the reason, with row and column where they are known.
        """
        limits = limits or Limits()
        if isinstance(source, bytes | bytearray | memoryview):
            return _decode(bytes(source), "frame", limits)
        path = locate(source).path
        try:
            with open(path, "rb") as stream:
                data = stream.read(limits.max_file_size + 1)
        except OSError as error:
            raise BundleError(f"{path}: {error.strerror or error}") from None
        except UnicodeError:
            raise BundleError(f"{str(path)!r}: cannot be a path on this system") from None
        return _decode(data, str(path), limits)

    @classmethod
    def from_bytes(cls, data: bytes) -> LeapFrame:
        """Decode a frame; the format is detected from the bytes.

        Raises:
            BundleError: ``data`` is not a frame. The message gives the reason, with row and column where they are known.
        """
        return cls.read(data)

    def write(self, path: str | os.PathLike[str], format: FrameFormat | None = None) -> None:
        """Write the frame to a file. If that fails, a file that was there stays as it was.

        Args:
            path: a path, or a ``file:`` URI.
            format: ``json``, ``binary`` or ``avro``; when not given, the suffix decides: ``.json``, ``.avro``, and ``.bin``,
                ``.binary`` or ``.leap`` for binary.

        Raises:
            BundleError: a value does not fit its column, the format cannot hold a type, the suffix is unknown, or the path
                cannot be written.
        """
        target = locate(path).path
        data = self._encode(format or _format_of(target), str(target))
        try:
            write_atomically(target, data)
        except OSError as error:
            raise BundleError(f"{target}: cannot be written: {error.strerror or error}") from None
        except UnicodeError:
            raise BundleError(f"{str(target)!r}: cannot be a path on this system") from None

    def to_bytes(self, format: FrameFormat = "json") -> bytes:
        """Encode the frame in a format.

        Raises:
            BundleError: a value does not fit its column, or the format cannot hold a type.
        """
        return self._encode(format, "frame")

    def _encode(self, format: FrameFormat, where: str) -> bytes:
        if format not in _ENCODERS:
            raise BundleError(f"{where}: {format!r} is not a format of leap frames; known: {', '.join(_ENCODERS)}")
        with decoding(where):
            return _ENCODERS[format](self.schema, self.rows)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LeapFrame):
            return NotImplemented
        if self.schema != other.schema or len(self.rows) != len(other.rows):
            return False
        bases = [field.type.base for field in self.schema]
        return all(
            len(mine) == len(theirs) == len(bases)
            and all(_same(base, a, b) for base, a, b in zip(bases, mine, theirs, strict=True))
            for mine, theirs in zip(self.rows, other.rows, strict=True)
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        table = [list(self.schema.names), [str(field.type) for field in self.schema]]
        table += [[_show(value) for value in row] for row in self.rows[:_SHOWN_ROWS]]
        widths = [max(map(len, column)) for column in zip(*table, strict=False)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip() for row in table
        ]
        if len(self.rows) > _SHOWN_ROWS:
            lines.append(f"… {len(self.rows) - _SHOWN_ROWS} more")
        return "\n".join([f"LeapFrame of {len(self.rows)} rows", *map(printable, lines)])


def _decode(data: bytes, where: str, limits: Limits) -> LeapFrame:
    limits.check_file(where, len(data))
    decode: Callable[[bytes], tuple[Schema, list[Sequence[Any]]]]
    if data.startswith(frame_avro.MAGIC):
        decode = partial(frame_avro.decode, limits=limits)
    elif data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        decode = frame_json.decode
    else:
        decode = frame_binary.decode
    with decoding(where):
        return LeapFrame(*decode(data))


def _format_of(path: Path) -> FrameFormat:
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES:
        known = ", ".join(_SUFFIXES)
        raise BundleError(f"{path}: its suffix tells no format of leap frames; known: {known}")
    return _SUFFIXES[suffix]


def _same(base: BasicType, a: Any, b: Any) -> bool:
    if a is None or b is None:
        return a is b
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return bool(a == b)
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(base, a[key], b[key]) for key in a)
    if isinstance(a, list | tuple | np.ndarray) and isinstance(b, list | tuple | np.ndarray):
        return len(a) == len(b) and all(_same(base, x, y) for x, y in zip(a, b, strict=True))
    if base is BasicType.FLOAT and isinstance(a, float) and isinstance(b, float):
        a, b = single_precision(a), single_precision(b)
    if isinstance(a, float) and isinstance(b, float) and math.isnan(a):
        return math.isnan(b)
    return bool(a == b)


def _show(value: Any) -> str:
    if isinstance(value, Tensor):
        kind = "sparse" if value.is_sparse else "dense"
        text = f"{kind}{list(value.dimensions)} {value.values.tolist()}"
    else:
        text = repr(value)
    return text if len(text) <= _SHOWN_WIDTH else text[: _SHOWN_WIDTH - 1] + "…"
