"""Numbers as Java writes and reads them: the expected values were recorded with Java 17."""

from __future__ import annotations

import hashlib
import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leapstream.bundle.types import BasicType
from leapstream.javalike.numbers import (
    PARSERS,
    cast_numbers,
    java_double,
    java_float,
    number_strings,
    parse_double,
    parse_float,
)

INF, NAN = math.inf, math.nan


def same(a: float, b: float) -> bool:
    return struct.pack(">d", a) == struct.pack(">d", b)


# ---- numbers as text --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1e10, "1.0E10"),
        (1e-3, "0.001"),
        (9.9e-4, "9.9E-4"),
        (1e7, "1.0E7"),
        (123456.0, "123456.0"),
        (-0.0, "-0.0"),
        (2.0**-44, "5.6843418860808015E-14"),
        (2.0**54, "1.8014398509481984E16"),
        (1e22, "1.0E22"),
        (1e23, "9.999999999999999E22"),
        (2e23, "1.9999999999999998E23"),
        (8.41e21, "8.409999999999999E21"),
        (2.0551738933448696e25, "2.0551738933448695E25"),
        (2.2250738585072014e-308, "2.2250738585072014E-308"),
        (5e-324, "4.9E-324"),
        (1e-323, "1.0E-323"),
        (2e-323, "2.0E-323"),
        (1.7976931348623157e308, "1.7976931348623157E308"),
        (INF, "Infinity"),
        (-INF, "-Infinity"),
        (NAN, "NaN"),
    ],
)
def test_double_is_printed_as_java_17_prints_it(number: float, text: str) -> None:
    assert java_double(number) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.1, "0.1"),
        (2.0**31, "2.14748365E9"),
        (84468768.0, "8.4468768E7"),
        (123456792.0, "1.23456792E8"),
        (2.0**-126, "1.17549435E-38"),
        (1.4e-45, "1.4E-45"),
        (-8388608.0, "-8388608.0"),
        (INF, "Infinity"),
    ],
)
def test_float_is_printed_as_java_17_prints_it(number: float, text: str) -> None:
    assert java_float(np.float32(number)) == text


def test_many_numbers_are_printed_as_java_17_prints_them() -> None:
    bits = np.arange(1, 20001, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    doubles = [*bits.view(np.float64), *(math.ldexp(1.0, e) for e in range(-1074, 1024))]
    floats = [*(bits >> np.uint64(32)).astype(np.uint32).view(np.float32)]
    floats += [np.float32(math.ldexp(1.0, e)) for e in range(-149, 128)]
    given = {BasicType.DOUBLE: np.array(doubles), BasicType.FLOAT: np.array(floats, dtype=np.float32)}
    texts = {base: "".join(f"{text}\n" for text in number_strings(values, base)) for base, values in given.items()}
    assert {base: hashlib.sha256(text.encode()).hexdigest() for base, text in texts.items()} == {
        BasicType.DOUBLE: "0bfb7acd86004cf082397f5c710c576519df0b99f423f903a09a19dcf252c4f5",
        BasicType.FLOAT: "391255eccac9cecf52589a5be28c70a60389e16cb3da143072be3b70572a8df9",
    }


def test_zeros_of_both_signs_have_their_own_texts_in_a_batch() -> None:
    assert number_strings(np.array([0.0, -0.0, NAN, 0.0]), BasicType.DOUBLE) == ["0.0", "-0.0", "NaN", "0.0"]


@given(st.floats(allow_nan=False))
@settings(max_examples=200)
def test_double_as_java_prints_it_reads_back_as_itself(number: float) -> None:
    assert same(parse_double(java_double(number)), number)


# ---- numbers from text ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "double", "single"),
    [
        ("0x1.p1", 2.0, 2.0),
        ("0x1p99999", INF, INF),
        ("-0x1p99999", -INF, -INF),
        ("0x1p-99999999999", 0.0, 0.0),
        ("0x0p99999999999", 0.0, 0.0),
        ("0X1P+1D", 2.0, 2.0),
        ("0x1p1f", 2.0, 2.0),
        ("0x1.fffffffffffff7p1023", 1.7976931348623157e308, INF),
        ("0x0.81p-1074", 5e-324, 0.0),
        ("1e99999999999", INF, INF),
        ("0e99999999999", 0.0, 0.0),
        ("1.e5", 1e5, 1e5),
        (".5d", 0.5, 0.5),
        ("1E5F", 1e5, 1e5),
        ("-Infinity", -INF, -INF),
        ("\u00001\u001f", 1.0, 1.0),
    ],
)
def test_text_is_the_number_that_java_reads(text: str, double: float, single: float) -> None:
    assert same(parse_double(text), double)
    assert same(parse_float(text), single)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "0x.p1",
            "0xp1",
            ".e5",
            "1ff",
            "Infinityf",
            "1\u00a0",
            "\u20091",
            "1_0",
            "+-1",
            "1e",
            "1e+",
            "",
            "inf",
            "nan",
        ),
        *("\u0663", "\uff11", "1\u0663", "1e\u0661", "\u00b2"),
    ],
)
def test_text_that_java_reads_as_no_double_fails(text: str) -> None:
    for parse in (parse_double, parse_float):
        with pytest.raises(ValueError, match="is not a number"):
            parse(text)


@pytest.mark.parametrize(
    ("text", "bits"),
    [
        # In the middle of two floats as doubles; the text itself is on one side of it, or is the middle.
        ("16777217.0000000000000001", 0x4B800001),
        ("16777217.0", 0x4B800000),
        ("16777218.9999999999999999", 0x4B800001),
        ("16777219.0", 0x4B800002),
        ("-16984227327.99999999999983015772672", 0xD07D15AF),
        ("340282356779733661637539395458142568447.9", 0x7F7FFFFF),
        ("340282356779733661637539395458142568448", 0x7F800000),
        ("0x1.0000010000000000001p0", 0x3F800001),
    ],
)
def test_text_is_rounded_once_to_a_float(text: str, bits: int) -> None:
    assert struct.pack(">f", parse_float(text)) == bits.to_bytes(4, "big")


@pytest.mark.parametrize(
    ("base", "text", "number"),
    [
        (BasicType.INT, "\u0661\uff12", 12),
        (BasicType.INT, "-\u0661", -1),
        (BasicType.BYTE, "+127", 127),
        (BasicType.LONG, "-9223372036854775808", -(2**63)),
        (BasicType.SHORT, "0" * 5000 + "7", 7),
    ],
)
def test_digits_of_all_scripts_are_integers(base: BasicType, text: str, number: int) -> None:
    assert PARSERS[base](text) == number


@pytest.mark.parametrize(
    ("base", "text"),
    [
        (BasicType.BYTE, "128"),
        (BasicType.LONG, "9223372036854775808"),
        (BasicType.INT, "\U0001d7d9"),
        (BasicType.INT, "\u00b2"),
        (BasicType.INT, "1_0"),
        (BasicType.INT, " 1"),
        (BasicType.INT, "+"),
        (BasicType.INT, "9" * 5000),
    ],
)
def test_text_that_java_reads_as_no_integer_fails(base: BasicType, text: str) -> None:
    with pytest.raises(ValueError, match=f"is not a valid {base}"):
        PARSERS[base](text)


def test_text_is_false_where_it_says_so_or_is_zero_in_digits() -> None:
    falsehoods = ["false", "no", "", "0", "00"]
    truths = ["true", "yes", "1", "-0", "0.0", "x", "\u00b2", "\u2460", "\U0001d7d8"]
    parse = PARSERS[BasicType.BOOLEAN]
    assert [parse(text) for text in falsehoods + truths] == [False] * len(falsehoods) + [True] * len(truths)
    with pytest.raises(ValueError, match="is not a number"):
        parse("\u0660")


# ---- numbers of other types -------------------------------------------------------------------------------------------


def test_double_to_integer_saturates_and_cuts() -> None:
    values = np.array([1.9, -1.9, np.nan, 1e30, -1e30, 300.0])
    assert cast_numbers(values, BasicType.INT).tolist() == [1, -1, 0, 2**31 - 1, -(2**31), 300]
    assert cast_numbers(values, BasicType.BYTE).tolist() == [1, -1, 0, -1, 0, 44]
    assert cast_numbers(values, BasicType.LONG).tolist() == [1, -1, 0, 2**63 - 1, -(2**63), 300]
