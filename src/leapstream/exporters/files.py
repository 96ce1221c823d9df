"""Reads files that other libraries saved, which are untrusted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from leapstream.bundle.malformed import decoding
from leapstream.errors import (
    BundleError,
    ExportError,
    SchemaError,
    SourceError,
    UnsupportedExportError,
    UnsupportedOpError,
)

_MOST_BYTES = 1 << 31


@contextmanager
def exporting(path: Path, sample: Any) -> Iterator[None]:
    """Turn the errors of readers and converters into an ``ExportError`` that names the file.

    A ``SchemaError`` stays one if there is a sample, whose columns may not fit the file.
    """
    causes = (BundleError, UnsupportedOpError) if sample is not None else (BundleError, UnsupportedOpError, SchemaError)
    try:
        with decoding(str(path)):
            yield
    except causes as error:
        text = str(error)
        kind = UnsupportedExportError if isinstance(error, UnsupportedOpError) else ExportError
        raise kind(text if text.startswith(f"{path}: ") else f"{path}: {text}") from error


def read_bytes(path: Path) -> bytes:
    """Read a model file of at most 2 GiB.

    Raises:
        ExportError: the file is larger.
        SourceError: the file cannot be read.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror or error}") from error
    if len(data) > _MOST_BYTES:
        raise ExportError(f"{path}: the file has more than {_MOST_BYTES} bytes")
    return data
