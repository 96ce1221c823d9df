"""Checksums of files and bundles, and keys made of texts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from leapstream.errors import SourceError


def cache_key(*parts: str) -> str:
    """A file-name-safe key of the parts, in their order."""
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
    return digest.hexdigest()[:40]


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def sha256_of_bundle(path: Path) -> str:
    """SHA-256 of a bundle: of the file, or of the names and contents of a directory's files."""
    if path.is_file():
        return sha256_of(path)
    return sha256_of_files({f.relative_to(path).as_posix(): f.read_bytes() for f in path.rglob("*") if f.is_file()})


def sha256_of_files(files: Mapping[str, bytes]) -> str:
    """SHA-256 of the names and contents of files, in hexadecimal."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode())
        digest.update(files[name])
    return digest.hexdigest()


def verify(shown: str, actual: str, expected: str | None) -> None:
    """Compare a checksum with the expected one, if there is one.

    Raises:
        SourceError: they differ; the message begins with ``shown``.
    """
    if expected is not None and actual != expected:
        raise SourceError(f"{shown}: sha256 is {actual}, but {expected} was expected")
