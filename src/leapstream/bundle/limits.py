"""Limits on the size of untrusted files, and :func:`bounded`, by which everything that is decompressed is read."""

from __future__ import annotations

import io
import math
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from leapstream.errors import BundleError, ConfigError

CHUNK = 1 << 16
"""Bytes that are decompressed at once, between two checks of the limits."""

_BYTES_PER_VALUE = 64


@dataclass(frozen=True)
class Limits:
    """Limits on the size of a bundle or leap frame. Sizes are in bytes, after decompression.

    Attributes:
        max_total_size: of all files together, and of the archive itself.
        max_file_size: of one file.
        max_ratio: size of all files together over the size of the archive, or of a frame over its compressed size.
        ratio_from: up to this size any ratio is accepted, since weights of 0 compress 1000 to 1.
        max_entries: number of files and directories.
        max_depth: number of directories above a file, and of models inside of models.
        max_elements: number of elements that sparse tensors declare without storing them, in all attributes together.

    Raises:
        ConfigError: a limit is not a positive number.
    """

    max_total_size: int = 2 << 30
    max_file_size: int = 1 << 30
    max_ratio: float = 200.0
    ratio_from: int = 32 << 20
    max_entries: int = 200_000
    max_depth: int = 64
    max_elements: int = 1 << 20

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            kinds = (int, float) if f.name == "max_ratio" else (int,)
            if isinstance(value, bool) or not isinstance(value, kinds) or not 0 <= value < math.inf:
                raise ConfigError(f"limit {f.name}: expected a number that is not negative, got {value!r}")

    @classmethod
    def of(cls, given: Mapping[str, Any], where: str) -> Limits:
        """The default limits with those in ``given`` in their place.

        Raises:
            ConfigError: a name is not that of a limit, or its value is not a number; the message begins with ``where``.
        """
        known = [f.name for f in fields(cls)]
        for name in given:
            if name not in known:
                raise ConfigError(f"{where}: unknown limit {name!r}; known are {', '.join(known)}")
        try:
            return cls(**given)
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}") from None

    def check_count(self, where: str, count: int) -> None:
        """Raise a ``BundleError`` when there are too many entries."""
        if count > self.max_entries:
            raise BundleError(f"{where}: {count} entries, more than the limit of {self.max_entries} (max_entries)")

    def check_file(self, where: str, size: int) -> None:
        """Raise a ``BundleError`` when a file is too large."""
        if size > self.max_file_size:
            raise BundleError(f"{where}: {size} bytes, more than the limit of {self.max_file_size} (max_file_size)")

    def check_total(self, where: str, size: int) -> None:
        """Raise a ``BundleError`` when the files, or the archive, are too large."""
        if size > self.max_total_size:
            raise BundleError(f"{where}: {size} bytes, more than the limit of {self.max_total_size} (max_total_size)")

    def check_ratio(self, where: str, size: int, compressed: int) -> None:
        """Raise a ``BundleError`` when a size is above ``ratio_from`` and its compression ratio is above ``max_ratio``."""
        if size > self.ratio_from and size > self.max_ratio * max(compressed, 1):
            raise BundleError(
                f"{where}: makes {size} bytes out of {compressed} compressed ones, more than the limit of "
                f"{self.max_ratio:g} to 1 (max_ratio)"
            )

    def check_values(self, where: str, values: int, compressed: int) -> None:
        """Raise a ``BundleError`` when a compressed frame has so many values that they are a bomb in memory."""
        size = values * _BYTES_PER_VALUE
        if size > 8 * self.ratio_from and size > self.max_ratio * max(compressed, 1):
            raise BundleError(
                f"{where}: {values} values out of {compressed} compressed bytes; one value takes about "
                f"{_BYTES_PER_VALUE} bytes of memory, and the limit is {self.max_ratio:g} to 1 (max_ratio)"
            )

    def check_elements(self, where: str, elements: int) -> None:
        """Raise a ``BundleError`` when tensors declare too many elements that they do not store."""
        if elements > self.max_elements:
            raise BundleError(
                f"{where}: sparse tensors of {elements} elements, more than the limit of {self.max_elements} (max_elements)"
            )


def bounded(where: str, chunks: Iterable[bytes], limits: Limits, compressed: int, *, before: int = 0) -> bytes:
    """Join the pieces of a file as they are decompressed, and stop as soon as they exceed the limits.

    Args:
        where: the file's name, for messages.
        chunks: the pieces, of at most :data:`CHUNK` bytes or little more.
        limits: the limits on the size.
        compressed: size of the whole archive or frame.
        before: bytes that were decompressed from it before.

    Raises:
        BundleError: the file exceeds a limit.
    """
    out = io.BytesIO()
    size = 0
    for chunk in chunks:
        size += len(chunk)
        limits.check_file(where, size)
        limits.check_ratio(where, before + size, compressed)
        limits.check_total(where, before + size)
        out.write(chunk)
    return out.getvalue()


def inflated(data: bytes) -> Iterator[bytes]:
    """The pieces of raw DEFLATE data, without zlib's header.

    Raises:
        zlib.error: the data is damaged, is truncated, or goes on after its end.
    """
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    while not stream.eof:
        piece = stream.decompress(data, CHUNK)
        data = stream.unconsumed_tail
        if not piece and not data and not stream.eof:
            raise zlib.error("the compressed data is truncated")
        yield piece
    if stream.unused_data:
        raise zlib.error("the compressed data goes on after its end")
