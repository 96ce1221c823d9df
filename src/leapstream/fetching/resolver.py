"""From the place of a bundle to a local path of it."""

from __future__ import annotations

import os
import re
from pathlib import Path

from leapstream.errors import BundleError, SourceError
from leapstream.fetching.digests import sha256_of, verify
from leapstream.fetching.options import SourceOptions
from leapstream.fetching.uri import cause_without_secrets, display, local_path, redacted, scheme_of


def resolve(uri: str | os.PathLike[str], *, sha256: str | None = None, options: SourceOptions | None = None) -> Path:
    """A local path of the bundle at ``uri``; a remote one is fetched into the cache first.

    A cached bundle is used only after the store has confirmed that the object is still the same (by its etag,
    checksum, generation, or modification time with size). Where the store gives none of these, the object is fetched
    each time. Safe to call from several threads and processes at once.

    Args:
        uri: a path, a ``file:`` or ``jar:file:`` URI, or a URI of any protocol that fsspec knows, such as those of
            :data:`leapstream.fetching.schemes.STORES`. Either a zip file or a directory with a ``bundle.json``. Or a model in
            MLflow's registry, such as ``models:/name@alias``.
        sha256: the SHA-256 of the zip file, in hexadecimal; verified before the path is given.
        options: time-out, retries, cache directory and limits of remote sources.

    Returns:
        The local file or directory. It is the cache's own for a remote source: do not change it.

    Raises:
        SourceError: the bundle cannot be had; the message names the URI and the reason.
        BundleError: the model in MLflow's registry has no bundle.
    """
    location = uri if isinstance(uri, str) else os.fspath(uri)
    expected = None if sha256 is None else sha256.strip().lower()
    if expected is not None and not re.fullmatch("[0-9a-f]{64}", expected):
        raise SourceError(f"{display(location)}: sha256 must be 64 hexadecimal digits, not {sha256!r}")
    if not location:
        raise SourceError("the path or URI of the bundle is empty")
    path = local_path(uri)
    try:
        if path is not None:
            return _local(path, expected)
        # What fetches takes as long to import as many a local bundle takes to load.
        from leapstream.fetching.registered import SCHEME, fetch_registered
        from leapstream.fetching.stored import fetch_stored

        if scheme_of(location) == SCHEME:
            bundle = fetch_registered(location, options or SourceOptions())
            if expected is not None:
                verify(display(location), sha256_of(bundle), expected)
            return bundle
        return fetch_stored(location, expected, options or SourceOptions())
    except (SourceError, BundleError):
        raise
    # A full disk, a cache that cannot be written, a null byte in a path, …: whatever it is, the caller needs the URI.
    except Exception as error:
        stored = (options or SourceOptions()).storage_options
        message = redacted(f"{location}: {type(error).__name__}: {error}", location, stored)
        raise SourceError(message) from cause_without_secrets(error, location, stored)


def _local(path: Path, expected: str | None) -> Path:
    if not path.exists():
        raise SourceError(f"{path}: no such file or directory")
    if expected is not None:
        if path.is_dir():
            raise SourceError(f"{path}: is a directory; sha256 can be verified for zip files only")
        verify(str(path), sha256_of(path), expected)
    return path
