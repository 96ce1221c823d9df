"""The runtime jar: all hand-written Java classes, compiled once for an installation of leapstream and a version of Flink.

An installed wheel brings the jar. Else it is compiled into the user's cache, ``java`` below the cache directory, where every
process of the user finds it. A jar is code, so one from a place that others can write is never used; then each process
compiles one for itself.
"""

from __future__ import annotations

import atexit
import hashlib
import logging
import os
import re
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from leapstream.errors import BackendError, BundleError
from leapstream.executors.jvm.jar import version_attributes, write_jar
from leapstream.executors.jvm.sources import DRIFT, FUNCTIONS, KERNELS, LIVE, PROVIDERS, abi, java_sources
from leapstream.installation import CACHE_DIR_VARIABLE, VERSION, cache_directory

_log = logging.getLogger(__name__)

BROUGHT = Path(__file__).with_name("jars")
"""The directory of the jars that an installed wheel brings."""

FIRST_WITH_MODELS = (2, 1)
"""Major and minor version of the first Flink that has ``CREATE MODEL`` and process table functions."""
_LOCK_SECONDS = 120.0
_KEPT = 5
"""Jars that stay in the cache when one is added: those used last, of other versions of leapstream or Flink."""

Compile = Callable[[Mapping[str, str]], Mapping[str, bytes]]
"""Compiles Java sources by fully qualified name of the class; gives class files by name."""


@dataclass(frozen=True)
class RuntimeJar:
    """A runtime jar that is there.

    Attributes:
        path: the file.
        origin: ``wheel``, which brought it, the user's ``cache``, or this ``process``, which compiled it for itself.
    """

    path: Path
    origin: Literal["wheel", "cache", "process"]

    def classes(self) -> dict[str, bytes]:
        """Its class files, by name."""
        with zipfile.ZipFile(self.path) as jar:
            return {name: jar.read(name) for name in jar.namelist() if name.endswith(".class")}


# ---- one jar ----------------------------------------------------------------------------------------------------------


def jar_name(flink: str) -> str:
    """The file name of the jar for a version of Flink; it has all that the contents depend on."""
    safe = re.sub(r"[^\w.-]", "_", flink)
    return f"leapstream-runtime-{VERSION}-flink{safe}-abi{abi()}-{_digest()}.jar"


def wheel_jar_name(flink: str) -> str:
    """The file name in a wheel, whose jar serves all versions of Flink that differ in their third part alone."""
    return jar_name(".".join(map(str, _minor(flink))))


def write_runtime_jar(path: Path, flink: str, compile_sources: Compile) -> None:
    """Compile the hand-written classes into a jar. The same sources and version of Flink give the same bytes.

    Raises:
        BackendError: a source does not compile, or the jar cannot be written.
    """
    packages = [KERNELS, FUNCTIONS, LIVE, DRIFT]
    if _minor(flink) >= FIRST_WITH_MODELS:
        packages.append(PROVIDERS)
    sources = {name: source for package in packages for name, source in java_sources(package).items()}
    write_jar(path, compile_sources(sources), {}, version_attributes(VERSION), compressed=False)


@cache
def _digest() -> str:
    digest = hashlib.sha256()
    for package in (KERNELS, FUNCTIONS, LIVE, DRIFT, PROVIDERS):
        for name, source in java_sources(package).items():
            digest.update(f"{name}\0{len(source)}\0{source}".encode())
    return digest.hexdigest()[:16]


def _minor(flink: str) -> tuple[int, int]:
    """Major and minor version; a build of Flink that has no version counts as a new one."""
    match = re.match(r"(\d+)\.(\d+)", flink)
    return (int(match[1]), int(match[2])) if match else FIRST_WITH_MODELS


# ---- where it is ------------------------------------------------------------------------------------------------------


def find_runtime_jar(flink: str) -> RuntimeJar | None:
    """The jar for a version of Flink that the wheel brought or the cache has; ``None`` where it has to be compiled."""
    brought = BROUGHT / wheel_jar_name(flink)
    if brought.is_file():
        return RuntimeJar(brought, "wheel")
    cached = runtime_jar_directory() / jar_name(flink)
    if untrusted(cached) is None and zipfile.is_zipfile(cached):
        # The time of the last use: the jars that were used longest ago are removed.
        with suppress(OSError):
            os.utime(cached)
        return RuntimeJar(cached, "cache")
    return None


def ensure_runtime_jar(flink: str, compile_sources: Compile) -> RuntimeJar:
    """The jar for a version of Flink, compiled where there is none. Safe to call in several processes at once.

    Raises:
        BackendError: a source does not compile.
        BundleError: no temporary directory can be made.
    """
    found = find_runtime_jar(flink)
    if found is not None:
        return found
    folder = runtime_jar_directory()
    try:
        _make_private(folder)
        reason = untrusted(folder)
        if reason is None:
            with FileLock(folder / f"{jar_name(flink)}.lock", timeout=_LOCK_SECONDS):
                # Another process may have compiled it meanwhile.
                found = find_runtime_jar(flink)
                if found is None:
                    path = folder / jar_name(flink)
                    path.unlink(missing_ok=True)
                    write_runtime_jar(path, flink, compile_sources)
                    path.chmod(0o600)
                    found = RuntimeJar(path, "cache")
                    _remove_old(folder)
                return found
    except (OSError, Timeout) as error:
        reason = str(error)
    except BackendError as error:
        # A disk that is full, say; or else a source that does not compile.
        if not isinstance(error.__cause__, OSError):
            raise
        reason = str(error)
    _warn(folder, reason)
    path = process_directory() / jar_name(flink)
    if not path.is_file():
        write_runtime_jar(path, flink, compile_sources)
    return RuntimeJar(path, "process")


def runtime_jar_directory() -> Path:
    """The directory of the jars in the user's cache; it need not exist."""
    return cache_directory().resolve() / "java"


def _remove_old(folder: Path) -> None:
    """Remove the jars that were used longest ago; a process that needs one again compiles it."""
    # Another process may remove them at the same time.
    with suppress(OSError):
        jars = sorted(folder.glob("leapstream-runtime-*.jar"), key=lambda path: path.stat().st_mtime_ns)
        for path in jars[:-_KEPT]:
            path.unlink(missing_ok=True)
            path.with_name(f"{path.name}.lock").unlink(missing_ok=True)


def _make_private(folder: Path) -> None:
    """Make a directory and those above it, for this user alone whatever the umask."""
    for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)


@cache
def _warn(folder: Path, reason: str) -> None:
    """Say once why the cache is not used."""
    _log.warning(
        "leapstream compiles its Java classes in each process, since it cannot keep them in %s: %s. "
        "The environment variable %s names another place",
        folder,
        reason,
        CACHE_DIR_VARIABLE,
    )


# ---- whose it is ------------------------------------------------------------------------------------------------------


def untrusted(path: Path) -> str | None:
    """The reason for which another user, except root, may have written a file or the files of a directory; ``None`` if none may.

    A path that does not exist is untrusted.
    """
    if os.name != "posix":
        return "this platform does not say who can write there"
    try:
        return next(_objections(path), None)
    except OSError as error:
        return str(error)


def _objections(path: Path) -> Iterator[str]:
    for place in (path, *path.parents):
        state = place.lstat()
        if stat.S_ISLNK(state.st_mode):
            yield f"{place} is a symbolic link"
        if state.st_uid not in (0, os.geteuid()):
            yield f"{place} belongs to another user"
        # In a directory like /tmp nobody can move what belongs to others.
        shared = place != path and place != path.parent and state.st_mode & stat.S_ISVTX
        if state.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not shared:
            yield f"others can write to {place}"


# ---- this process -----------------------------------------------------------------------------------------------------

_directory: Path | None = None


def process_directory() -> Path:
    """Directory of this process's jars; it is removed when the process ends.

    Raises:
        BundleError: no temporary directory can be made.
    """
    global _directory
    if _directory is None or not _directory.is_dir():
        try:
            _directory = Path(tempfile.mkdtemp(prefix="leapstream-"))
        except OSError as error:
            raise BundleError(f"no temporary directory for jars: {error}") from error
        atexit.register(shutil.rmtree, _directory, ignore_errors=True)
    return _directory


__all__ = [
    "BROUGHT",
    "FIRST_WITH_MODELS",
    "RuntimeJar",
    "ensure_runtime_jar",
    "find_runtime_jar",
    "jar_name",
    "process_directory",
    "runtime_jar_directory",
    "untrusted",
    "wheel_jar_name",
    "write_runtime_jar",
]
