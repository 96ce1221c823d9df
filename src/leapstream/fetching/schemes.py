"""The remote stores that leapstream reads bundles from: loaders, messages, ``doctor`` and the docs take their lists from here."""

from __future__ import annotations

from dataclasses import dataclass

_AIOHTTP = (
    ("aiohttp.client_exceptions", "ClientConnectionError"),
    ("aiohttp.client_exceptions", "ClientPayloadError"),
)
_REQUESTS = (
    ("requests.exceptions", "ConnectionError"),
    ("requests.exceptions", "ChunkedEncodingError"),
    ("requests.exceptions", "Timeout"),
)


@dataclass(frozen=True)
class Store:
    """A kind of remote store.

    Attributes:
        source: its name as a ``bundleSource``.
        schemes: the schemes of its URIs.
        extra: the extra of leapstream that brings its driver.
        transient: errors of its driver after which a request is tried again, by module and class: the driver is optional, so
            that its classes cannot be imported to compare with them.
    """

    source: str
    schemes: tuple[str, ...]
    extra: str
    transient: tuple[tuple[str, str], ...]


STORES: tuple[Store, ...] = (
    Store(
        "gcs",
        ("gs", "gcs"),
        "gcs",
        (
            ("gcsfs.retry", "ChecksumError"),
            ("google.auth.exceptions", "TransportError"),
            *_AIOHTTP,
            *_REQUESTS,
        ),
    ),
    Store(
        "s3",
        ("s3", "s3a"),
        "s3",
        (
            ("botocore.exceptions", "ConnectionError"),
            ("botocore.exceptions", "HTTPClientError"),
            ("botocore.exceptions", "IncompleteReadError"),
            *_AIOHTTP,
        ),
    ),
    Store("hdfs", ("hdfs", "webhdfs"), "hdfs", _REQUESTS),
    Store("http", ("http", "https"), "http", _AIOHTTP),
    Store("https", ("https",), "http", _AIOHTTP),
)

TRANSIENT = frozenset(error for store in STORES for error in store.transient)
"""The transient errors of all drivers: a file system of fsspec may stand on another one."""


def store_of(scheme: str) -> Store | None:
    """The store of a scheme; ``None`` for those that only fsspec knows."""
    return next((store for store in STORES if scheme in store.schemes), None)


def schemes_of(extra: str) -> tuple[str, ...]:
    """The schemes whose driver an extra brings."""
    return tuple(dict.fromkeys(scheme for store in STORES if store.extra == extra for scheme in store.schemes))
