"""Writes jars, of which equal contents give equal bytes, and reads leapstream's entries in their manifests."""

from __future__ import annotations

import io
import json
import os
import re
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from leapstream.bundle.container import read_entry
from leapstream.bundle.limits import Limits
from leapstream.bundle.malformed import decoding, fields_of, items_of, parse_json, text_of
from leapstream.bundle.writer import write_atomically
from leapstream.errors import BackendError, ConfigError

# The earliest time that a zip can hold.
_TIME = (1980, 1, 1, 0, 0, 0)
_LINE = 72
_MANIFEST = "META-INF/MANIFEST.MF"
_MODELS = "Leapstream-Models"
_VERSION = "Leapstream-Version"


def write_jar(
    path: str | os.PathLike[str],
    classes: Mapping[str, bytes],
    resources: Mapping[str, bytes],
    manifest: Mapping[str, str],
    *,
    compressed: bool = True,
) -> None:
    """Write a jar; neither the order of the mappings nor the time changes its bytes.

    Args:
        path: where to; what is there is replaced at once, so that no reader sees half a jar.
        classes: class files by name (``leapstream/runtime/Vec.class``).
        resources: other files by name.
        manifest: attributes of the manifest's main section, besides ``Manifest-Version``.
        compressed: give less bytes, which depend on this machine's zlib.

    Raises:
        BackendError: a name is both a class and a resource, or the jar cannot be written.
    """
    both = sorted(set(classes) & set(resources))
    if both:
        raise BackendError(f"{path}: {both[0]} is both a class and a resource")
    files = {**classes, **resources}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in [_MANIFEST, *sorted(files)]:
            info = zipfile.ZipInfo(name, _TIME)
            info.compress_type = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
            info.external_attr = 0o644 << 16
            info.create_system = 3
            archive.writestr(info, files[name] if name in files else _manifest(manifest))
    try:
        write_atomically(Path(path), buffer.getvalue())
    except OSError as error:
        raise BackendError(f"{path}: cannot be written: {error.strerror or error}") from error


def version_attributes(leapstream: str) -> dict[str, str]:
    """The attributes of a manifest with the version of leapstream that made the jar's classes; Java reads the second one."""
    return {
        "Created-By": f"leapstream {leapstream}",
        "Implementation-Version": leapstream,
        _VERSION: leapstream,
    }


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


# ---- models in a jar --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CompiledModel:
    """A function or model in a jar, as the manifest describes it.

    Attributes:
        name: the name of the function, or of the bundle in ``CREATE MODEL``.
        kind: ``function`` or ``model``.
        class_name: the class that predicts.
        bundle, uid, version: name and uid of the bundle, and the version of MLeap that it says.
        sha256: its checksum.
        inputs, outputs: SQL types of the columns by name.
    """

    name: str
    kind: str
    class_name: str
    bundle: str
    uid: str
    version: str
    sha256: str
    inputs: dict[str, str]
    outputs: dict[str, str]


@dataclass(frozen=True)
class CompiledJar:
    """A jar of models, and the version of leapstream that made it."""

    leapstream: str
    models: tuple[CompiledModel, ...]

    def manifest(self) -> dict[str, str]:
        """The attributes of the manifest that say it."""
        return {
            **version_attributes(self.leapstream),
            _MODELS: json.dumps([asdict(model) for model in self.models]),
        }

    @classmethod
    def read(cls, path: str | os.PathLike[str], *, limits: Limits | None = None) -> CompiledJar | None:
        """Read the manifest of a jar; ``None`` if the file is not a jar of models.

        Raises:
            BundleError: the jar or its manifest is damaged or unsafe, or exceeds the limits.
        """
        data = read_entry(path, _MANIFEST, limits or Limits())
        if data is None:
            return None
        text = re.sub(r"\r?\n ", "", data.decode("utf-8", "replace"))
        attributes = {key: value for key, colon, value in (line.partition(": ") for line in text.splitlines()) if colon}
        if _MODELS not in attributes:
            return None
        with decoding(f"{os.fspath(path)}: {_MANIFEST}"):
            rows = items_of(parse_json(attributes[_MODELS].encode()), _MODELS)
            return cls(text_of(attributes.get(_VERSION), _VERSION), tuple(map(_model_of, rows)))


def _model_of(raw: Any) -> CompiledModel:
    row = fields_of(raw, "a model")
    given: dict[str, Any] = {}
    for f in fields(CompiledModel):
        if f.name not in ("inputs", "outputs"):
            given[f.name] = text_of(row.get(f.name), f.name)
            continue
        given[f.name] = {name: text_of(kind, f.name) for name, kind in fields_of(row.get(f.name), f.name).items()}
    return CompiledModel(**given)


def compiled_model(reference: str) -> tuple[Path, CompiledModel] | None:
    """The jar and the model that ``models.jar#NAME`` names; ``None`` if the text does not name a jar.

    Raises:
        ConfigError: the file is not a jar of models, has no model or function with that name, or has several and the text has
            no name.
    """
    path, _, name = reference.partition("#")
    if not path.endswith(".jar"):
        return None
    jar = CompiledJar.read(path)
    if jar is None:
        raise ConfigError(f"{path}: there is no jar of models, which leapstream compile writes")
    found = [model for model in jar.models if name in ("", model.name)]
    if len(found) == 2 and found[0].name == found[1].name:
        # A function and a model of one name: the function has the outputs that were asked for.
        found = [model for model in found if model.kind == "function"]
    if len(found) != 1:
        names = ", ".join(sorted({model.name for model in jar.models}))
        raise ConfigError(f"{reference}: say which of its models, as {path}#NAME; it has {names}")
    return Path(path), found[0]


__all__ = ["CompiledJar", "CompiledModel", "compiled_model", "version_attributes", "write_jar"]
