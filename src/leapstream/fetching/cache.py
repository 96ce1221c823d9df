"""The local cache: entries appear whole or not at all, whatever is killed and however many processes share it.

Layout below the cache directory::

    entries/<key>/<name>       a fetched bundle (file or directory); complete as soon as <key> exists
    partial/<key>.<random>     a fetch under way, written only by the holder of the key's lock
    locks/<key>.lock           one lock per key
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout


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


def sync_file(path: Path) -> None:
    """Flush a file's content to the disk."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def _sync_directory(path: Path) -> None:
    # Windows cannot open directories, nor does it need this.
    if os.name == "posix":
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class Cache:
    """A directory of fetched bundles.

    Args:
        directory: created, for this user only, when it does not exist.
    """

    def __init__(self, directory: Path) -> None:
        self._entries = directory / "entries"
        self._partial = directory / "partial"
        self._locks = directory / "locks"
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for part in (self._entries, self._partial, self._locks):
            part.mkdir(mode=0o700, exist_ok=True)

    @contextlib.contextmanager
    def locked(self, key: str, timeout: float) -> Iterator[None]:
        """Hold the key's lock, against other threads and processes.

        Raises:
            TimeoutError: the lock was not free within ``timeout`` seconds.
        """
        lock = FileLock(self._lock_path(key))
        try:
            lock.acquire(timeout=timeout)
        except Timeout as error:
            raise TimeoutError(f"another process still held {lock.lock_file} after {timeout:.0f} s") from error
        try:
            yield
        finally:
            lock.release()

    def path(self, key: str, name: str) -> Path:
        """The path that the entry of this key has, or will have."""
        return self._entries / key / name

    @contextlib.contextmanager
    def partial(self, key: str) -> Iterator[Path]:
        """A new directory to fetch into; removed at the end unless :meth:`publish` moved it. Needs the key's lock."""
        directory = Path(tempfile.mkdtemp(prefix=f"{key}.", dir=self._partial))
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def publish(self, partial: Path, key: str) -> None:
        """Make a fetched directory the entry of ``key``, in one step. The caller has flushed the files in it."""
        for directory, _, _ in os.walk(partial):
            _sync_directory(Path(directory))
        partial.replace(self._entries / key)
        _sync_directory(self._entries)

    def discard(self, key: str) -> None:
        """Remove an entry: out of sight in one step, then from the disk. Needs the key's lock."""
        if (self._entries / key).exists():
            with self.partial(key) as directory:
                (self._entries / key).replace(directory / "discarded")

    def sweep(self) -> None:
        """Remove what killed processes have left behind: partial directories whose key nobody has locked."""
        for leftover in self._partial.iterdir():
            lock = FileLock(self._lock_path(leftover.name.partition(".")[0]))
            with contextlib.suppress(Timeout), lock.acquire(timeout=0):
                shutil.rmtree(leftover, ignore_errors=True)

    def _lock_path(self, key: str) -> Path:
        return self._locks / f"{key}.lock"
