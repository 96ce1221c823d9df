"""The places that a store can be in: a local directory, or anything that fsspec writes."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from leapstream.bundle.writer import write_atomically
from leapstream.errors import StoreError
from leapstream.fetching.options import SourceOptions
from leapstream.fetching.remote import Remote
from leapstream.fetching.uri import display, local_path, scheme_of

_WITHOUT_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


class Place(Protocol):
    """A directory of files. Their paths are relative to it, with ``/`` between the parts."""

    def read(self, path: str, limit: int) -> bytes | None:
        """The content of a file of at most ``limit`` bytes; ``None`` if it is not there."""

    def names(self, path: str = "") -> list[str]:
        """The names of the files and directories directly below a directory; empty if it is not there."""

    def create(self, path: str, data: bytes) -> bool:
        """Write a file if there is none of this name, whole or not at all; returns false if there is."""

    def replace(self, path: str, data: bytes) -> None:
        """Write a file in the place of the one that may be there; readers see the one or the other."""

    def upload(self, source: Path, path: str) -> None:
        """Copy a local file."""

    def remove(self, path: str) -> None:
        """Remove a file, if it is there."""


class LocalPlace:
    """A local directory, which the first file creates.

    Raises:
        StoreError: by each method, if the file system does not do it; with the path and the reason.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, path: str, limit: int) -> bytes | None:
        with self._explained(path):
            try:
                with (self._root / path).open("rb") as stream:
                    data = stream.read(limit + 1)
            except (FileNotFoundError, NotADirectoryError):
                return None
        if len(data) > limit:
            raise StoreError(f"{self._root / path}: more than {limit} bytes")
        return data

    def names(self, path: str = "") -> list[str]:
        with self._explained(path):
            try:
                return sorted(entry.name for entry in (self._root / path).iterdir())
            except (FileNotFoundError, NotADirectoryError):
                return []

    def create(self, path: str, data: bytes) -> bool:
        with self._explained(path), self._whole(path, data) as written:
            try:
                os.link(written, self._root / path)
            except FileExistsError:
                return False
            except OSError as error:
                if error.errno not in _WITHOUT_LINKS:
                    raise
                return self._create_directly(self._root / path, data)
            return True

    def _create_directly(self, target: Path, data: bytes) -> bool:
        """Write a file where there are no hard links; a reader may see a part of it for a moment."""
        try:
            with target.open("xb") as stream:
                stream.write(data)
        except FileExistsError:
            return False
        return True

    def replace(self, path: str, data: bytes) -> None:
        with self._explained(path):
            target = self._root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target, data)

    def upload(self, source: Path, path: str) -> None:
        with self._explained(path):
            target = self._root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)

    def remove(self, path: str) -> None:
        with self._explained(path):
            target = self._root / path
            target.unlink(missing_ok=True)
            # A directory that still holds something stays.
            with contextlib.suppress(OSError):
                target.parent.rmdir()

    @contextlib.contextmanager
    def _whole(self, path: str, data: bytes) -> Iterator[Path]:
        """A temporary file with this content beside the path."""
        target = self._root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        written = target.with_name(f".{uuid.uuid4().hex}.partial")
        try:
            with written.open("xb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            yield written
        finally:
            written.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _explained(self, path: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(f"{self._root / path}: {error.strerror or error}") from error


def place_of(uri: str | os.PathLike[str], options: SourceOptions) -> Place:
    """The place that a path or URI names.

    Raises:
        SourceError: there is no driver for it, or the URI is malformed.
    """
    path = local_path(uri)
    if path is not None:
        if isinstance(uri, str) and scheme_of(uri) == "jar":
            raise StoreError(f"{display(uri)}: a store is a directory, and not in an archive")
        return LocalPlace(path)
    return Remote(str(uri), options)
