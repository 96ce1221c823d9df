"""The decimal digits that Java's ``toString`` gave numbers up to Java 18.

Only some numbers need them: see :func:`leapstream.javalike.numbers.java_double`.
"""

from __future__ import annotations

import math


def java_digits(significand: int, exponent: int) -> tuple[str, int]:
    """The digits of ``significand * 2**exponent``, and the place of the decimal point among them.

    ``significand`` is a positive integer with all bits that the number's type holds: 53 of a double, 24 of a float, fewer of a
    subnormal number.

    The digits are made from left to right (free-format printing as Steele and White describe it) and end where the rest, or
    what the rest lacks to the next digit, is less than half of the distance to the next number. Java's results are not always
    the shortest digits or the nearest ones, for these reasons:

    - of a power of two the distance is halved on both sides, although only the next smaller number is nearer;
    - a number that is printed with an exponent has at least two digits;
    - integers below 2**63 have all digits but those that the last bit of the significand does not reach;
    - where the terms seem to fit into 64 bits, those that do not fit lose their high bits, and a rest that is equal to the half
      distance is treated in another way.
    """
    precision = significand.bit_length()
    zeros = (significand & -significand).bit_length() - 1
    odd, power = significand >> zeros, exponent + zeros
    top = exponent + precision - 1
    if power >= 0 and top <= 62:
        return _integer_digits(odd << power, top - precision)
    return _free_format_digits(odd, power, top, precision)


def _integer_digits(value: int, unknown: int) -> tuple[str, int]:
    """The digits of an integer without those that ``unknown`` low bits make uncertain."""
    dropped = len(str(1 << (unknown - 1))) - 1 if unknown > 1 else 0
    unit = 10**dropped
    kept = str((value + unit // 2) // unit)
    return kept.rstrip("0"), len(kept) + dropped


def _free_format_digits(odd: int, power: int, top: int, precision: int) -> tuple[str, int]:
    length = odd.bit_length()
    # The tangent of the logarithm at 1.5, which is never too small; one too great is mended below.
    place = math.floor((odd / (1 << (length - 1)) - 1.5) * 0.289529654 + 0.176091259 + top * 0.301029995663981)
    up, down = max(0, -place), max(0, place)
    half = up + top - precision - (odd == 1)
    common = min(down, half)
    value_twos, unit_twos, half_twos = up + power - common, down - common, half - common
    narrow = length + value_twos + _bits_of_fives(up) < 64 and unit_twos + 1 + _bits_of_fives(down + 1) < 64
    rest, unit, near = odd * 5**up << value_twos, 5**down << unit_twos, 5**up << half_twos
    ten = 10 * unit
    digits: list[int] = []
    low = high = False
    started = False
    while not (low or high):
        digit, rest = divmod(rest, unit)
        rest *= 10
        near = _held(10 * near, narrow)
        over = _held(rest + near, narrow) - ten
        low = near <= 0 or rest < near
        high = near <= 0 or over > 0 or (over == 0 and not narrow)
        if not started and digit == 0 and not high:
            place -= 1
        else:
            digits.append(digit)
        if not started and not -3 <= place < 8:
            low = high = False
        started = True
    side = _held(_held(2 * rest, narrow) - ten, narrow)
    if high and (not low or side > 0 or (side == 0 and digits[-1] % 2 == 1)):
        place += _increment(digits)
    return "".join(map(str, digits)), place + 1


def _held(value: int, narrow: bool) -> int:
    """An integer, or the low 64 bits of it, of which the highest is the sign."""
    return (value + (1 << 63)) % (1 << 64) - (1 << 63) if narrow else value


def _bits_of_fives(count: int) -> int:
    """About the number of bits of ``5**count``, as Java estimates it."""
    return 0 if count == 0 else (5**count).bit_length() if count < 27 else 3 * count


def _increment(digits: list[int]) -> int:
    """Add 1 to the last digit; returns 1 where nothing but nines became a 1 and zeros."""
    at = len(digits) - 1
    while at >= 0 and digits[at] == 9:
        digits[at] = 0
        at -= 1
    if at < 0:
        digits[0] = 1
        return 1
    digits[at] += 1
    return 0
