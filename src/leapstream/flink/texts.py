"""Texts of values, as the Java functions make them."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import numpy as np

from leapstream.javalike.numbers import java_float
from leapstream.store.splits import key_text


def time_text(value: date | time) -> str:
    """The text of a date or time: seconds always, and a fraction of a second without zeros at its end."""
    if isinstance(value, datetime):
        return f"{value.date()} {time_text(value.time())}"
    if isinstance(value, time):
        return f"{value:%H:%M:%S.%f}".rstrip("0").rstrip(".") if value.microsecond else f"{value:%H:%M:%S}"
    return str(value)


def split_key_text(key: Any) -> str | None:
    """The text of a split key, by which its version is chosen; ``None`` for a key that is missing (``None`` or NaN)."""
    if key is None or key != key:
        return None
    if isinstance(key, np.float32):
        return java_float(key)
    if isinstance(key, Decimal):
        return f"{key:f}"
    if isinstance(key, date | time):
        return time_text(key)
    plain = key.item() if isinstance(key, np.generic) else key
    return key_text(plain if isinstance(plain, str | int | float | bool) else str(plain))
