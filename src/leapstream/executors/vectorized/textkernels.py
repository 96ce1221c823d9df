"""Compiled loops over the UTF-8 of strings, and over lists (numba).

Strings are given as an Arrow array holds them: ``data`` with all bytes, and ``offsets`` where each string starts, with the end of
the last; lists likewise by ``starts``.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def _width(first):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Number of bytes of a character in UTF-8, by its first."""
    if first < 0x80:
        return 1
    return 2 if first < 0xE0 else 3 if first < 0xF0 else 4


@njit(cache=True, nogil=True)
def tokens(  # type: ignore[no-untyped-def]
    offsets, data, table, other, repeated, gaps, fill, starts, token_offsets, out
):  # pragma: no cover - compiled
    """Characters of a set, or runs of them, in each string, or what lies between (without empty strings at the end).

    Args:
        table: which ASCII characters are in the set.
        other: whether all others are.
        repeated: runs rather than single characters.
        gaps: what lies between.
        fill: write the tokens; else only ``starts`` is set.
        starts: receives where each string's tokens start, with the end of the last.
        token_offsets, out: receive the tokens.

    Returns:
        how many tokens there are, and the length of their bytes.
    """
    count, size = 0, 0
    starts[0] = 0
    for row in range(offsets.shape[0] - 1):
        at, end = offsets[row], offsets[row + 1]
        piece, empty, matched = at, 0, False
        while True:
            # The next match, or none at the end.
            start = at
            while start < end and not (table[data[start]] if data[start] < 128 else other):
                start += _width(data[start])
            last = start >= end
            at = start
            if not last:
                at += _width(data[at])
                while repeated and at < end and (table[data[at]] if data[at] < 128 else other):
                    at += _width(data[at])
                at = min(at, end)
            if gaps:
                low, high = piece, start
                piece = at
                if low == high and (matched or not last):
                    empty += 1
                    high = -1
            else:
                low, high = start, (-1 if last else at)
            matched = True
            if high >= 0:
                for _ in range(empty):
                    if fill:
                        token_offsets[count] = size
                    count += 1
                empty = 0
                if fill:
                    token_offsets[count] = size
                    for i in range(low, high):
                        out[size + i - low] = data[i]
                count += 1
                size += high - low
            if last:
                break
        starts[row + 1] = count
    if fill:
        token_offsets[count] = size
    return count, size


@njit(cache=True, nogil=True)
def ngrams(  # type: ignore[no-untyped-def]
    offsets, data, starts, n, fill, gram_starts, gram_offsets, out
):  # pragma: no cover - compiled
    """Each ``n`` strings of a list that follow each other, joined by blanks; returns how many, and the length of their bytes."""
    count, size = 0, 0
    gram_starts[0] = 0
    for row in range(starts.shape[0] - 1):
        for first in range(starts[row], starts[row + 1] - n + 1):
            if fill:
                gram_offsets[count] = size
                at = size
                for token in range(first, first + n):
                    if token > first:
                        out[at] = 32
                        at += 1
                    for i in range(offsets[token], offsets[token + 1]):
                        out[at] = data[i]
                        at += 1
            count += 1
            size += offsets[first + n] - offsets[first] + n - 1
        gram_starts[row + 1] = count
    if fill:
        gram_offsets[count] = size
    return count, size


@njit(cache=True, nogil=True)
def long_tokens(  # type: ignore[no-untyped-def]
    offsets, data, letters, only_letters, min_length, out
):  # pragma: no cover - compiled
    """``out[i]`` = whether a string has at least ``min_length`` units of UTF-16, and of letters alone if ``only_letters``."""
    for row in range(offsets.shape[0] - 1):
        at, end = offsets[row], offsets[row + 1]
        length, others = 0, 0
        while at < end:
            width = _width(data[at])
            length += 2 if width == 4 else 1
            if only_letters:
                if at + width > end:
                    code = np.int64(-1)
                elif width == 1:
                    code = np.int64(data[at])
                elif width == 2:
                    code = (np.int64(data[at] & 0x1F) << 6) | np.int64(data[at + 1] & 0x3F)
                elif width == 3:
                    code = np.int64(data[at] & 0x0F) << 12
                    code |= (np.int64(data[at + 1] & 0x3F) << 6) | np.int64(data[at + 2] & 0x3F)
                else:
                    code = np.int64(-1)
                if code < 0 or not letters[code]:
                    others += 1
            at += width
        out[row] = others == 0 and length >= min_length


_M32 = np.uint64(0xFFFFFFFF)


@njit(cache=True, nogil=True)
def _scrambled(word):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """A word as Murmur3 mixes it in."""
    word = (word * np.uint64(0xCC9E2D51)) & _M32
    word = ((word << np.uint64(15)) | (word >> np.uint64(17))) & _M32
    return (word * np.uint64(0x1B873593)) & _M32


@njit(cache=True, nogil=True)
def _mixed(state, word):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    state ^= _scrambled(word)
    state = ((state << np.uint64(13)) | (state >> np.uint64(19))) & _M32
    return (state * np.uint64(5) + np.uint64(0xE6546B64)) & _M32


@njit(cache=True, nogil=True)
def hashes(offsets, data, seed, legacy_tail, out):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """``out[i]`` = a string's 32-bit Murmur3 as a signed integer."""
    for row in range(offsets.shape[0] - 1):
        at, end = offsets[row], offsets[row + 1]
        length = end - at
        state = np.uint64(seed)
        while at + 4 <= end:
            word = np.uint64(data[at]) | (np.uint64(data[at + 1]) << np.uint64(8))
            word |= (np.uint64(data[at + 2]) << np.uint64(16)) | (np.uint64(data[at + 3]) << np.uint64(24))
            state = _mixed(state, word)
            at += 4
        if legacy_tail:
            while at < end:
                # A byte is signed in Java.
                word = np.uint64(data[at])
                if word >= np.uint64(128):
                    word |= np.uint64(0xFFFFFF00)
                state = _mixed(state, word)
                at += 1
        elif at < end:
            word = np.uint64(0)
            for i in range(end - at):
                word |= np.uint64(data[at + i]) << np.uint64(8 * i)
            state ^= _scrambled(word)
        state ^= np.uint64(length)
        state ^= state >> np.uint64(16)
        state = (state * np.uint64(0x85EBCA6B)) & _M32
        state ^= state >> np.uint64(13)
        state = (state * np.uint64(0xC2B2AE35)) & _M32
        state ^= state >> np.uint64(16)
        signed = np.int64(state)
        if signed >= 2147483648:
            signed -= 4294967296
        out[row] = signed


@njit(cache=True, nogil=True)
def counts(index, starts, least, binary, row_starts, columns, values):  # type: ignore[no-untyped-def]  # pragma: no cover
    """The rows of a sparse array: how often each index that is not negative is in a list, where that is at least ``least``.

    Returns:
        how many elements are stored.
    """
    stored = 0
    row_starts[0] = 0
    for row in range(starts.shape[0] - 1):
        listed = np.sort(index[starts[row] : starts[row + 1]])
        at = 0
        while at < listed.shape[0] and listed[at] < 0:
            at += 1
        while at < listed.shape[0]:
            end = at + 1
            while end < listed.shape[0] and listed[end] == listed[at]:
                end += 1
            if end - at >= least[row]:
                columns[stored] = listed[at]
                values[stored] = 1.0 if binary else end - at
                stored += 1
            at = end
        row_starts[row + 1] = stored
    return stored


@njit(cache=True, nogil=True)
def sums(index, numbers, row_starts, columns, values):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """The rows of a sparse array: the sum of the numbers with one index, in their order; a negative index is left out.

    Returns:
        how many elements are stored.
    """
    stored = 0
    row_starts[0] = 0
    for row in range(index.shape[0]):
        before = -1
        for at in np.argsort(index[row], kind="mergesort"):
            column = index[row, at]
            if column < 0:
                continue
            if column != before:
                columns[stored] = column
                values[stored] = 0.0
                stored += 1
                before = column
            values[stored - 1] += numbers[row, at]
        row_starts[row + 1] = stored
    return stored


@njit(cache=True, nogil=True)
def sum_vectors(index, starts, vectors, out):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """``out[row]`` = the sum of the vectors at a list's indices, in their order; a negative index is left out."""
    for row in range(starts.shape[0] - 1):
        for at in range(starts[row], starts[row + 1]):
            if index[at] >= 0:
                for i in range(vectors.shape[1]):
                    out[row, i] += vectors[index[at], i]
