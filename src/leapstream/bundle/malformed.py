"""Checks for decoders of untrusted files, and :func:`decoding`, which turns any of their exceptions into a ``BundleError``."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from leapstream.errors import BundleError


class MalformedError(ValueError):
    """A decoder's error; :func:`decoding` turns it into a ``BundleError`` with the file's name."""


@contextmanager
def decoding(where: str) -> Iterator[None]:
    """Turn any exception that decoding untrusted bytes may raise into a ``BundleError`` that begins with ``where``."""
    try:
        yield
    except BundleError:
        raise
    except MalformedError as error:
        raise BundleError(f"{where}: {error}") from None
    except json.JSONDecodeError as error:
        raise BundleError(f"{where}: not JSON: {error}") from None
    except UnicodeError as error:
        raise BundleError(f"{where}: not UTF-8 text: {error}") from None
    except RecursionError:
        raise BundleError(f"{where}: nested too deeply") from None
    except MemoryError:
        raise BundleError(f"{where}: asks for more memory than there is") from None
    except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, EOFError, struct.error) as error:
        raise BundleError(f"{where}: {type(error).__name__}: {error}") from error


def parse_json(data: bytes) -> Any:
    """Parse JSON in UTF-8, with or without a byte-order mark; ``NaN`` and ``Infinity`` are accepted as numbers.

    Raises:
        ValueError: ``data`` is not JSON, or a string holds a lone surrogate, which UTF-8 cannot encode.
    """
    surrogates = b"\\ud" in data or b"\\uD" in data
    text = data.decode("utf-8-sig")
    # The caller may have no other use for a large file.
    del data
    value = json.loads(text)
    if surrogates:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value


def fields_of(value: Any, what: str) -> dict[str, Any]:
    """Return ``value``, or raise a ``MalformedError`` if it is not a JSON object; ``what`` names it in the message."""
    if not isinstance(value, dict):
        raise MalformedError(f"{what} is {describe(value)}, not an object")
    return value


def items_of(value: Any, what: str) -> list[Any]:
    """Return ``value``, or raise a ``MalformedError`` if it is not a JSON array; ``what`` names it in the message."""
    if not isinstance(value, list):
        raise MalformedError(f"{what} is {describe(value)}, not an array")
    return value


def text_of(value: Any, what: str) -> str:
    """Return ``value``, or raise a ``MalformedError`` if it is not a JSON string; ``what`` names it in the message."""
    if not isinstance(value, str):
        raise MalformedError(f"{what} is {describe(value)}, not a string")
    return value


def first_repeated(names: Iterable[str]) -> str | None:
    """The first of some names that occurs a second time; ``None`` if none does."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def describe(value: Any) -> str:
    """A short form of a JSON value, for messages."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
