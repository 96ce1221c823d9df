"""Reads and checks the files of a bundle, from a directory or a zip archive, into memory. Nothing is extracted to disk."""

from __future__ import annotations

import errno
import io
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias
from urllib.parse import unquote, urlsplit

from leapstream.bundle.limits import CHUNK, Limits, bounded
from leapstream.errors import BundleError
from leapstream.threads import in_threads, number_of_threads, parts

Source: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview

_FLAG_ENCRYPTED = 0x1 | 0x40 | 0x2000
_FLAG_UTF8 = 0x800
_FLAGS_USUAL = _FLAG_UTF8 | 0x8 | 0x6
"""Flags of an entry that do not change how it is read: names in UTF-8, sizes after the data, and how hard the writer tried."""
_LARGE = 1 << 16
"""Bytes of a file from which on another thread may decompress it."""
_TOGETHER = 1 << 23
"""Bytes of files that are decompressed in threads before more are read from the archive."""
_LOCAL_HEADER = struct.Struct("<4s2xH18xHH")


@dataclass(frozen=True)
class Location:
    """The place of a bundle: a directory or an archive, and the folder inside the archive."""

    path: Path
    inner: str = ""


def locate(source: str | os.PathLike[str]) -> Location:
    """Parse a path, a ``file:`` URI or a ``jar:file:…!/inner`` URI.

    Raises:
        BundleError: the URI has another scheme or names another host.
    """
    text = os.fspath(source)
    if "\0" in text:
        raise BundleError(f"{text!r}: a path cannot hold a NUL")
    if not isinstance(source, str) or not re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", text):
        return Location(Path(text))
    scheme, _, rest = text.partition(":")
    inner = ""
    if scheme.lower() == "jar":
        rest, _, inner = rest.partition("!")
        scheme, _, rest = rest.partition(":")
    if scheme.lower() != "file":
        raise BundleError(f"{text}: only paths, file: and jar:file: URIs can be opened here")
    try:
        parts = urlsplit("file:" + rest)
    except ValueError as error:
        raise BundleError(f"{text}: not a URI: {error}") from None
    if parts.netloc not in ("", "localhost"):
        raise BundleError(f"{text}: names another host, {parts.netloc!r}")
    path = unquote(parts.path)
    if not path or "\0" in path:
        raise BundleError(f"{text}: names no file")
    return Location(Path(path), unquote(inner).strip("/"))


def read_files(source: Source, limits: Limits) -> tuple[str, dict[str, bytes]]:
    """Read a source: its name for messages, and its files by relative, ``/``-separated path.

    Raises:
        BundleError: the source does not exist, is unsafe, exceeds the limits, or is corrupt.
    """
    name, files = open_files(source, limits)
    return name, dict(files)


def open_files(source: Source, limits: Limits) -> tuple[str, Iterator[tuple[str, bytes]]]:
    """Like :func:`read_files`, but the files come one after the other, and raise what is wrong with them as they come."""
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
        return "archive", _read_zip("archive", io.BytesIO(data), len(data), limits)
    location = locate(source)
    name = str(location.path)
    files = _read_location(name, location, limits)
    if not location.inner:
        return name, files
    inner = checked_path(name, location.inner, limits)
    return f"{name}!/{inner}", _below(files, name, inner)


def _read_location(name: str, location: Location, limits: Limits) -> Iterator[tuple[str, bytes]]:
    try:
        if location.path.is_dir():
            if location.inner:
                raise BundleError(f"{name}: is a directory, so there is no {location.inner!r} inside an archive")
            yield from _read_directory(name, location.path, limits)
        else:
            with open(location.path, "rb") as stream:
                yield from _read_zip(name, stream, os.fstat(stream.fileno()).st_size, limits)
    except OSError as error:
        raise BundleError(f"{name}: {error.strerror or error}") from None
    except UnicodeError:
        raise BundleError(f"{name!r}: cannot be a path on this system") from None


def _below(files: Iterable[tuple[str, bytes]], name: str, inner: str) -> Iterator[tuple[str, bytes]]:
    found = False
    for path, data in files:
        if path.startswith(inner + "/"):
            found = True
            yield path[len(inner) + 1 :], data
    if not found:
        raise BundleError(f"{name}: has no folder {inner!r}")


def checked_path(where: str, path: str, limits: Limits) -> str:
    """Normalize a relative path: remove ``.`` parts and a trailing ``/``.

    Raises:
        BundleError: the path is absolute, contains ``..``, or means different things on different systems.
    """
    label = f"{where}: unsafe path {path!r}"
    if not path.isascii() and any("\ud800" <= letter <= "\udfff" for letter in path):
        raise BundleError(f"{label}: is not Unicode")
    if "\0" in path:
        raise BundleError(f"{label}: holds a NUL")
    if "\\" in path:
        raise BundleError(f"{label}: holds a backslash")
    if path.startswith("/"):
        raise BundleError(f"{label}: is absolute")
    if re.match(r"[A-Za-z]:", path):
        raise BundleError(f"{label}: names a drive")
    parts = [part for part in path.removesuffix("/").split("/") if part != "."]
    if ".." in parts:
        raise BundleError(f"{label}: climbs out of its folder")
    if "" in parts and parts != [""]:
        raise BundleError(f"{label}: has an empty part")
    if len(parts) - 1 > limits.max_depth:
        raise BundleError(f"{label}: more than {limits.max_depth} directories deep (max_depth)")
    return "/".join(parts)


def _read_directory(name: str, root: Path, limits: Limits) -> Iterator[tuple[str, bytes]]:
    sizes: dict[str, int] = {}
    count = total = 0
    pending = [""]
    while pending:
        folder = pending.pop()
        with os.scandir(root / folder) as entries:
            for entry in entries:
                path = checked_path(name, f"{folder}/{entry.name}" if folder else entry.name, limits)
                count += 1
                limits.check_count(name, count)
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISLNK(status.st_mode):
                    raise BundleError(f"{name}: {path}: is a link")
                if stat.S_ISDIR(status.st_mode):
                    pending.append(path)
                elif stat.S_ISREG(status.st_mode):
                    limits.check_file(f"{name}: {path}", status.st_size)
                    total += status.st_size
                    limits.check_total(name, total)
                    sizes[path] = status.st_size
                else:
                    raise BundleError(f"{name}: {path}: is neither a file nor a directory")
    for path in sorted(sizes):
        yield path, _read_file(f"{name}: {path}", root / path, sizes[path])


def _read_file(where: str, path: Path, size: int) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        reason = "is a link" if error.errno == errno.ELOOP else error.strerror
        raise BundleError(f"{where}: {reason}") from None
    with os.fdopen(descriptor, "rb") as stream:
        data = stream.read(size + 1)
    if len(data) != size:
        raise BundleError(f"{where}: changed while it was read")
    return data


def _read_zip(name: str, stream: IO[bytes], size: int, limits: Limits) -> Iterator[tuple[str, bytes]]:
    with _opened(name, stream, size, limits) as archive:
        entries = _checked_entries(name, archive.infolist(), limits, size)
        at_once = _in_threads(archive, [entry for _, entry in entries if entry.file_size >= _LARGE])
        total = 0
        for path, entry in entries:
            where = f"{name}: {path}"
            if entry.file_size < _LARGE:
                data = _inflate(where, archive, entry, limits, size, total)
            else:
                data = next(at_once) or _inflate_in_pieces(where, archive, entry, limits, size, total)
            total += len(data)
            yield path, data


def read_entry(path: str | os.PathLike[str], inner: str, limits: Limits) -> bytes | None:
    """One file of a zip archive; ``None`` if ``path`` is not an archive, or has no such file.

    Raises:
        BundleError: the archive is corrupt or unsafe, or the file exceeds the limits.
    """
    name = os.fspath(path)
    try:
        if not zipfile.is_zipfile(name):
            return None
        with open(name, "rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            with _opened(name, stream, size, limits) as archive:
                for entry_path, entry in _checked_entries(name, archive.infolist(), limits, size):
                    if entry_path == inner:
                        return _inflate(f"{name}: {inner}", archive, entry, limits, size)
    # A URI, or a name that cannot be a path, is not an archive either.
    except (OSError, ValueError):
        return None
    # Even the question whether a file is an archive may raise it.
    except zipfile.BadZipFile as error:
        raise BundleError(f"{name}: is not a valid zip archive: {error}") from error
    return None


def check_archive(path: str | os.PathLike[str], limits: Limits) -> None:
    """Check the entries of a zip archive that another library reads; nothing is decompressed.

    Raises:
        BundleError: the archive is corrupt or unsafe, or what its entries declare exceeds the limits.
    """
    name = os.fspath(path)
    with open(path, "rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        with _opened(name, stream, size, limits) as archive:
            _checked_entries(name, archive.infolist(), limits, size)


@contextmanager
def _opened(name: str, stream: IO[bytes], size: int, limits: Limits) -> Iterator[zipfile.ZipFile]:
    limits.check_total(name, size)
    try:
        with zipfile.ZipFile(stream) as archive:
            yield archive
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
        ArithmeticError,
        LookupError,
    ) as error:
        raise BundleError(f"{name}: corrupt zip archive: {error or type(error).__name__}") from None
    except MemoryError:
        raise BundleError(f"{name}: does not fit into memory") from None


def _checked_entries(
    name: str, entries: Iterable[zipfile.ZipInfo], limits: Limits, size: int
) -> list[tuple[str, zipfile.ZipInfo]]:
    """The files among an archive's entries, sorted by safe path. All entries are checked before any is decompressed."""
    entries = list(entries)
    limits.check_count(name, len(entries))
    files: dict[str, zipfile.ZipInfo] = {}
    folders: set[str] = set()
    total = 0
    for entry in entries:
        # ZipInfo.filename ends at a NUL; the name in the archive is orig_filename.
        if entry.orig_filename != entry.filename:
            checked_path(name, entry.orig_filename, limits)
        path = checked_path(name, entry.filename, limits)
        where = f"{name}: {path}"
        mode = entry.external_attr >> 16
        if stat.S_ISLNK(mode):
            raise BundleError(f"{where}: is a link")
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise BundleError(f"{where}: is neither a file nor a directory")
        if path in files or (entry.is_dir() and path in folders):
            raise BundleError(f"{where}: is there twice")
        if entry.is_dir():
            folders.add(path)
            continue
        if not path:
            raise BundleError(f"{name}: has an entry without a name")
        if entry.flag_bits & _FLAG_ENCRYPTED:
            raise BundleError(f"{where}: is encrypted")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise BundleError(f"{where}: is compressed by method {entry.compress_type}; only deflate is known")
        limits.check_file(where, entry.file_size)
        total += entry.file_size
        limits.check_total(name, total)
        limits.check_ratio(where, total, size)
        files[path] = entry
    for path in files:
        parent = path
        while "/" in parent:
            parent = parent.rpartition("/")[0]
            folders.add(parent)
    both = sorted(folders & files.keys())
    if both:
        raise BundleError(f"{name}: {both[0]}: is there twice, as a file and as a directory")
    return sorted(files.items())


def _inflate(
    where: str, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limits: Limits, size: int, before: int = 0
) -> bytes:
    """Decompress one file of an archive of ``size`` bytes; the limits apply to the bytes, since headers may be wrong."""
    data = _unpacked(_packed(archive, entry), entry)
    return _inflate_in_pieces(where, archive, entry, limits, size, before) if data is None else data


def _inflate_in_pieces(
    where: str, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limits: Limits, size: int, before: int
) -> bytes:
    with archive.open(entry) as stream:
        data = bounded(where, iter(lambda: stream.read(CHUNK), b""), limits, size, before=before)
    if len(data) != entry.file_size:
        raise BundleError(f"{where}: holds {len(data)} bytes, but its header says {entry.file_size}")
    return data


def _in_threads(archive: zipfile.ZipFile, entries: Sequence[zipfile.ZipInfo]) -> Iterator[bytes | None]:
    """Some files of an archive, one after the other, decompressed in threads; ``None`` for one that is unusual or wrong."""
    for part in parts(entries, lambda entry: entry.file_size, _TOGETHER):
        packed = [(_packed(archive, entry), entry) for entry in part]
        yield from in_threads(lambda item: _unpacked(*item), packed, number_of_threads(None))


def _packed(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes | None:
    """The packed bytes of a file whose header the limits were applied to; ``None`` if anything about it is unusual."""
    stream = archive.fp
    if stream is None or entry.flag_bits & ~_FLAGS_USUAL or entry.header_offset < 0:
        return None
    stream.seek(entry.header_offset)
    header = stream.read(_LOCAL_HEADER.size)
    if len(header) < _LOCAL_HEADER.size:
        return None
    signature, flags, name_size, extra_size = _LOCAL_HEADER.unpack(header)
    name = stream.read(name_size + extra_size)[:name_size]
    encoding = "utf-8" if entry.flag_bits & _FLAG_UTF8 else "cp437"
    if signature != b"PK\3\4" or flags != entry.flag_bits or name.decode(encoding, "replace") != entry.orig_filename:
        return None
    # Newer versions of zipfile know where the next entry begins, and reject entries that overlap.
    end = getattr(entry, "_end_offset", None)
    if end is not None and stream.tell() + entry.compress_size > end:
        return None
    packed = stream.read(entry.compress_size)
    return packed if len(packed) == entry.compress_size else None


def _unpacked(packed: bytes | None, entry: zipfile.ZipInfo) -> bytes | None:
    """The file of packed bytes; ``None`` if there are none, or if it is not what its header says."""
    if packed is None:
        return None
    data = packed
    if entry.compress_type == zipfile.ZIP_DEFLATED:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            data = inflater.decompress(packed, entry.file_size + 1)
        except zlib.error:
            return None
        if not inflater.eof or inflater.unused_data:
            return None
    return data if len(data) == entry.file_size and zlib.crc32(data) == entry.CRC else None


__all__ = [
    "Limits",
    "Location",
    "Source",
    "check_archive",
    "checked_path",
    "locate",
    "open_files",
    "read_entry",
    "read_files",
]
