"""Values of models as JSON, and JSON as values of models."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import msgspec

from leapstream.serving.failures import RequestError

encode = msgspec.json.encode
"""The JSON of a value. NaN and infinities become ``null``; see :func:`encode_exactly`."""

_decode = msgspec.json.Decoder().decode


def decode(body: bytes) -> Any:
    """The value of a JSON text; ``NaN``, ``Infinity`` and ``-Infinity``, which Python's clients write, are numbers.

    Raises:
        RequestError: it is not JSON.
    """
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if b"NaN" in body or b"Infinity" in body:
            try:
                return json.loads(body)
            except (ValueError, RecursionError):
                pass
        raise RequestError(f"the body is not JSON: {error}") from None
    except RecursionError:
        raise RequestError("the body is nested too deeply") from None


def encode_exactly(value: Any) -> bytes:
    """The JSON of a value, in which numbers that JSON lacks are the texts ``NaN``, ``Infinity`` and ``-Infinity``."""
    text = encode(value)
    return encode(with_texts(value)) if b"null" in text else text


def with_texts(value: Any) -> Any:
    """The value, with texts in place of the numbers that JSON lacks."""
    if isinstance(value, float):
        return value if math.isfinite(value) else "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {name: with_texts(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [with_texts(part) for part in value]
    return value


def flat(value: Any) -> Iterator[Any]:
    """The elements of a list or tensor, in row-major order."""
    for part in value:
        if isinstance(part, (list, tuple)):
            yield from flat(part)
        else:
            yield part
