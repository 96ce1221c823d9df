"""Writes MLeap bundles: :func:`write_bundle`."""

from __future__ import annotations

import io
import os
import shutil
import uuid
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from leapstream.bundle import json_codec, proto_codec, trees
from leapstream.bundle.container import checked_path, locate
from leapstream.bundle.definition import BundleDef, Format, ModelDef, NodeDef
from leapstream.bundle.limits import Limits
from leapstream.bundle.malformed import decoding
from leapstream.errors import BundleError

ContainerKind: TypeAlias = Literal["zip", "dir"]

# Every file of an archive has this time, the earliest that a zip can hold, so that equal bundles give equal bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_LIMITS = Limits()


def write_bundle(
    definition: BundleDef,
    path: str | os.PathLike[str],
    *,
    format: Format | None = None,
    container: ContainerKind | None = None,
) -> None:
    """Write a bundle in MLeap's layout. If that fails, a bundle that was there stays as it was.

    Equal definitions give equal bytes. Sparse tensors are written dense, because bundles have no sparse attributes.

    Args:
        definition: the bundle.
        path: a path, or a ``file:`` or ``jar:file:`` URI. An existing bundle or archive is replaced; a directory that is
            neither empty nor a bundle is not.
        format: ``json`` or ``protobuf``; the definition's own when not given.
        container: ``zip`` or ``dir``; when not given, ``zip`` for a path that ends in ``.zip`` and for a ``jar:`` URI.

    Raises:
        BundleError: the format cannot hold an attribute (an infinity in JSON, a list of lists in protobuf), a name
            cannot be a file name, or the path cannot be written.
    """
    location = locate(path)
    target = location.path
    if location.inner:
        raise BundleError(f"{os.fspath(path)}: a bundle is written to an archive of its own, not into a folder of one")
    if container is None:
        is_jar = isinstance(path, str) and path[:4].lower() == "jar:"
        container = "zip" if is_jar or target.suffix.lower() == ".zip" else "dir"
    files = encode_files(definition, format or definition.format, where=str(target))
    try:
        if container == "zip":
            write_atomically(target, _archive(files))
        else:
            write_directory(target, files, lambda path: (path / "bundle.json").is_file(), "a bundle")
    except OSError as error:
        raise BundleError(f"{target}: cannot be written: {error.strerror or error}") from None
    except UnicodeError:
        raise BundleError(f"{str(target)!r}: cannot be a path on this system") from None


def encode_files(definition: BundleDef, format: Format, *, where: str = "bundle") -> dict[str, bytes]:
    """Encode a bundle as files by relative path, ``bundle.json`` first and the others sorted.

    Args:
        definition: the bundle.
        format: ``json`` or ``protobuf``.
        where: the bundle's name in error messages.

    Raises:
        BundleError: the format cannot hold an attribute, or a name cannot be a file name.
    """
    if format not in ("json", "protobuf"):
        raise BundleError(f"{where}: {format!r} is not a format of bundles; known: json, protobuf")
    info = json_codec.BundleInfo(
        definition.name, definition.uid, definition.version, definition.timestamp, format, definition.meta
    )
    with decoding(f"{where}: bundle.json"):
        top = json_codec.dump(json_codec.encode_bundle(info))
    encoder = _Encoder(where, format)
    encoder.node("root", definition.root)
    for name, data in definition.files.items():
        encoder.put(name, data)
    if "bundle.json" in encoder.files:
        raise BundleError(f"{where}: bundle.json: is there twice")
    encoder.check_folders()
    return {"bundle.json": top, **dict(sorted(encoder.files.items()))}


class _Encoder:
    def __init__(self, where: str, format: Format) -> None:
        self.where = where
        self.json = format == "json"
        self.ending = "json" if self.json else "pb"
        self.files: dict[str, bytes] = {}

    def put(self, path: str, data: bytes) -> None:
        if checked_path(self.where, path, _LIMITS) != path or not path:
            raise BundleError(f"{self.where}: {path!r} is not a plain relative path")
        if path in self.files:
            raise BundleError(f"{self.where}: {path}: is there twice")
        self.files[path] = data

    def check_folders(self) -> None:
        for path in self.files:
            parent = path
            while "/" in parent:
                parent = parent.rpartition("/")[0]
                if parent in self.files:
                    raise BundleError(f"{self.where}: {parent}: is there twice, as a file and as a directory")

    def folder(self, parent: str, name: str) -> str:
        if "/" in name or name in ("", "."):
            raise BundleError(f"{self.where}: {parent}: {name!r} cannot be the name of a folder")
        return f"{parent}/{name}"

    def node(self, path: str, node: NodeDef) -> None:
        with decoding(f"{self.where}: {path}/node.{self.ending}"):
            if self.json:
                data = json_codec.dump(json_codec.encode_node(node.name, node.inputs, node.outputs))
            else:
                data = proto_codec.encode_node(node.name, node.inputs, node.outputs)
        self.put(f"{path}/node.{self.ending}", data)
        self.model(path, node.model)

    def model(self, path: str, model: ModelDef) -> None:
        with decoding(f"{self.where}: {path}/model.{self.ending} ({model.op})"):
            data = json_codec.dump(json_codec.encode_model(model)) if self.json else proto_codec.encode_model(model)
        self.put(f"{path}/model.{self.ending}", data)
        tree = model.tree if model.tree is not None else model.cluster_tree
        if tree is not None:
            with decoding(f"{self.where}: {path}/tree.{self.ending} ({model.op})"):
                data = trees.encode_json(tree) if self.json else trees.encode_protobuf(tree)
            self.put(f"{path}/tree.{self.ending}", data)
        for name, nested in model.models.items():
            self.model(self.folder(path, name), nested)
        for name, node in model.nodes.items():
            self.node(self.folder(path, f"{name}.node"), node)
        for name, content in model.files.items():
            self.put(f"{path}/{name}", content)


def _archive(files: dict[str, bytes]) -> bytes:
    packed = _zipped(files, zipfile.ZIP_DEFLATED)
    total = sum(map(len, files.values()))
    # Long runs of zeros exceed the limit on the ratio, and a bundle that is written has to be readable.
    if total > _LIMITS.ratio_from and total > _LIMITS.max_ratio * len(packed):
        return _zipped(files, zipfile.ZIP_STORED)
    return packed


def _zipped(files: dict[str, bytes], method: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for path, data in files.items():
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.compress_type = method
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, data)
    return out.getvalue()


def write_atomically(target: Path, data: bytes) -> None:
    """Write a file under a temporary name and then rename it, so that no reader sees a part of it.

    Raises:
        OSError: an error of the file system.
    """
    partial = _sibling(target)
    try:
        with open(partial, "xb") as stream:
            stream.write(data)
        os.replace(partial, target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_directory(target: Path, files: Mapping[str, bytes], may_replace: Callable[[Path], bool], what: str) -> None:
    """Write files into a temporary directory and then rename it, so that no reader sees a part of it.

    Args:
        target: the directory. One that is not empty is replaced only if ``may_replace(target)`` is true.
        files: contents by relative path.
        may_replace: returns true for a directory that may be replaced.
        what: the name of such a directory in messages.

    Raises:
        BundleError: ``target`` exists and may not be replaced.
        OSError: an error of the file system.
    """
    if target.is_dir():
        if any(target.iterdir()) and not may_replace(target):
            raise BundleError(f"{target}: is a directory with other things than {what}, and is left alone")
    elif target.exists():
        raise BundleError(f"{target}: is a file, not a directory")
    partial = _sibling(target)
    try:
        partial.mkdir()
        for path, data in files.items():
            place = partial / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        if target.exists():
            _replace_directory(partial, target)
        else:
            os.rename(partial, target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _replace_directory(partial: Path, target: Path) -> None:
    old = _sibling(target)
    os.rename(target, old)
    try:
        os.rename(partial, target)
    except BaseException:
        os.rename(old, target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _sibling(target: Path) -> Path:
    if target.name in ("", ".."):
        raise BundleError(f"{target}: names no file or directory that could be written")
    return target.with_name(f".{target.name}.{uuid.uuid4().hex}.partial")
