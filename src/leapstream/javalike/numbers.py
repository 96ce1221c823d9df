"""Conversions of numbers with Java's results: to text, from text, and between types."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from leapstream.bundle.tensor import NUMPY_DTYPES
from leapstream.bundle.types import BasicType
from leapstream.javalike.digits import java_digits


def java_double(number: float) -> str:
    """A double as Java's ``Double.toString`` printed it up to Java 18, which MLeap's labels and hashes come from.

    Since Java 19 ``toString`` gives the shortest digits that read back as the number, as Python's ``repr`` does. The earlier
    digits differ only for powers of two, for subnormal numbers, and for integers of :math:`2^{53}` and more.
    """
    size = abs(number)
    if 0.001 <= size < 1e7:
        return repr(number)
    if _LEAST_NORMAL <= size < 2.0**53 and math.frexp(size)[0] != 0.5:
        return _shortest(repr(number))
    if size == 0 or not math.isfinite(number):
        return _NAMES[repr(number)]
    exponent = max(math.frexp(size)[1] - 53, -1074)
    return _layout(number < 0, *java_digits(int(math.ldexp(size, -exponent)), exponent))


def java_float(number: float | np.float32) -> str:
    """A float as Java's ``Float.toString`` printed it up to Java 18; see :func:`java_double`."""
    value = float(number)
    size = abs(value)
    if _LEAST_NORMAL_FLOAT <= size < 2.0**24 and math.frexp(size)[0] != 0.5:
        return _shortest(str(np.float32(number)))
    if size == 0 or not math.isfinite(value):
        return _NAMES[repr(value)]
    exponent = max(math.frexp(size)[1] - 24, -149)
    return _layout(value < 0, *java_digits(int(math.ldexp(size, -exponent)), exponent))


_NAMES = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity", "0.0": "0.0", "-0.0": "-0.0"}
_LEAST_NORMAL = float(np.finfo(np.float64).smallest_normal)
_LEAST_NORMAL_FLOAT = float(np.finfo(np.float32).smallest_normal)
_SHORTEST = re.compile(r"(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?")


def _shortest(text: str) -> str:
    """The text of Python's ``repr`` laid out as Java's."""
    match = _SHORTEST.fullmatch(text)
    assert match is not None
    sign, whole, fraction, exponent = match.group(1), match.group(2), match.group(3) or "", int(match.group(4) or 0)
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + exponent - (len(whole + fraction) - len(digits))
    return _layout(bool(sign), digits.rstrip("0"), point)


def _layout(negative: bool, digits: str, point: int) -> str:
    """Digits as Java prints them: plain within [1e-3, 1e7), else with an exponent."""
    sign = "-" if negative else ""
    if -3 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    if 0 < point <= 7:
        return f"{sign}{digits[:point].ljust(point, '0')}.{digits[point:] or '0'}"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{point - 1}"


_DECIMAL = re.compile(r"[+-]?(?:NaN|Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fFdD]?)", re.ASCII)
_HEXADECIMAL = re.compile(r"[+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?\d+[fFdD]?", re.ASCII)
_JAVA_SPACE = "".join(map(chr, range(33)))
_MOST_DIGITS = 19


def parse_double(text: str) -> float:
    """Parse a number as Java's ``Double.parseDouble`` does.

    Raises:
        ValueError: ``text`` is not a number in Java; digits of other scripts are none.
    """
    spelled = _spelled(text)
    if "x" not in spelled:
        return float(spelled)
    try:
        return float.fromhex(spelled)
    except OverflowError:
        return -math.inf if spelled.startswith("-") else math.inf


def parse_float(text: str) -> float:
    """Parse a number as Java's ``Float.parseFloat`` does: the float that is nearest to the text, rounded once.

    Raises:
        ValueError: ``text`` is not a number in Java.
    """
    number = parse_double(text)
    with np.errstate(over="ignore", under="ignore"):
        near = np.float32(number)
        # NumPy would compare a float with the double as floats.
        if float(near) == number or math.isnan(number):
            return float(near)
        other = np.nextafter(near, np.float32(math.copysign(math.inf, number - float(near))))
    low, high = sorted((_finite(near), _finite(other)))
    if (low + high) / 2 != number:
        return float(near)
    # The nearest double lies in the middle, where the text need not lie.
    exact, middle = _exact(_spelled(text)), Fraction(number)
    if exact == middle:
        return float(near)
    return float(max(near, other) if exact > middle else min(near, other))


def _spelled(text: str) -> str:
    """A number as Python spells it: without spaces around it, without a letter for its type, an "x" for hexadecimal digits."""
    trimmed = text.strip(_JAVA_SPACE)
    if _DECIMAL.fullmatch(trimmed):
        return trimmed if trimmed.endswith(("NaN", "Infinity")) else trimmed.rstrip("fFdD")
    if _HEXADECIMAL.fullmatch(trimmed):
        digits, exponent = re.split("[pP]", trimmed.rstrip("fFdD"))
        return f"{digits.lower()}p{exponent}"
    raise ValueError(f"{text!r} is not a number")


def _exact(spelled: str) -> Fraction:
    if "x" not in spelled:
        return Fraction(Decimal(spelled))
    digits, exponent = spelled.split("p")
    whole, _, fraction = digits.partition(".")
    return int(whole + fraction, 16) * Fraction(2) ** (int(exponent) - 4 * len(fraction))


def _finite(number: np.float32) -> float:
    """A float, where infinity stands for the number that would come after the greatest one."""
    return math.copysign(2.0**128, number) if np.isinf(number) else float(number)


def _parse_integer(base: BasicType) -> Callable[[str], int]:
    bounds = np.iinfo(NUMPY_DTYPES[base])

    def parse(text: str) -> int:
        digits = text[1:] if text.startswith(("+", "-")) else text
        if _are_java_digits(digits):
            significant = "".join(str(unicodedata.digit(c)) for c in digits).lstrip("0") or "0"
            if len(significant) <= _MOST_DIGITS:
                number = -int(significant) if text.startswith("-") else int(significant)
                if bounds.min <= number <= bounds.max:
                    return number
        raise ValueError(f"{text!r} is not a valid {base}")

    return parse


def _are_java_digits(text: str) -> bool:
    """True if ``Character.isDigit`` is true for each ``char`` of a text that is not empty.

    Decimal digits of all scripts are digits, but those outside of the first 65,536 characters, which are two ``char`` each.
    """
    return text.isdecimal() and max(text) <= "\uffff"


def _parse_boolean(text: str) -> bool:
    if _are_java_digits(text):
        return parse_double(text) != 0
    return text not in ("false", "no", "")


PARSERS: dict[BasicType, Callable[[str], Any]] = {
    BasicType.BOOLEAN: _parse_boolean,
    **{base: _parse_integer(base) for base in (BasicType.BYTE, BasicType.SHORT, BasicType.INT, BasicType.LONG)},
    BasicType.FLOAT: parse_float,
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
    if base in (BasicType.FLOAT, BasicType.DOUBLE):
        text = java_double if base is BasicType.DOUBLE else java_float
        bits = values.view(f"i{values.itemsize}").tolist()
        # Numbers are often categories, so a batch repeats them.
        texts = {key: text(value) for key, value in dict(zip(bits, values.tolist(), strict=True)).items()}
        return [texts[key] for key in bits]
    return [str(int(v)) for v in values.tolist()]
