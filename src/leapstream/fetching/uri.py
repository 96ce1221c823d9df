"""Tells local paths from URIs, and shows URIs without the secrets in them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from leapstream.errors import SourceError

# Hadoop writes hdfs:/path for the default name node, and MLflow models:/name; every other remote scheme needs "//".
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+):(?P<rest>.*)", re.DOTALL)
_WITHOUT_SLASHES = frozenset({"file", "jar", "hdfs"})
_MODELS = "models:/"


def scheme_of(location: str) -> str | None:
    """The lower-case scheme of a URI, or ``None`` for a plain path (``C:\\x`` and ``a:b.zip`` are plain paths)."""
    match = _SCHEME.fullmatch(location)
    if match is None:
        return None
    scheme = match["scheme"].lower()
    if match["rest"].startswith("//") or scheme in _WITHOUT_SLASHES or location.startswith(_MODELS):
        return scheme
    return None


def local_path(location: str | os.PathLike[str]) -> Path | None:
    """The path that a plain path, ``file:`` or ``jar:file:`` URI names, or ``None`` when it is remote.

    Raises:
        SourceError: a ``jar:`` URI of something that is not a file, a ``file:`` URI of another host, or a chained URI.
    """
    if not isinstance(location, str):
        return Path(location)
    if len(_links(location)) > 1:
        raise SourceError(f"{display(location)}: chained URIs are not supported; name the last link alone")
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
            host = host.rpartition("@")[2]
            raise SourceError(f"{display(location)}: a file URI must name this machine, not {host!r}")
        rest = slash + path
    return Path(unquote(rest))


def display(location: str) -> str:
    """The URI with ``***`` for each part that may be a secret.

    These are the user information before ``@``, the values of the query, where pre-signed URLs have their signatures, and the
    fragment. A chained URI (``a::b://…``) is shown link by link.
    """
    return "::".join(_URI.sub(_shown, link) for link in _links(location))


def redacted(text: str, location: str, options: Mapping[str, Any] | None = None) -> str:
    """A message without the secrets of a URI and of storage options, however a driver has quoted them.

    Args:
        text: the message.
        location: the URI that the message is about.
        options: storage options; the texts under keys such as ``token``, ``secret`` or ``password`` are secrets.
    """
    text = text.replace(location, display(location))
    text = _URI_IN_TEXT.sub(lambda found: display(found[0]), text)
    for secret in sorted(_secrets(location) | _option_secrets(options or {}), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def cause_without_secrets(error: BaseException, location: str, options: Mapping[str, Any]) -> BaseException | None:
    """The error as the cause of another one, or ``None`` if a traceback of it would show secrets; see :func:`redacted`."""
    link: BaseException | None = error
    seen: set[int] = set()
    while link is not None and id(link) not in seen:
        if redacted(str(link), location, options) != str(link):
            return None
        seen.add(id(link))
        link = link.__cause__ or link.__context__
    return error


_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+:/+)(.*)", re.DOTALL)
_URI_IN_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/+[^\s'\"<>,;)\]}]+")
_CHAIN = re.compile(r"::(?=[A-Za-z][A-Za-z0-9+.-]*:/)")
_SECRET_KEY = re.compile(
    r"key|token|secret|passw|credential|sas|auth|cookie|signature|connection_string", re.IGNORECASE
)
# Shorter values are in any text.
_SHORTEST = 4


def _links(location: str) -> list[str]:
    return _CHAIN.split(location)


def _parts(rest: str) -> tuple[str, str, str, str]:
    """Splits what follows ``scheme://`` into user information, host with path, query and fragment, each without its mark."""
    base, _, fragment = rest.partition("#")
    base, _, query = base.partition("?")
    authority = base.partition("/")[0]
    port = authority.rpartition(":")
    # A password may hold "/", "@", "?" and "#": what looks like a port is then no number.
    if "@" not in authority and port[1] and not port[2].isdecimal() and not port[2].startswith("[") and "@" in rest:
        base, query, fragment = rest, "", ""
        authority = base
    user, at, _ = authority.rpartition("@")
    return (user, base[len(user) + 1 :], query, fragment) if at else ("", base, query, fragment)


def _shown(found: re.Match[str]) -> str:
    # In MLflow's models:/name@alias there is no user.
    return found[0] if found[1] == _MODELS else found[1] + _without_secrets(found[2])


def _without_secrets(rest: str) -> str:
    user, base, query, fragment = _parts(rest)
    hidden = "&".join(
        name + "=***" if mark else "***" for name, mark, _ in (p.partition("=") for p in query.split("&"))
    )
    return ("***@" if user else "") + base + ("?" + hidden if query else "") + ("#***" if fragment else "")


def _secrets(location: str) -> set[str]:
    found: set[str] = set()
    for link in _links(location):
        uri = _URI.search(link)
        if uri is not None and uri[1] != _MODELS:
            user, _, query, fragment = _parts(uri[2])
            values = [part.partition("=")[2] or part for part in query.split("&")]
            found.update((user, *user.split(":", 1), fragment, *values))
    return {form for secret in found for form in (secret, unquote(secret)) if len(form) >= _SHORTEST}


def _option_secrets(options: Mapping[str, Any], secret: bool = False) -> set[str]:
    found: set[str] = set()
    for name, value in options.items():
        hidden = secret or _SECRET_KEY.search(str(name)) is not None
        if isinstance(value, Mapping):
            found |= _option_secrets(value, hidden)
        elif hidden and isinstance(value, str) and len(value) >= _SHORTEST:
            found.add(value)
    return found


def entry_name(location: str) -> str:
    """A file name for the cache, taken from the last part of the URI; safe on every platform."""
    parts = urlsplit(location)
    last = unquote(parts.path.rstrip("/").rpartition("/")[2] or parts.hostname or "")
    return re.sub(r"[^A-Za-z0-9._-]", "_", last).lstrip(".")[-100:] or "bundle"
