"""Writes jars: the same contents give the same bytes."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

from leapstream.bundle.writer import write_atomically
from leapstream.errors import BackendError

# The earliest time that a zip can hold.
_TIME = (1980, 1, 1, 0, 0, 0)
_LINE = 72


def write_jar(
    path: str | os.PathLike[str],
    classes: Mapping[str, bytes],
    resources: Mapping[str, bytes],
    manifest: Mapping[str, str],
) -> None:
    """Write a jar; neither the order of the mappings nor the time changes its bytes.

    Args:
        path: where to; what is there is replaced at once, so that no reader sees half a jar.
        classes: class files by name (``leapstream/runtime/Vec.class``).
        resources: other files by name.
        manifest: attributes of the manifest's main section, besides ``Manifest-Version``.

    Raises:
        BackendError: a name is both a class and a resource, or the jar cannot be written.
    """
    both = sorted(set(classes) & set(resources))
    if both:
        raise BackendError(f"{path}: {both[0]} is both a class and a resource")
    files = {**classes, **resources}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ["META-INF/MANIFEST.MF", *sorted(files)]:
            info = zipfile.ZipInfo(name, _TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            info.create_system = 3
            archive.writestr(info, files[name] if name in files else _manifest(manifest))
    try:
        write_atomically(Path(path), buffer.getvalue())
    except OSError as error:
        raise BackendError(f"{path}: cannot be written: {error.strerror or error}") from error


def _manifest(attributes: Mapping[str, str]) -> bytes:
    """The manifest's bytes; lines longer than 72 bytes go on in the next one, after a space."""
    lines: list[bytes] = []
    for name, value in {"Manifest-Version": "1.0", **attributes}.items():
        line = f"{name}: {value}".encode()
        while len(line) > _LINE:
            lines.append(line[:_LINE])
            line = b" " + line[_LINE:]
        lines.append(line)
    return b"\r\n".join(lines) + b"\r\n\r\n"


__all__ = ["write_jar"]
