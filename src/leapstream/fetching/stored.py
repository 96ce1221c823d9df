"""Fetches bundles of remote stores into the cache."""

from __future__ import annotations

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial as bind
from pathlib import Path, PurePosixPath

from leapstream.errors import SourceError
from leapstream.fetching.cache import Cache
from leapstream.fetching.digests import cache_key, sha256_of, verify
from leapstream.fetching.options import SourceOptions
from leapstream.fetching.remote import LONGEST_PAUSE, ChangedError, Remote, RemoteFile, TooLargeError
from leapstream.fetching.uri import display, entry_name

# Bundles that are directories hold many small files; one at a time, the round trips would add up.
_PARALLEL_FETCHES = 8


def fetch_stored(uri: str, expected: str | None, options: SourceOptions) -> Path:
    """The path in the cache of a bundle in a remote store; see :func:`~leapstream.fetching.resolver.resolve`.

    Raises:
        SourceError: the bundle cannot be had, or its SHA-256 is not the ``expected`` one.
    """
    remote = Remote(uri, options)
    cache = Cache(options.cache_path())
    cache.sweep()
    tries = options.retries + 1
    while True:
        found = remote.info()
        if found.is_directory and expected is not None:
            raise SourceError(f"{display(uri)}: is a directory; sha256 can be verified for zip files only")
        try:
            if found.is_directory:
                return _directory(remote, cache, options)
            return _file(remote, found, cache, expected, options)
        except ChangedError as error:
            tries -= 1
            if tries == 0:
                raise remote.failure(error) from error


def _file(remote: Remote, found: RemoteFile, cache: Cache, expected: str | None, options: SourceOptions) -> Path:
    name = entry_name(remote.uri)
    key = cache_key("file", remote.uri, found.fingerprint or "unknown")
    with cache.locked(key, _patience(options, files=1)):
        intact = found.fingerprint is not None and cache.is_intact(key)
        if intact and (expected is None or sha256_of(cache.path(key, name)) == expected):
            return cache.path(key, name)
        cache.discard(key)
        with cache.partial(key) as directory:
            target = directory / name
            remote.fetch(found, target, options.max_size)
            if found.fingerprint is not None and remote.info().fingerprint != found.fingerprint:
                raise ChangedError("the object was replaced while it was fetched, time and again")
            actual = sha256_of(target) if expected is not None or found.fingerprint is None else ""
            verify(display(remote.uri), actual, expected)
            if found.fingerprint is None:
                key = cache_key("content", remote.uri, actual)
            if not cache.is_intact(key):
                cache.discard(key)
                cache.publish(directory, key)
    return cache.path(key, name)


def _directory(remote: Remote, cache: Cache, options: SourceOptions) -> Path:
    files = _listing(remote, options)
    name = entry_name(remote.uri)
    fingerprint = _fingerprint(files)
    key = cache_key("directory", remote.uri, fingerprint or "unknown")
    with cache.locked(key, _patience(options, len(files))):
        if fingerprint is not None and cache.is_intact(key):
            return cache.path(key, name)
        cache.discard(key)
        with cache.partial(key) as directory:
            _fetch_all(remote, files, directory / name, options)
            if fingerprint is not None and _fingerprint(_listing(remote, options)) != fingerprint:
                raise ChangedError("the directory was changed while it was fetched, time and again")
            if fingerprint is None:
                key = cache_key("content", remote.uri, _content(files, directory / name))
            if not cache.is_intact(key):
                cache.discard(key)
                cache.publish(directory, key)
    return cache.path(key, name)


def _listing(remote: Remote, options: SourceOptions) -> dict[PurePosixPath, RemoteFile]:
    files: dict[PurePosixPath, RemoteFile] = {}
    prefix = remote.root + "/"
    for file in remote.find():
        # Object stores may list a placeholder for the directory itself, and for those within it.
        if file.path.startswith(prefix) and not file.path.endswith("/"):
            files[_relative(remote, file.path[len(prefix) :])] = file
    if PurePosixPath("bundle.json") not in files:
        raise SourceError(f"{display(remote.uri)}: the directory holds no bundle.json")
    if options.max_files is not None and len(files) > options.max_files:
        raise remote.failure(TooLargeError(f"{len(files)} files, more than max_files = {options.max_files}"))
    total = sum(file.size or 0 for file in files.values())
    if options.max_size is not None and total > options.max_size:
        raise remote.failure(TooLargeError(f"{total} bytes, more than max_size = {options.max_size}"))
    return files


def _relative(remote: Remote, name: str) -> PurePosixPath:
    # Names of objects are free text: only those that stay below the directory on every platform are taken.
    if re.search(r"[\\:\x00]", name) or any(part in ("", ".", "..") for part in name.split("/")):
        raise SourceError(f"{display(remote.uri)}: unsafe object name {name!r}")
    return PurePosixPath(name)


def _fingerprint(files: dict[PurePosixPath, RemoteFile]) -> str | None:
    parts: list[str] = []
    for path, file in sorted(files.items()):
        if file.fingerprint is None:
            return None
        parts += [str(path), file.fingerprint]
    return cache_key(*parts)


def _fetch_all(remote: Remote, files: dict[PurePosixPath, RemoteFile], root: Path, options: SourceOptions) -> None:
    with ThreadPoolExecutor(_PARALLEL_FETCHES) as pool:
        futures = []
        for path, file in files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            futures.append(pool.submit(bind(remote.fetch, file, target, options.max_size)))
        try:
            for future in futures:
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    # Only where the store does not tell sizes can this be more than the listing announced.
    total = sum((root / path).stat().st_size for path in files)
    if options.max_size is not None and total > options.max_size:
        raise remote.failure(TooLargeError(f"{total} bytes, more than max_size = {options.max_size}"))


def _content(files: dict[PurePosixPath, RemoteFile], root: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path}\0{sha256_of(root / path)}\n".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _patience(options: SourceOptions, files: int) -> float:
    # The longest that another process with the same options may hold the lock: its fetches, and two look-ups.
    requests = 2 + files
    return requests * ((options.retries + 1) * options.timeout + options.retries * LONGEST_PAUSE)
