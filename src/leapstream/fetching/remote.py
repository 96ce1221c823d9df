"""Requests to a remote file system through fsspec: every one has a deadline, bounded retries and one kind of error."""

from __future__ import annotations

import asyncio
import concurrent.futures
import errno
import importlib
import os
import socket
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential, wait_random

from leapstream.errors import SourceError
from leapstream.fetching.cache import sync_file
from leapstream.fetching.digests import cache_key
from leapstream.fetching.options import SourceOptions
from leapstream.fetching.schemes import TRANSIENT, store_of
from leapstream.fetching.uri import cause_without_secrets, display, redacted, scheme_of

T = TypeVar("T")

LONGEST_PAUSE = 8.0
_MOST_CREATED = 64 << 20

_TIMEOUTS = (TimeoutError, asyncio.TimeoutError, concurrent.futures.TimeoutError)
_NETWORK_ERRNOS = frozenset(
    {errno.ECONNRESET, errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ETIMEDOUT, errno.EPIPE}
)
# Each store has its own name for what changes with the content; size and time together are the last resort.
_VERSION_FIELDS = ("etag", "contentmd5", "md5hash", "md5", "digest", "crc32c", "generation", "versionid", "checksum")
_TIME_FIELDS = ("lastmodified", "mtime", "modificationtime", "modified", "updated")


class ChangedError(Exception):
    """The object was not the expected one: it was replaced while it was read, or its transfer was cut short."""


class TooLargeError(Exception):
    """An object has more bytes than allowed."""


@dataclass(frozen=True)
class RemoteFile:
    """The description of an object by its store.

    Attributes:
        path: name of the object, as its file system spells it.
        size: bytes of its content, ``None`` when the store does not say or the transfer will decode it.
        fingerprint: changes with the content; ``None`` when the store gives nothing to tell versions apart.
        is_directory: a directory rather than an object.
    """

    path: str
    size: int | None
    fingerprint: str | None
    is_directory: bool

    @classmethod
    def from_info(cls, info: Mapping[str, Any]) -> RemoteFile:
        """Read what ``fsspec`` gives for an object, whichever store it comes from."""
        fields = {name.lower().replace("-", "").replace("_", ""): value for name, value in info.items()}
        size = None if info.get("size") is None or fields.get("contentencoding") else int(info["size"])
        found = [f"{name}={fields[name]}" for name in _VERSION_FIELDS if fields.get(name)]
        times = [f"{name}={fields[name]}" for name in _TIME_FIELDS if fields.get(name)]
        known = bool(found) or (bool(times) and size is not None)
        return cls(
            path=str(info["name"]),
            size=size,
            fingerprint=cache_key(*found, *times, f"size={size}") if known else None,
            is_directory=info.get("type") == "directory",
        )


class Remote:
    """A remote file system, as the URI of a bundle on it names it.

    Args:
        uri: where the bundle is.
        options: time-out, retries and what the driver is given.

    Raises:
        SourceError: the protocol is unknown, its driver is missing, or the driver rejects the options.
    """

    def __init__(self, uri: str, options: SourceOptions) -> None:
        self.uri = uri
        self._options = options
        self._protocol = scheme_of(uri) or ""
        self._fs: Any = self._request(lambda: self._within_deadline(self._connect))
        self.root = str(self._fs._strip_protocol(uri)).rstrip("/")

    def info(self) -> RemoteFile:
        """The store's description of the URI itself.

        Raises:
            SourceError: with the URI and the reason.
        """
        return RemoteFile.from_info(self._request(lambda: self._call("info", self.root)))

    def find(self) -> list[RemoteFile]:
        """The objects below the URI, at any depth, in the order of their names.

        Raises:
            SourceError: with the URI and the reason.
        """
        found: Mapping[str, Mapping[str, Any]] = self._request(lambda: self._call("find", self.root, detail=True))
        files = [RemoteFile.from_info({**info, "name": name}) for name, info in found.items()]
        return sorted((file for file in files if not file.is_directory), key=lambda file: file.path)

    def fetch(self, file: RemoteFile, target: Path, limit: int | None) -> None:
        """Copy an object to ``target``, flushed to the disk, at most ``limit`` bytes.

        Raises:
            SourceError: with the URI and the reason.
        """
        if limit is not None and file.size is not None and file.size > limit:
            raise self.failure(TooLargeError(f"{file.size} bytes, more than max_size = {limit}"))
        self._request(lambda: self._fetch_once(file, target, limit))

    def read(self, path: str, limit: int) -> bytes | None:
        """The content of an object; ``None`` if it is not there.

        Args:
            path: the object, below the URI.
            limit: the most bytes that it may have.

        Raises:
            SourceError: with the URI and the reason.
        """
        place = self._place(path)
        found: bytes | None = self._request(
            lambda: self._or_missing(lambda: self._call("cat_file", place, start=0, end=limit + 1))
        )
        if found is not None and len(found) > limit:
            raise self.failure(TooLargeError(f"{path} has more than {limit} bytes"))
        return found

    def names(self, path: str = "") -> list[str]:
        """The names of the objects and directories directly below a directory; empty if it is not there.

        Raises:
            SourceError: with the URI and the reason.
        """
        place = self._place(path)
        found = self._request(lambda: self._or_missing(lambda: self._call("ls", place, detail=False)))
        names = {str(entry).rstrip("/").rpartition("/")[2] for entry in found or () if str(entry).rstrip("/") != place}
        return sorted(names)

    def create(self, path: str, data: bytes) -> bool:
        """Write an object if there is none of this name; returns false if there is.

        S3, GCS and the memory of fsspec do that in one step. Elsewhere, of two processes that write at once, one usually notices
        that, but not always.

        Raises:
            SourceError: with the URI and the reason.
        """

        def attempt() -> bool:
            try:
                self._write(path, data, mode="create")
            except Exception as error:
                # S3 answers 409 if another request of the same kind is under way.
                if isinstance(error, FileExistsError) or {409, 412}.intersection(map(_http_status, _causes(error))):
                    return False
                raise
            return True

        if self._request(lambda: self._call("exists", self._place(path))):
            return False
        self._request(attempt)
        # An attempt whose answer got lost may have written the object, and where that takes two steps, somebody else.
        return self.read(path, _MOST_CREATED) == data

    def replace(self, path: str, data: bytes) -> None:
        """Write an object, in the place of the one that may be there.

        Raises:
            SourceError: with the URI and the reason.
        """
        self._request(lambda: self._write(path, data))

    def upload(self, source: Path, path: str) -> None:
        """Copy a local file to an object.

        Raises:
            SourceError: with the URI and the reason.
        """
        self._request(lambda: self._write(path, source))

    def remove(self, path: str) -> None:
        """Remove an object, if it is there.

        Raises:
            SourceError: with the URI and the reason.
        """
        place = self._place(path)
        self._request(lambda: self._or_missing(lambda: self._call("rm_file", place)))

    def _place(self, path: str) -> str:
        return f"{self.root}/{path}" if path else self.root

    def _write(self, path: str, content: bytes | Path, **options: Any) -> None:
        place = self._place(path)
        # Object stores have no directories; their drivers would take the first part for a bucket to create.
        if not self._fs.async_impl:
            self._call("makedirs", place.rpartition("/")[0], exist_ok=True)
        if isinstance(content, Path):
            self._call("put_file", str(content), place, **options)
        else:
            self._call("pipe_file", place, content, **options)

    def _or_missing(self, work: Callable[[], T]) -> T | None:
        try:
            return work()
        except FileNotFoundError as error:
            causes = list(_causes(error))
            statuses = {status for status in map(_http_status, causes) if status is not None}
            # The http driver reports whatever went wrong as a missing file, with the truth as its cause.
            if 404 in statuses or not (statuses or any(map(_is_network_error, causes))):
                return None
            raise

    def failure(self, reason: BaseException) -> SourceError:
        """The error to raise, which names the URI and the reason."""
        return SourceError(f"{display(self.uri)}: {self._explain(reason)}")

    def _fetch_once(self, file: RemoteFile, target: Path, limit: int | None) -> None:
        # A name of its own per attempt: a driver that outlives its deadline cannot write into the next attempt's file.
        attempt = target.with_name(f"{uuid.uuid4().hex}.attempt")
        progress = importlib.import_module("fsspec.callbacks").Callback()
        guard = _Guard(limit)
        progress.relative_update = guard.add
        try:
            self._call("get_file", file.path, str(attempt), callback=progress)
            size = attempt.stat().st_size
            if limit is not None and size > limit:
                raise TooLargeError(f"more than max_size = {limit} bytes")
            if file.size is not None and size != file.size:
                raise ChangedError(f"got {size} bytes where the store announced {file.size}")
            sync_file(attempt)
            attempt.replace(target)
        finally:
            guard.stop()
            attempt.unlink(missing_ok=True)

    def _connect(self) -> Any:
        cls = importlib.import_module("fsspec").get_filesystem_class(self._protocol)
        if cls.__module__ == "gcsfs.extended_gcsfs" and os.environ.get("STORAGE_EMULATOR_HOST"):
            # The extended class asks the real service for the kind of the bucket, even when there is an emulator.
            cls = importlib.import_module("gcsfs.core").GCSFileSystem
        # No instance or listing cache: both would hide a new version of the object.
        given = {"use_listings_cache": False, **cls._get_kwargs_from_urls(self.uri), **self._options.storage_options}
        return cls(skip_instance_cache=True, **given)

    def _call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        if not self._fs.async_impl:
            return self._within_deadline(lambda: getattr(self._fs, method)(*args, **kwargs))
        coroutine = getattr(self._fs, f"_{method}")(*args, **kwargs)
        future = asyncio.run_coroutine_threadsafe(coroutine, self._fs.loop)
        try:
            return future.result(self._options.timeout)
        except BaseException:
            future.cancel()
            raise

    def _within_deadline(self, work: Callable[[], T]) -> T:
        # A thread that may be left behind is the only way to put a deadline on a driver that has none. It is a daemon,
        # so that it does not hold up the end of the process either.
        future: concurrent.futures.Future[T] = concurrent.futures.Future()

        def run() -> None:
            try:
                result = work()
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        threading.Thread(target=run, name="leapstream-source", daemon=True).start()
        return future.result(self._options.timeout)

    def _request(self, attempt: Callable[[], T]) -> T:
        retrying = Retrying(
            stop=stop_after_attempt(self._options.retries + 1),
            wait=wait_exponential(multiplier=0.25, max=LONGEST_PAUSE - 0.25) + wait_random(0, 0.25),
            retry=retry_if_exception(self._is_transient),
            reraise=True,
        )
        try:
            return retrying(attempt)
        except SourceError:
            raise
        except Exception as error:
            cause = cause_without_secrets(error, self.uri, self._options.storage_options)
            raise self.failure(error) from cause

    def _is_transient(self, error: BaseException) -> bool:
        chain = list(_causes(error))
        for link in chain:
            status = _http_status(link)
            if status is not None:
                return status >= 500 or status in (408, 429)
        # WebHDFS has no class of its own for the server's exceptions.
        if self._protocol == "webhdfs" and type(error) is RuntimeError:
            return True
        return any(_is_network_error(link) for link in chain)

    def _explain(self, error: BaseException) -> str:
        chain = list(_causes(error))
        if isinstance(error, _TIMEOUTS):
            return f"no complete answer within {self._options.timeout:g} s, in {self._options.retries + 1} attempt(s)"
        if isinstance(error, ImportError):
            store = store_of(self._protocol)
            install = (
                f"pip install 'leapstream[{store.extra}]'" if store else f"install the driver of {self._protocol}://"
            )
            return f"the driver of {self._protocol}:// is missing ({error}); {install}"
        if self._protocol == "hdfs" and _lacks_hadoop(error):
            return (
                f"the Hadoop client is missing ({str(error).splitlines()[0]}); hdfs:// needs libhdfs (HADOOP_HOME or "
                "ARROW_LIBHDFS_DIR), Java (JAVA_HOME) and CLASSPATH=$(hadoop classpath --glob); webhdfs:// needs none "
                "of them"
            )
        for link in chain:
            status = _http_status(link)
            if status == 404:
                return "not found (HTTP 404)"
            if status is not None:
                return f"HTTP {status}: {self._message(error if link is not chain[-1] else link)}"
        # The http driver reports whatever went wrong as a missing file, with the truth as its cause.
        causes = [link for link in chain if _is_network_error(link)]
        if causes:
            return f"{type(causes[-1]).__name__}: {self._message(causes[-1])}"
        if isinstance(error, FileNotFoundError):
            return (
                "not found"
                if len(chain) == 1
                else f"not found ({type(chain[-1]).__name__}: {self._message(chain[-1])})"
            )
        if isinstance(error, PermissionError):
            return f"permission denied: {self._message(error)}"
        if isinstance(error, (ChangedError, TooLargeError)):
            return str(error)
        return f"{type(error).__name__}: {self._message(error)}"

    def _message(self, error: BaseException) -> str:
        text = str(getattr(error, "message", "") or error) or repr(error)
        return " ".join(redacted(text, self.uri, self._options.storage_options).split())


class _Guard:
    """Ends a transfer, from within, when it is over the limit or no longer wanted."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._total = 0
        self._stopped = False

    def add(self, count: int = 1) -> None:
        self._total += count
        if self._limit is not None and self._total > self._limit:
            raise TooLargeError(f"more than max_size = {self._limit} bytes")
        if self._stopped:
            raise TimeoutError("the transfer was given up")

    def stop(self) -> None:
        self._stopped = True


def _lacks_hadoop(error: BaseException) -> bool:
    text = str(error)
    # With a JVM but without Hadoop's jars, all that the driver says is that the connection failed.
    without_jars = "HDFS connection failed" in text and not os.environ.get("CLASSPATH")
    return without_jars or "libhdfs" in text or "libjvm" in text


def _causes(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    seen: set[int] = set()
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__


def _http_status(error: BaseException) -> int | None:
    response = getattr(error, "response", None)
    if isinstance(response, Mapping):
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    else:
        status = (
            getattr(response, "status_code", None) or getattr(error, "status", None) or getattr(error, "code", None)
        )
    text = str(status)
    return int(text) if text.isdecimal() and 400 <= int(text) < 600 else None


def _is_network_error(error: BaseException) -> bool:
    if isinstance(error, (*_TIMEOUTS, ConnectionError, ChangedError, socket.gaierror)):
        return True
    if isinstance(error, OSError) and error.errno in _NETWORK_ERRNOS:
        return True
    return any((cls.__module__, cls.__name__) in TRANSIENT for cls in type(error).__mro__)
