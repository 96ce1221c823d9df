"""Reads many numbers out of text at once, with the operations of NumPy on whole arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Words = npt.NDArray[np.uint64]

_PADDING = bytes(128)
_ZEROS = np.uint64(0x3030303030303030)
_HIGH = np.uint64(0x8080808080808080)
_LOW = np.uint64(0x0101010101010101)
_MOST_DIGITS = 19
"""Numbers of up to 19 digits fit into 64 bits."""
_POWERS = np.array([10**n for n in range(20)], dtype=np.uint64)
# Doubles of 80 bits hold an integer of 64 bits, and 10**27. Where they do not exist, numbers are converted one by one.
_EXTENDED = np.finfo(np.longdouble).nmant == 63
_WIDE_POWERS = np.array([10**n for n in range(20)], dtype=np.uint64).astype(np.longdouble)


class Text:
    """Bytes that are read eight at a time, at many places at once: some parts, and zeros after their end."""

    def __init__(self, parts: Sequence[bytes]) -> None:
        self.bytes = np.frombuffer(b"".join([*parts, _PADDING]), dtype=np.uint8)
        self._words: Words = np.ndarray((len(self.bytes) - 7,), dtype="<u8", buffer=self.bytes, strides=(1,))

    def words(self, at: Places) -> Words:
        """The eight bytes at each place as a number, the first one in its lowest bits."""
        words: Words = self._words[at]
        return words

    def equal(self, at: Places, constant: bytes) -> Flags:
        """Tell for each place whether the constant is there."""
        length = len(constant)
        if length < 8:
            mask = np.uint64((1 << 8 * length) - 1)
            short: Flags = (self.words(at) & mask) == np.uint64(int.from_bytes(constant, "little"))
            return short
        # Few places have the end of the constant and not its beginning.
        found: Flags = self.words(at + (length - 8)) == np.uint64(int.from_bytes(constant[-8:], "little"))
        left = np.flatnonzero(found)
        if len(left):
            begins = at[left]
            same = np.ones(len(left), dtype=np.bool_)
            for start in range(0, length - 8, 8):
                same &= self.words(begins + start) == np.uint64(int.from_bytes(constant[start : start + 8], "little"))
            found[left] = same
        return found


def length_before(words: Words, byte: bytes) -> Places:
    """For each word, the number of bytes before the first one that equals ``byte``; 8 if none does."""
    other = words ^ np.uint64(int.from_bytes(byte * 8, "little"))
    zero = (other - _LOW) & ~other & _HIGH
    lowest = zero & (~zero + np.uint64(1))
    # A power of two is exact in double precision, and its exponent is its position.
    _, exponent = np.frexp(lowest.astype(np.float64))
    return np.where(zero == 0, 8, (exponent.astype(np.int64) - 1) >> 3)


def digits(words: Words, count: Places) -> tuple[Words, Flags]:
    """The numbers that the first ``count`` bytes of each word, at most 8, are the digits of; and whether they are all digits."""
    value = (words ^ _ZEROS) << ((8 - count) * 8).astype(np.uint64)
    # A shift by 64 bits, which a word without digits gets, is not defined.
    value[count == 0] = 0
    good: Flags = (((value + np.uint64(0x7676767676767676)) | value) & _HIGH) == 0
    value = ((value & np.uint64(0x0F0F0F0F0F0F0F0F)) * np.uint64(2561)) >> np.uint64(8)
    value = ((value & np.uint64(0x00FF00FF00FF00FF)) * np.uint64(6553601)) >> np.uint64(16)
    value = ((value & np.uint64(0x0000FFFF0000FFFF)) * np.uint64(42949672960001)) >> np.uint64(32)
    return value, good


def decimals(text: Text, start: Places, end: Places) -> tuple[npt.NDArray[np.float64], Flags]:
    """Convert decimals such as ``-12.5`` to the nearest doubles.

    Returns:
        The numbers, and whether each was converted. Numbers with an exponent, without a point, or with very many digits are not,
        nor is any other text.
    """
    first = text.bytes[start]
    negative = first == ord("-")
    start = start + negative
    words = text.words(start)
    whole = length_before(words, b".")
    places = end - start - whole - 1
    good: Flags = (whole > 0) & (whole < 8) & (places > 0) & (whole + places <= _MOST_DIGITS + 1)
    number, fine = digits(words, np.where(good, whole, 0))
    # JSON has no number that begins with a zero and another digit.
    good &= fine & ((whole == 1) | (words & np.uint64(0xFF) != ord("0")))
    places = np.where(good, places, 0)
    # A zero before the point is not among the digits that have to fit.
    good &= (whole + places <= _MOST_DIGITS) | (number == 0)
    at = start + whole + 1
    for part in range(0, _MOST_DIGITS, 8):
        count = np.clip(places - part, 0, 8)
        if not count.any():
            break
        value, fine = digits(text.words(at + part), count)
        number = number * _POWERS[count] + value
        good &= fine
    values, exact = _quotients(number, places)
    return np.where(negative, -values, values), good & exact


def _quotients(number: Words, places: Places) -> tuple[npt.NDArray[np.float64], Flags]:
    """The doubles nearest to ``number / 10**places``, and whether they are sure to be."""
    if not _EXTENDED:
        return np.zeros(len(number)), np.zeros(len(number), dtype=np.bool_)
    wide = number.astype(np.longdouble) / _WIDE_POWERS[places]
    # Rounding twice is right unless the first result is in the middle between two doubles.
    ending = wide.view(np.uint64)[::2] & np.uint64(0x7FF)
    return wide.astype(np.float64), ending != 0x400


def integers(text: Text, start: Places, ends_with: bytes) -> tuple[Places, Places, Flags]:
    """Convert integers of at most 7 digits that end before the byte ``ends_with``.

    Returns:
        The numbers, the lengths of their texts, and whether each was converted.
    """
    words = text.words(start)
    length = length_before(words, ends_with)
    good: Flags = (length > 0) & (length < 8)
    value, fine = digits(words, np.where(good, length, 0))
    good &= fine & ((length == 1) | (words & np.uint64(0xFF) != ord("0")))
    return value.astype(np.int64), length, good


def slices(start: Places, count: npt.NDArray[Any], step: int = 1) -> Places:
    """The indexes of slices that begin at ``start`` and have ``count`` elements, one slice after the other."""
    count = np.asarray(count, dtype=np.int64)
    if len(count) and (count == count[0]).all():
        equal: Places = (start[:, None] + np.arange(0, step * int(count[0]), step)).ravel()
        return equal
    at: Places = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    return step * at + np.repeat(start, count)
