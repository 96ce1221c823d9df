"""The local cache: entries appear whole or not at all, whatever is killed and however many processes share it.

Layout below the cache directory::

    entries/<key>/<name>       a fetched bundle (file or directory); complete as soon as <key> exists
    digests/<key>.json         the SHA-256 of each file of the entry, by its path; written before the entry appears
    partial/<key>.<random>     a fetch under way, written only by the holder of the key's lock
    locks/<key>.lock           one lock per key

An entry is used only if all of it belongs to this user and still has these digests. What somebody else has put there, or altered,
is fetched again.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from leapstream.fetching.digests import sha256_of


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


def _make_private(directory: Path) -> None:
    """Create a directory for this user only, or take the write permission of others from one that is there.

    Raises:
        PermissionError: it is a link, or belongs to another user.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = directory.lstat()
    if stat.S_ISLNK(state.st_mode):
        raise PermissionError(f"{directory} is a link; name a directory of your own as the cache")
    # Windows keeps permissions elsewhere.
    if os.name == "posix":
        if state.st_uid != os.geteuid():
            raise PermissionError(f"{directory} belongs to another user; name a directory of your own as the cache")
        if state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            directory.chmod(stat.S_IMODE(state.st_mode) & ~(stat.S_IWGRP | stat.S_IWOTH))


class Cache:
    """A directory of fetched bundles, which this user alone writes to.

    Args:
        directory: created when it does not exist.

    Raises:
        PermissionError: the directory, or a part of it, is a link or belongs to another user.
    """

    def __init__(self, directory: Path) -> None:
        directory = directory.resolve()
        self._entries = directory / "entries"
        self._digests = directory / "digests"
        self._partial = directory / "partial"
        self._locks = directory / "locks"
        for part in (directory, self._entries, self._digests, self._partial, self._locks):
            _make_private(part)

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

    def is_intact(self, key: str) -> bool:
        """True if the entry is there, as it was published, and belongs to this user. Needs the key's lock."""
        try:
            expected = json.loads(self._digest_path(key).read_bytes())
            return bool(_digests(self._entries / key) == expected)
        except (OSError, ValueError):
            return False

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
        digests = self._digest_path(key)
        written = digests.with_suffix(".new")
        written.write_text(json.dumps(_digests(partial)), encoding="utf-8")
        sync_file(written)
        written.replace(digests)
        for directory, _, _ in os.walk(partial):
            _sync_directory(Path(directory))
        partial.replace(self._entries / key)
        _sync_directory(self._entries)

    def discard(self, key: str) -> None:
        """Remove an entry: out of sight in one step, then from the disk. Needs the key's lock."""
        if os.path.lexists(self._entries / key):
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

    def _digest_path(self, key: str) -> Path:
        return self._digests / f"{key}.json"


def _digests(root: Path) -> dict[str, str]:
    """The SHA-256 of each file below a directory, by its path.

    Raises:
        PermissionError: something there is neither a file nor a directory, or belongs to another user.
    """
    found: dict[str, str] = {}
    for place in (root, *sorted(root.rglob("*"))):
        state = place.lstat()
        plain = stat.S_ISDIR(state.st_mode) or stat.S_ISREG(state.st_mode)
        if not plain or (os.name == "posix" and state.st_uid != os.geteuid()):
            raise PermissionError(f"{place} is not a file or directory of this user")
        if stat.S_ISREG(state.st_mode):
            # Names of objects may be no valid text.
            found[ascii(place.relative_to(root).as_posix())] = sha256_of(place)
    return found
