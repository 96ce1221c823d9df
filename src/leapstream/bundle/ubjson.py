"""Parses Universal Binary JSON, as far as XGBoost writes it. Each length is checked against the number of bytes left."""

from __future__ import annotations

from typing import Any

import numpy as np

from leapstream.bundle.malformed import MalformedError

_NUMBERS = {"i": ">i1", "U": ">u1", "I": ">i2", "l": ">i4", "L": ">i8", "d": ">f4", "D": ">f8", "C": ">i1"}
_CONSTANTS = {"Z": None, "T": True, "F": False}
_DEPTH = 100


def parse_ubjson(data: bytes) -> Any:
    """Parse UBJSON; typed arrays of numbers become NumPy arrays.

    Raises:
        MalformedError: ``data`` is not UBJSON, is truncated, or is nested too deeply.
    """
    return _Reader(data).value(_DEPTH)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        if not 0 <= count <= len(self.data) - self.at:
            raise MalformedError(f"UBJSON: {count} bytes are expected at byte {self.at}, of {len(self.data)}")
        self.at += count
        return self.data[self.at - count : self.at]

    def marker(self) -> str:
        return self.take(1).decode("latin-1")

    def next_is(self, marker: str) -> bool:
        return self.data[self.at : self.at + 1] == marker.encode("latin-1")

    def number(self, marker: str) -> Any:
        dtype = np.dtype(_NUMBERS[marker])
        return np.frombuffer(self.take(dtype.itemsize), dtype)[0].item()

    def count(self) -> int:
        marker = self.marker()
        if marker not in "iUIlL":
            raise MalformedError(f"UBJSON: a length of type {marker!r} at byte {self.at}")
        number = int(self.number(marker))
        # An element takes at least one byte, so a larger count cannot be right.
        if not 0 <= number <= len(self.data) - self.at:
            raise MalformedError(f"UBJSON: {number} elements at byte {self.at}, of {len(self.data)} bytes")
        return number

    def text(self) -> str:
        return self.take(self.count()).decode("utf-8")

    def value(self, depth: int) -> Any:
        marker = self.marker()
        if depth == 0:
            raise MalformedError("UBJSON: nested too deeply")
        if marker == "{":
            return self.object(depth - 1)
        if marker == "[":
            return self.array(depth - 1)
        if marker in _NUMBERS:
            return self.number(marker)
        if marker in _CONSTANTS:
            return _CONSTANTS[marker]
        if marker == "S":
            return self.text()
        raise MalformedError(f"UBJSON: {marker!r} at byte {self.at - 1} starts no value")

    def object(self, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        while not self.next_is("}"):
            name = self.text()
            result[name] = self.value(depth)
        self.take(1)
        return result

    def array(self, depth: int) -> Any:
        if self.next_is("$"):
            self.take(1)
            marker = self.marker()
            if marker not in _NUMBERS or self.marker() != "#":
                raise MalformedError(f"UBJSON: an array of {marker!r} at byte {self.at}")
            dtype = np.dtype(_NUMBERS[marker])
            return np.frombuffer(self.take(self.count() * dtype.itemsize), dtype).astype(dtype.newbyteorder("="))
        if self.next_is("#"):
            self.take(1)
            return [self.value(depth) for _ in range(self.count())]
        result = []
        while not self.next_is("]"):
            result.append(self.value(depth))
        self.take(1)
        return result


__all__ = ["parse_ubjson"]
