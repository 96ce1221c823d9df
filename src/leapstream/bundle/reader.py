"""Reads MLeap bundles: :func:`read_bundle`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from leapstream.bundle import json_codec, proto_codec, trees
from leapstream.bundle.container import Source, open_files
from leapstream.bundle.definition import BundleDef, ClusterTree, Format, ModelDef, NodeDef, Socket, Tree
from leapstream.bundle.limits import Limits
from leapstream.bundle.malformed import decoding, first_repeated, parse_json
from leapstream.bundle.tensor import Tensor
from leapstream.errors import BundleError

_ENDINGS: dict[str, str] = {"json": "json", "protobuf": "pb", "mixed": "json"}
_TREES = ("tree", "nodes")
_MANY = 1 << 15
"""Bytes of trees from which on decoding them together is faster."""
_PART = 1 << 23
"""Bytes of trees that are decoded before their files are dropped."""
_SMALL = 1 << 12
"""Greatest size of a model's file that may be decoded once for several models."""


def read_bundle(source: Source, *, limits: Limits | None = None) -> BundleDef:
    """Read a bundle into memory.

    Each node's format is detected from its files, because bundles of old versions mix formats.

    Args:
        source: a directory, a zip archive, a ``file:`` or ``jar:file:…zip`` URI (with ``!/folder`` for a bundle in a
            folder of the archive), or the bytes of an archive.
        limits: limits on the bundle's size; the defaults of :class:`Limits` when not given.

    Raises:
        BundleError: the bundle does not exist, is corrupt or unsafe, or exceeds the limits. The message names the file and
            the reason.
    """
    limits = limits or Limits()
    name, files = open_files(source, limits)
    return _decode(files, name, limits)


def decode_files(files: Mapping[str, bytes], *, where: str = "bundle", limits: Limits | None = None) -> BundleDef:
    """Decode a bundle from its files; the inverse of :func:`~leapstream.bundle.writer.encode_files`.

    Args:
        files: contents by ``/``-separated path, such as ``root/node.json``.
        where: the bundle's name in error messages.
        limits: limits on what the files declare; the defaults when not given.

    Raises:
        BundleError: the files are not a bundle. The message names the file and the reason.
    """
    return _decode(files.items(), where, limits or Limits())


def _decode(given: Iterable[tuple[str, bytes]], where: str, limits: Limits) -> BundleDef:
    """Decode a bundle of its files, of which large ones do not stay in memory beside what is in them."""
    files, decoded = _many_trees(given)
    if "bundle.json" not in files:
        found = sorted(path for path in files if path.endswith("/bundle.json"))
        hint = f"; there is one in the folder {found[0].rpartition('/')[0]!r}" if found else ""
        raise BundleError(f"{where}: has no bundle.json{hint}")
    with decoding(f"{where}: bundle.json"):
        info = json_codec.decode_bundle(parse_json(files["bundle.json"]))
    top = _fold(files)
    beside = {path: data for path, data in files.items() if path != "bundle.json" and not path.startswith("root/")}
    files.clear()
    root_folder = top.folders.get("root")
    if root_folder is None or not _has(root_folder, "node"):
        raise BundleError(f"{where}: has no root/node.json or root/node.pb")
    reader = _Reader(where, _ENDINGS[info.format], info.format == "mixed", limits, decoded)
    root = reader.node("root", root_folder)
    written: Format = "json"
    if info.format == "protobuf" or (info.format == "mixed" and "node.pb" in root_folder.files):
        written = "protobuf"
    return BundleDef(info.name, info.uid, info.version, info.timestamp, written, root, info.meta, beside)


@dataclass
class _Folder:
    files: dict[str, bytes] = field(default_factory=dict)
    folders: dict[str, _Folder] = field(default_factory=dict)


def _fold(files: Mapping[str, bytes]) -> _Folder:
    top = _Folder()
    for path, data in files.items():
        *parents, name = path.split("/")
        folder = top
        for parent in parents:
            folder = folder.folders.setdefault(parent, _Folder())
        folder.files[name] = data
    return top


def _has(folder: _Folder, kind: str) -> bool:
    return f"{kind}.json" in folder.files or f"{kind}.pb" in folder.files


def _everything(folder: _Folder, prefix: str) -> dict[str, bytes]:
    files = {prefix + name: data for name, data in folder.files.items()}
    for name, below in folder.folders.items():
        files.update(_everything(below, f"{prefix}{name}/"))
    return files


def _many_trees(given: Iterable[tuple[str, bytes]]) -> tuple[dict[str, bytes], dict[str, Tree]]:
    """Files by path, and the trees of files, where there are so many that decoding them together is faster.

    The contents of a file are dropped when its tree is decoded. Damaged ones stay.
    """
    files: dict[str, bytes] = {}
    found: dict[str, Tree] = {}
    parts: dict[str, list[str]] = {f"{kind}.{ending}": [] for ending in ("json", "pb") for kind in _TREES}
    sizes = dict.fromkeys(parts, 0)
    for path, data in given:
        files[path] = data
        name = path.rpartition("/")[2]
        if name in parts and path.startswith("root/"):
            parts[name].append(path)
            sizes[name] += len(data)
            if sizes[name] >= _PART:
                _decode_part(parts[name], files, found)
                parts[name], sizes[name] = [], 0
    for name, part in parts.items():
        if sizes[name] >= _MANY:
            _decode_part(part, files, found)
    return files, found


def _decode_part(paths: Sequence[str], files: dict[str, bytes], found: dict[str, Tree]) -> None:
    from leapstream.bundle.manytrees import decode_many

    trees = decode_many([files[path] for path in paths], protobuf=paths[0].endswith(".pb"))
    for path, tree in zip(paths, trees, strict=True):
        if tree is not None:
            found[path] = tree
            files[path] = b""


@dataclass
class _Reader:
    name: str
    ending: str
    mixed: bool
    limits: Limits
    trees: dict[str, Tree]
    elements: int = 0
    plain_models: dict[bytes, ModelDef] = field(default_factory=dict)

    def node(self, path: str, folder: _Folder) -> NodeDef:
        file = self._choose(path, folder, "node")
        with decoding(f"{self.name}: {path}/{file}"):
            data = folder.files[file]
            if file.endswith(".pb"):
                name, inputs, outputs = proto_codec.decode_node(data)
            else:
                name, inputs, outputs = json_codec.decode_node(parse_json(data))
        for side, sockets in (("inputs", inputs), ("outputs", outputs)):
            self._check_ports(f"{path}/{file}", side, sockets)
        return NodeDef(name, inputs, outputs, self.model(path, folder))

    def _check_ports(self, path: str, side: str, sockets: tuple[Socket, ...]) -> None:
        port = first_repeated(socket.port for socket in sockets)
        if port is not None:
            raise BundleError(f"{self.name}: {path}: the port {port!r} is twice among the {side}")

    def model(self, path: str, folder: _Folder) -> ModelDef:
        if not _has(folder, "model"):
            raise BundleError(f"{self.name}: {path}: has no model.json or model.pb")
        file = self._choose(path, folder, "model")
        model = self._own_model(f"{self.name}: {path}/{file}", folder.files, file)
        known = {f"{kind}.{ending}" for kind in ("node", "model") for ending in ("json", "pb")}
        for kind in _TREES:
            if _has(folder, kind):
                tree_file = self._choose(path, folder, kind)
                tree = self._tree(f"{path}/{tree_file}", folder.files[tree_file])
                model.tree = tree if isinstance(tree, Tree) else None
                model.cluster_tree = tree if isinstance(tree, ClusterTree) else None
                known.update((f"{kind}.json", f"{kind}.pb"))
                break
        model.files.update((name, data) for name, data in folder.files.items() if name not in known)
        for name, below in folder.folders.items():
            if _has(below, "node"):
                key = name.removesuffix(".node")
                if key in model.nodes:
                    raise BundleError(f"{self.name}: {path}: the node {key!r} is there twice")
                model.nodes[key] = self.node(f"{path}/{name}", below)
            elif _has(below, "model"):
                model.models[name] = self.model(f"{path}/{name}", below)
            else:
                model.files.update(_everything(below, f"{name}/"))
        return model

    def _own_model(self, where: str, files: dict[str, bytes], file: str) -> ModelDef:
        """The op and the attributes in a file, which is dropped. Equal files, as of the trees of a forest, are decoded once."""
        small = files[file] if len(files[file]) <= _SMALL else None
        plain = None if small is None else self.plain_models.get(small)
        if plain is not None:
            return ModelDef(plain.op, dict(plain.attributes))
        with decoding(where):
            # No name refers to the contents here, so that they can be dropped while they are decoded.
            if file.endswith(".pb"):
                model = proto_codec.decode_model(files.pop(file))
            else:
                model = json_codec.decode_model(parse_json(files.pop(file)))
        self._check_values(where, model, self.limits.max_depth)
        values = model.attributes.values()
        if small is not None and all(isinstance(value.data, bool | int | float | str | None) for value in values):
            self.plain_models[small] = ModelDef(model.op, dict(model.attributes))
        return model

    def _check_values(self, where: str, model: ModelDef, depth: int) -> None:
        """Check the sizes that attributes declare, and how deep their models are nested."""
        if depth == 0:
            raise BundleError(f"{where}: more than {self.limits.max_depth} models inside of models (max_depth)")
        for value in model.attributes.values():
            for data in value.data if value.shape == "list" else (value.data,):
                if isinstance(data, Tensor) and data.is_sparse:
                    self.elements += data.size - len(data.values)
                    self.limits.check_elements(where, self.elements)
                elif isinstance(data, ModelDef):
                    self._check_values(where, data, depth - 1)

    def _tree(self, path: str, data: bytes) -> Tree | ClusterTree:
        if path in self.trees:
            return self.trees[path]
        with decoding(f"{self.name}: {path}"):
            return trees.decode_protobuf(data) if path.endswith(".pb") else trees.decode_json(data)

    def _choose(self, path: str, folder: _Folder, kind: str) -> str:
        """The name of the file that holds a node, model or tree; if it exists in both formats, the one in the bundle's format."""
        found = [f"{kind}.{ending}" for ending in ("json", "pb") if f"{kind}.{ending}" in folder.files]
        if len(found) == 1:
            return found[0]
        if self.mixed:
            raise BundleError(
                f"{self.name}: {path}: splits the {kind} over {found[0]} and {found[1]}, in a protobuf layout "
                "that MLeap gave up with 0.8; export the bundle with a later version"
            )
        return f"{kind}.{self.ending}"
