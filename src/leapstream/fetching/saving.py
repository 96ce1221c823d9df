"""Writes files and directories to remote stores: :func:`local_copy`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from leapstream.errors import SourceError
from leapstream.fetching.options import SourceOptions
from leapstream.fetching.remote import Remote
from leapstream.fetching.uri import display, entry_name, local_path

_LAST = ("bundle.json", "case.json")
"""Files without which a directory is not read as a bundle or contract."""


@contextmanager
def local_copy(
    target: str | os.PathLike[str], options: SourceOptions | None = None
) -> Iterator[str | os.PathLike[str]]:
    """The path to write to for a target: the target itself, or a temporary path that is copied to a remote one at the end.

    A file takes the place of the one that may be there in one step. Of a directory, ``bundle.json`` or ``case.json`` comes
    last; then files that are there and that the new one lacks are removed. If the block raises, nothing is copied.

    Raises:
        SourceError: the target cannot be written, or there is no driver for its scheme.
    """
    if local_path(target) is not None:
        yield target
        return
    uri = os.fspath(target)
    remote = Remote(uri, options or SourceOptions())
    with tempfile.TemporaryDirectory(prefix="leapstream-") as folder:
        path = Path(folder) / (entry_name(uri) or "written")
        yield path
        if path.is_dir():
            _copy_directory(path, remote)
        else:
            remote.upload(path, "")


def _copy_directory(source: Path, remote: Remote) -> None:
    files = {path.relative_to(source).as_posix(): path for path in source.rglob("*") if path.is_file()}
    names = remote.names()
    if names and not set(_LAST).intersection(names):
        raise SourceError(f"{display(remote.uri)}: there are files that are neither a bundle nor a contract")
    there = [file.path.removeprefix(f"{remote.root}/") for file in remote.find()] if names else []
    for name in sorted(files, key=lambda name: (name in _LAST, name)):
        remote.upload(files[name], name)
    for name in there:
        if name not in files:
            remote.remove(name)
