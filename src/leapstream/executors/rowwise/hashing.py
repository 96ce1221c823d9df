"""Hashes of tokens and of features."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from leapstream.bundle.types import BasicType, ScalarType
from leapstream.executors.implementing import implements
from leapstream.executors.rowwise.arrays import by_arrays
from leapstream.executors.rowwise.counts import count, count_binary, define_counts
from leapstream.executors.rowwise.writer import MOST_VARIABLES, Writer
from leapstream.javalike.numbers import java_double, java_float
from leapstream.plan import primitives as p

_SEED = 42
_MOST_TEXTS = 1 << 14
_LONGEST_TEXT = 64
_MASK = 0xFFFFFFFF


def _scrambled(word: int) -> int:
    word = word * 0xCC9E2D51 & _MASK
    return (word << 15 | word >> 17) * 0x1B873593 & _MASK


def _mixed(state: int, word: int) -> int:
    state ^= _scrambled(word)
    return ((state << 13 | state >> 19) & _MASK) * 5 + 0xE6546B64 & _MASK


def murmur(text: str, legacy_tail: bool = False, seed: int = _SEED) -> int:
    """The hash of a text as a signed integer; see :class:`leapstream.plan.primitives.HashedCounts`."""
    data = text.encode("utf-8", "replace")
    whole = len(data) & ~3
    state = seed
    for word in struct.unpack_from(f"<{whole >> 2}I", data):
        state = _mixed(state, word)
    if legacy_tail:
        for byte in data[whole:]:
            # A byte is signed in Java.
            state = _mixed(state, byte | 0xFFFFFF00 if byte >= 128 else byte)
    elif whole < len(data):
        state ^= _scrambled(int.from_bytes(data[whole:], "little"))
    state ^= len(data)
    state = (state ^ state >> 16) * 0x85EBCA6B & _MASK
    state = (state ^ state >> 13) * 0xC2B2AE35 & _MASK
    state ^= state >> 16
    return state - (1 << 32) if state >= 1 << 31 else state


@implements(p.SignedHashes)
def _signed_hashes(writer: Writer, expr: p.SignedHashes) -> None:
    by_arrays(writer, expr)


class HashedTexts(dict[Any, int]):
    """The element for each text: the hash of ``prefix`` and the text, modulo ``size``. It keeps those of many short texts.

    The element of ``None`` is that of the seed.
    """

    def __init__(self, size: int, prefix: str = "", legacy_tail: bool = False) -> None:
        super().__init__()
        self._size = size
        self._prefix = prefix
        self._legacy_tail = legacy_tail

    def __missing__(self, text: str | None) -> int:
        element = (_SEED if text is None else murmur(self._prefix + text, self._legacy_tail)) % self._size
        if text is None or len(text) <= _LONGEST_TEXT:
            if len(self) >= _MOST_TEXTS:
                self.clear()
            self[text] = element
        return element


@implements(p.HashedCounts)
def _hashed_counts(writer: Writer, expr: p.HashedCounts) -> None:
    elements = writer.constant(HashedTexts(expr.size, legacy_tail=expr.legacy_tail))
    counts = writer.call(
        count_binary if expr.binary else count, f"map({elements}.__getitem__, {writer.present(expr.x)})"
    )
    define_counts(writer, expr, counts, expr.size)


@implements(p.HashedFeatures)
def _hashed_features(writer: Writer, expr: p.HashedFeatures) -> None:
    if expr.size <= MOST_VARIABLES and (expr.size == 1 or not any(expr.categories)):
        _sum_features(writer, expr)
        return
    sums = writer.variable()
    writer.line(f"{sums} = {{}}")
    for x, name, category in zip(expr.xs, expr.names, expr.categories, strict=True):
        value = writer.optional(x)
        number, element = value, str(murmur(name) % expr.size)
        if category:
            assert isinstance(x.type, ScalarType)
            number, element = "1.0", _category(writer, x.type.base, value, HashedTexts(expr.size, f"{name}="))
        there = f"if {value} is not None: " if x.type.nullable else ""
        writer.line(f"{there}{(at := writer.variable())} = {element}; {sums}[{at}] = {sums}.get({at}, 0.0) + {number}")
    define_counts(writer, expr, f"dict(sorted({sums}.items()))", expr.size)


def _sum_features(writer: Writer, expr: p.HashedFeatures) -> None:
    """Add features whose elements are known: a number, or any feature of a vector of one element."""
    sums = ["0.0"] * expr.size
    for x, name, category in zip(expr.xs, expr.names, expr.categories, strict=True):
        value = writer.optional(x)
        number = "1.0" if category else value
        # Adding 0 to a sum that begins with 0 changes nothing.
        term = f"(0.0 if {value} is None else {number})" if x.type.nullable else number
        sums[murmur(name) % expr.size] += f" + {term}"
    writer.define_elements(expr, sums)


def _category(writer: Writer, base: BasicType, value: str, elements: HashedTexts) -> str:
    """The element for a category."""
    if base is BasicType.BOOLEAN:
        return writer.constant((elements["false"], elements["true"])) + f"[{value}]"
    texts: dict[BasicType, Callable[[Any], str]] = {BasicType.DOUBLE: java_double, BasicType.FLOAT: java_float}
    if base is BasicType.STRING:
        return f"{writer.constant(elements)}[{value}]"
    return f"{writer.constant(elements)}[{writer.call(texts.get(base, str), value)}]"


@implements(p.MinHash)
def _min_hash(writer: Writer, expr: p.MinHash) -> None:
    by_arrays(writer, expr)
