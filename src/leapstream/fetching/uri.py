"""Tells local paths from URIs, and shows URIs without the secrets in them."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from leapstream.errors import SourceError

# Hadoop writes hdfs:/path for the default name node; every other remote scheme needs "//".
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+):(?P<rest>.*)", re.DOTALL)
_WITHOUT_SLASHES = frozenset({"file", "jar", "hdfs"})


def scheme_of(location: str) -> str | None:
    """The lower-case scheme of a URI, or ``None`` for a plain path (``C:\\x`` and ``a:b.zip`` are plain paths)."""
    match = _SCHEME.fullmatch(location)
    if match is None:
        return None
    scheme = match["scheme"].lower()
    return scheme if match["rest"].startswith("//") or scheme in _WITHOUT_SLASHES else None


def local_path(location: str | os.PathLike[str]) -> Path | None:
    """The path that a plain path, ``file:`` or ``jar:file:`` URI names, or ``None`` when it is remote.

    Raises:
        SourceError: a ``jar:`` URI of something that is not a file, or a ``file:`` URI of another host.
    """
    if not isinstance(location, str):
        return Path(location)
    scheme = scheme_of(location)
    if scheme is None:
        return Path(location)
    if scheme == "jar":
        inner = location[len("jar:") :]
        if scheme_of(inner) != "file":
            raise SourceError(f"{display(location)}: jar: is understood before file: only")
        return local_path(inner.partition("!/")[0])
    if scheme != "file":
        return None
    rest = location[len("file:") :]
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        if host not in ("", "localhost"):
            raise SourceError(f"{location}: a file URI must name this machine, not {host!r}")
        rest = slash + path
    return Path(unquote(rest))


def display(location: str) -> str:
    """The URI without password and without the values in its query, where signatures of pre-signed URLs are."""
    shown = re.sub(r"(?<=://)([^/@:]*):[^/@]*@", r"\1:***@", location)
    base, mark, query = shown.partition("?")
    if not mark or "://" not in base:
        return shown
    return f"{base}?{re.sub(r'=[^&#]*', '=***', query)}"


def entry_name(location: str) -> str:
    """A file name for the cache, taken from the last part of the URI; safe on every platform."""
    parts = urlsplit(location)
    last = unquote(parts.path.rstrip("/").rpartition("/")[2] or parts.hostname or "")
    return re.sub(r"[^A-Za-z0-9._-]", "_", last).lstrip(".")[-100:] or "bundle"
