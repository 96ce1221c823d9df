"""Conversions of numbers with Java's results: to text, from text, and between types."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from leapstream.bundle.tensor import NUMPY_DTYPES
from leapstream.bundle.types import BasicType


def java_double(number: float) -> str:
    """A double as Java's ``Double.toString`` prints it."""
    return _java_number(repr(float(number)))


def java_float(number: float) -> str:
    """A float as Java's ``Float.toString`` prints it."""
    return _java_number(str(np.float32(number)))


def _java_number(text: str) -> str:
    """Lay out the shortest digits as Java does: without an exponent within [1e-3, 1e7), otherwise with one."""
    special = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    if text in special:
        return special[text]
    match = re.fullmatch(r"(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?", text)
    assert match is not None
    sign, whole, fraction, exponent = match.group(1), match.group(2), match.group(3) or "", int(match.group(4) or 0)
    point = len(whole) + exponent
    digits = whole + fraction
    stripped = digits.lstrip("0")
    point -= len(digits) - len(stripped)
    digits = stripped.rstrip("0")
    if not digits:
        return f"{sign}0.0"
    if -3 < point <= 7:
        if point <= 0:
            return f"{sign}0.{'0' * -point}{digits}"
        return f"{sign}{digits[:point].ljust(point, '0')}.{digits[point:] or '0'}"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{point - 1}"


_DECIMAL = re.compile(r"[+-]?(NaN|Infinity|((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)[fFdD]?)")
_HEXADECIMAL = re.compile(r"([+-]?0[xX][0-9a-fA-F]*\.?[0-9a-fA-F]*[pP][+-]?\d+)[fFdD]?")
_JAVA_SPACE = "".join(map(chr, range(33)))


def parse_double(text: str) -> float:
    """Parse a number as Java's ``Double.parseDouble`` does.

    Raises:
        ValueError: ``text`` is not a number in Java.
    """
    trimmed = text.strip(_JAVA_SPACE)
    if _DECIMAL.fullmatch(trimmed):
        return float(trimmed if trimmed.endswith(("NaN", "Infinity")) else trimmed.rstrip("fFdD"))
    if match := _HEXADECIMAL.fullmatch(trimmed):
        return _from_hexadecimal(match.group(1))
    raise ValueError(f"{text!r} is no number")


def _from_hexadecimal(text: str) -> float:
    try:
        return float.fromhex(text)
    except OverflowError:
        return -math.inf if text.startswith("-") else math.inf


def _parse_integer(base: BasicType) -> Callable[[str], int]:
    bounds = np.iinfo(NUMPY_DTYPES[base])

    def parse(text: str) -> int:
        if not re.fullmatch(r"[+-]?\d+", text) or not bounds.min <= int(text) <= bounds.max:
            raise ValueError(f"{text!r} is no {base}")
        return int(text)

    return parse


def _parse_boolean(text: str) -> bool:
    if text.isdigit():
        return float(text) != 0
    return text not in ("false", "no", "")


PARSERS: dict[BasicType, Callable[[str], Any]] = {
    BasicType.BOOLEAN: _parse_boolean,
    **{base: _parse_integer(base) for base in (BasicType.BYTE, BasicType.SHORT, BasicType.INT, BasicType.LONG)},
    BasicType.FLOAT: parse_double,
    BasicType.DOUBLE: parse_double,
}


def cast_numbers(values: npt.NDArray[Any], to: BasicType) -> npt.NDArray[Any]:
    """Convert numbers or booleans as Java does.

    A float becomes an integer by truncation towards zero; NaN gives 0, and a number out of range the nearest int or long.
    """
    dtype = NUMPY_DTYPES[to]
    if to is BasicType.BOOLEAN:
        return np.asarray(values != 0)
    if values.dtype.kind == "f" and dtype.kind == "i":
        wide = np.dtype(np.int64) if to is BasicType.LONG else np.dtype(np.int32)
        bounds = np.iinfo(wide)
        whole = np.trunc(np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=np.inf, neginf=-np.inf))
        low, high = whole <= bounds.min, whole >= bounds.max
        inside = np.where(low | high, 0.0, whole).astype(wide)
        return np.where(low, bounds.min, np.where(high, bounds.max, inside)).astype(wide).astype(dtype)
    with np.errstate(over="ignore"):
        return values.astype(dtype)


def number_strings(values: npt.NDArray[Any], base: BasicType) -> list[str]:
    """Numbers as Java's ``toString`` prints them; booleans as 1 and 0."""
    if base is BasicType.DOUBLE:
        return [java_double(v) for v in values.tolist()]
    if base is BasicType.FLOAT:
        return [java_float(v) for v in values]
    return [str(int(v)) for v in values.tolist()]
