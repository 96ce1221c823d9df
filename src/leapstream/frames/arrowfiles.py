"""Checks the sizes that the compressed buffers of an Arrow IPC file declare, before any is decompressed.

A message has metadata, a flatbuffer, and a body. A compressed buffer of the body begins with its size after decompression, and
Arrow allocates that much memory before it looks at the buffer.
"""

from __future__ import annotations

import struct
from typing import Any

import pyarrow as pa

from leapstream.bundle.limits import Limits
from leapstream.bundle.malformed import MalformedError

MAGIC = b"ARROW1"
_DICTIONARY, _RECORDS = 2, 3
"""Types of messages: a dictionary, and a batch of records."""


def start_of_stream(head: bytes) -> int:
    """The position of the first message: a file has a stream behind its magic number, which is padded to 8 bytes."""
    return 8 if head.startswith(MAGIC) else 0


def check_messages(where: str, source: Any, size: int, limits: Limits) -> None:
    """Check the messages of a stream from the position of ``source``, a file of ``size`` bytes, on.

    Raises:
        BundleError: the messages exceed a limit.
        MalformedError: a message is damaged.
        pyarrow.ArrowException, OSError: the source is not a stream.
    """
    total = values = 0
    for message in pa.ipc.MessageReader.open_stream(source):
        metadata = memoryview(message.metadata)
        try:
            header = _Table.root(metadata)
            kind = header.byte(1)
            if kind not in (_DICTIONARY, _RECORDS):
                continue
            batch = header.table(2)
            if kind == _DICTIONARY:
                batch = batch.table(1)
            values += batch.long(0) * max(1, batch.count(1))
            if batch.has(3):
                total += _uncompressed(batch, memoryview(message.body))
        except (struct.error, IndexError, ValueError) as error:
            raise MalformedError(f"a message of an Arrow file is damaged: {error}") from None
        limits.check_values(where, values, size)
        limits.check_ratio(where, total, size)


def _uncompressed(batch: _Table, body: memoryview) -> int:
    """The number of bytes that the buffers of a batch become."""
    total = 0
    for start, length in batch.pairs(2):
        if length >= 8:
            (declared,) = struct.unpack_from("<q", body, start)
            total += length if declared < 0 else declared
    return total


class _Table:
    """A table of a flatbuffer: fields by number, each optional."""

    def __init__(self, data: memoryview, position: int) -> None:
        self.data = data
        self.position = position
        (back,) = struct.unpack_from("<i", data, position)
        self._fields = position - back
        if self._fields < 0:
            raise ValueError("a table without fields")
        (self._length,) = struct.unpack_from("<H", data, self._fields)

    @classmethod
    def root(cls, data: memoryview) -> _Table:
        """The table that the buffer begins with."""
        (start,) = struct.unpack_from("<I", data, 0)
        return cls(data, start)

    def _place(self, field: int) -> int:
        """The position of a field; 0 if it is not there."""
        at = 4 + 2 * field
        if at >= self._length:
            return 0
        (offset,) = struct.unpack_from("<H", self.data, self._fields + at)
        return self.position + offset if offset else 0

    def has(self, field: int) -> bool:
        """True if a field is there."""
        return self._place(field) != 0

    def byte(self, field: int) -> int:
        """A field of one byte; 0 if it is not there."""
        place = self._place(field)
        return self.data[place] if place else 0

    def long(self, field: int) -> int:
        """A field of eight bytes; 0 if it is not there. A negative number is damage."""
        place = self._place(field)
        (number,) = struct.unpack_from("<q", self.data, place) if place else (0,)
        if number < 0:
            raise ValueError("a negative length")
        return int(number)

    def _follow(self, field: int) -> int:
        place = self._place(field)
        if not place:
            raise ValueError("a part is missing")
        (offset,) = struct.unpack_from("<I", self.data, place)
        return place + int(offset)

    def table(self, field: int) -> _Table:
        """A field that is a table."""
        return _Table(self.data, self._follow(field))

    def count(self, field: int) -> int:
        """The number of elements of a vector; 0 if it is not there."""
        return int(struct.unpack_from("<I", self.data, self._follow(field))[0]) if self.has(field) else 0

    def pairs(self, field: int) -> list[tuple[int, int]]:
        """A vector of pairs of numbers of eight bytes."""
        start, count = self._follow(field), self.count(field)
        numbers = struct.unpack_from(f"<{2 * count}q", self.data, start + 4)
        return list(zip(numbers[::2], numbers[1::2], strict=True))
