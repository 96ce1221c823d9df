"""``leapstream inspect``: what a bundle, or a jar of models, holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.text import Text
from rich.tree import Tree as Diagram

import leapstream
from leapstream.bundle.definition import ModelDef
from leapstream.bundle.limits import Limits
from leapstream.bundle.types import Schema
from leapstream.bundle.writer import encode_files
from leapstream.cli.recordcost import measure
from leapstream.errors import LeapstreamError
from leapstream.executors.contract import Executor
from leapstream.executors.jvm.jar import CompiledJar
from leapstream.executors.registry import executors
from leapstream.model import Model
from leapstream.ops.outline import Flow, Group, Member, outline
from leapstream.ops.pipeline import Node, Pipeline, Root


@dataclass(frozen=True)
class BackendState:
    """A backend, with the reason why it cannot run a model here."""

    name: str
    available: bool
    reason: str | None = None


@dataclass(frozen=True)
class NodeSize:
    """The size of a node: bytes of its files, trees and nodes of trees."""

    bytes: int
    trees: int
    tree_nodes: int


class Inspection:
    """The contents of ``leapstream inspect``.

    Raises:
        LeapstreamError: the bundle cannot be read.
    """

    def __init__(self, uri: str, limits: Limits | None = None, record: Mapping[str, Any] | None = None) -> None:
        self.uri = uri
        self.model = leapstream.load(uri, limits=limits)
        definition = self.model.definition
        files = encode_files(definition, definition.format)
        self.bytes = sum(map(len, files.values()))
        self._sizes = _sizes(files)
        self.stored = _stored(uri)
        self._flow = Flow(self.model.nodes, self.model.schema.outputs.names)
        self.backends = [_state(executor, self.model) for executor in executors().values()]
        self.record = measure(self.model, record)

    def _size(self, path: str, model: ModelDef) -> NodeSize:
        trees = list(_trees(model))
        return NodeSize(self._sizes[path], len(trees), sum(trees))

    def as_json(self) -> dict[str, Any]:
        """Everything, as JSON holds it."""
        definition, schema = self.model.definition, self.model.schema
        return {
            "bundle": self.uri,
            "name": definition.name,
            "uid": definition.uid,
            "version": definition.version,
            "timestamp": definition.timestamp,
            "format": definition.format,
            "bytes": self.bytes,
            "stored_bytes": self.stored,
            "inputs": _fields(schema.inputs),
            "outputs": _fields(schema.outputs),
            "intermediate": _fields(schema.intermediate),
            "root": self._node_json(self.model.root, "root", definition.root.model),
            "backends": [asdict(state) for state in self.backends],
            "mleap_gaps": list(self.model.mleap_gaps),
            "record": self.record.as_json(),
        }

    def _node_json(self, root: Root, path: str, model: ModelDef) -> dict[str, Any]:
        common = {"name": root.name, "op": model.op, **asdict(self._size(path, model))}
        if isinstance(root, Pipeline):
            children = [self._node_json(node, place, inner) for node, place, inner in _children(root, path, model)]
            return {**common, "nodes": children}
        step = {} if root.step is None else {"step": root.step}
        return {**common, **step, "inputs": root.input_columns(), "outputs": root.used_columns()}

    def show(self, console: Console, *, unfold: bool = False) -> None:
        """Print it for people; ``unfold``: with the nodes in each step."""
        definition, schema = self.model.definition, self.model.schema
        head = Text()
        head.append(definition.name, style="bold").append(f"  {definition.uid}\n", style="dim")
        written = f", {definition.timestamp}" if definition.timestamp else ""
        head.append(f"Bundle.ML {definition.version}, {definition.format}{written}\n")
        stored = "" if self.stored is None else f", {_bytes(self.stored)} stored"
        count = len(self.model.nodes)
        head.append(f"{count} node{'' if count == 1 else 's'}, {_bytes(self.bytes)}{stored}")
        console.print(Panel.fit(head, title="bundle"))
        for title, columns in (("inputs", schema.inputs), ("outputs", schema.outputs), ("adds", schema.intermediate)):
            if len(columns):
                console.print(_columns(title, columns))
        diagram = Diagram(Text("pipeline", style="bold"))
        places = {
            id(node): (path, model) for node, path, model in _nodes(self.model.root, "root", definition.root.model)
        }
        self._draw(diagram, outline(self.model.root), places, unfold=unfold)
        console.print(diagram)
        backends = Diagram(Text("backends", style="bold"))
        for state in self.backends:
            mark = Text("yes" if state.available else "no", style="green" if state.available else "red")
            why = f": {state.reason}" if state.reason else ""
            backends.add(Text(f"{state.name} ").append(mark).append(why))
        console.print(backends)
        console.print(self.record.diagram())
        if self.model.mleap_gaps:
            gaps = Diagram(Text("MLeap's own runtime", style="bold"))
            for gap in self.model.mleap_gaps:
                gaps.add(Text(gap))
            console.print(gaps)

    def _draw(
        self, above: Diagram, members: Sequence[Member], places: Mapping[int, tuple[str, ModelDef]], *, unfold: bool
    ) -> None:
        for member in members:
            nodes = list(member.nodes()) if isinstance(member, Group) else [member]
            sizes = [self._size(*places[id(node)]) for node in nodes]
            size = NodeSize(*(sum(numbers) for numbers in zip(*map(astuple, sizes), strict=True)))
            trees = f", {size.trees} trees of {size.tree_nodes} nodes" if size.trees else ""
            detail = f"  {_bytes(size.bytes)}{trees}"
            if isinstance(member, Group):
                (name, kind), (reads, writes) = member.title, self._flow.of(member)
                count = f"{len(nodes)} op{'' if len(nodes) == 1 else 's'}"
                label = Text(name, style="bold").append(f" {kind}" if kind else "", style="not bold dim")
                detail = f"  {count},{detail[1:]}"
            else:
                label = Text(member.op.op, style="bold cyan").append(f" {member.name}", style="not bold dim")
                reads, writes = list(member.input_columns().values()), list(member.used_columns().values())
            branch = above.add(label.append(detail, style="not bold default"))
            if isinstance(member, Group) and unfold:
                self._draw(branch, member.members, places, unfold=True)
            else:
                branch.add(Text(f"{', '.join(reads)} → {', '.join(writes)}"))


def show_jar(jar: CompiledJar, console: Console) -> None:
    """Print what a jar holds."""
    whole = Diagram(Text("jar", style="bold").append(f"  leapstream {jar.leapstream}", style="not bold dim"))
    for model in jar.models:
        label = Text(f"{model.kind} ", style="default").append(model.name, style="bold cyan")
        branch = whole.add(label.append(f"  {model.class_name}", style="not bold dim"))
        branch.add(Text(f"bundle {model.bundle}  {model.uid}, Bundle.ML {model.version}"))
        branch.add(Text(f"sha256 {model.sha256}"))
        arguments, results = (
            ", ".join(f"{name} {kind}" for name, kind in columns.items()) for columns in (model.inputs, model.outputs)
        )
        branch.add(Text(f"({arguments}) → ({results})"))
    console.print(whole)


def _nodes(root: Root, path: str, model: ModelDef) -> Iterator[tuple[Node, str, ModelDef]]:
    """All nodes with their folders and definitions."""
    if isinstance(root, Node):
        yield root, path, model
        return
    for child in _children(root, path, model):
        yield from _nodes(*child)


def _children(root: Pipeline, path: str, model: ModelDef) -> list[tuple[Root, str, ModelDef]]:
    return [(node, f"{path}/{node.name}.node", model.nodes[node.name].model) for node in root.nodes]


def _trees(model: ModelDef) -> list[int]:
    """The number of nodes of each tree in a model."""
    found = [] if model.tree is None else [len(model.tree.kind)]
    if model.cluster_tree is not None:
        found.append(len(model.cluster_tree.num_children))
    inner = [*model.models.values(), *(node.model for node in model.nodes.values())]
    return found + [size for each in inner for size in _trees(each)]


def _sizes(files: Mapping[str, bytes]) -> Counter[str]:
    """Bytes of the files below each folder."""
    sizes = Counter[str]()
    for path, data in files.items():
        while "/" in path:
            path = path.rpartition("/")[0]
            sizes[path] += len(data)
    return sizes


def _stored(uri: str) -> int | None:
    """Size of an archive or directory on this machine, if it is on it."""
    path = Path(uri)
    if path.is_file():
        return path.stat().st_size
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return None


def _state(executor: Executor, model: Model) -> BackendState:
    try:
        lacking = executor.missing(model.plan())
    except LeapstreamError as error:
        return BackendState(executor.name, False, str(error))
    reason = f"it lacks {', '.join(lacking)}" if lacking else executor.unavailable()
    return BackendState(executor.name, reason is None, reason)


def _fields(schema: Schema) -> list[dict[str, Any]]:
    return [{"name": f.name, "type": str(f.type)} for f in schema]


def _columns(title: str, schema: Schema) -> Diagram:
    diagram = Diagram(Text(title, style="bold"))
    # One long name does not widen the lines of all others.
    width = min(max(len(f.name) for f in schema), 60)
    for f in schema:
        diagram.add(Text(f.name.ljust(width)).append(f"  {f.type}", style="dim"))
    return diagram


def _bytes(size: int) -> str:
    if size < 1024:
        return f"{size} B"
    return f"{size / 1024:.1f} KiB" if size < 1 << 20 else f"{size / (1 << 20):.1f} MiB"
