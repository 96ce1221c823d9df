"""Numbers that are converted together are those that Python converts one by one."""

from __future__ import annotations

import random
import struct

import numpy as np
import pytest

from leapstream.bundle.numerals import Text, decimals, integers


def converted(*texts: str) -> tuple[list[float], list[bool]]:
    """The numbers, and whether each was converted."""
    text = Text(["".join(texts).encode()])
    end = np.cumsum([len(one) for one in texts])
    values, good = decimals(text, end - [len(one) for one in texts], end)
    return values.tolist(), good.tolist()


def test_every_decimal_becomes_the_nearest_double() -> None:
    rng = random.Random(0)
    numbers = [rng.uniform(-1, 1) * 10.0 ** rng.randint(-3, 6) for _ in range(20_000)]
    numbers += [struct.unpack("<f", struct.pack("<f", number))[0] for number in numbers[:1000]]
    texts = [repr(number) for number in numbers if 1e-3 < abs(number) < 1e6] + ["0.0", "-0.0", "1.0", "-12.5"]
    values, good = converted(*texts)
    for text, value, fine in zip(texts, values, good, strict=True):
        assert not fine or struct.pack("<d", value) == struct.pack("<d", float(text)), text
    assert sum(good) > 0.99 * len(texts)


def test_a_decimal_in_the_middle_between_two_doubles_is_not_guessed() -> None:
    # 1 + 2**-53 is in the middle between 1 and the next double; more digits than 19 decide which one is nearer.
    for text in ("1.00000000000000011102230246251565", "9007199254740993.0", "4503599627370497.5"):
        (value,), (good,) = converted(text)
        assert not good or value == float(text)


@pytest.mark.parametrize(
    "text", ["01.5", "1.", ".5", "-", "1.5e3", "1e5", "--1.5", "+1.5", "1.5.5", "1,5", "null", " 1.5", "NaN", "7"]
)
def test_other_texts_are_not_converted(text: str) -> None:
    assert converted("0.25", text, "0.25")[1] == [True, False, True]


def test_integers_end_before_a_byte() -> None:
    text = Text([b"7,1234567,12345678,007,1x,0,"])
    start = np.array([0, 2, 10, 19, 23, 26])
    values, length, good = integers(text, start, b",")
    assert good.tolist() == [True, True, False, False, False, True]
    assert values[good].tolist() == [7, 1234567, 0]
    assert length[good].tolist() == [1, 7, 1]


def test_a_constant_is_found_up_to_the_end() -> None:
    text = Text([b"abcdefghijkl", b"mnopqrs,xyz"])
    assert text.equal(np.array([0, 1]), b"abcdefghijklmnopqrs").tolist() == [True, False]
    assert text.equal(np.array([19, 20, 22]), b",xyz").tolist() == [True, False, False]
