"""Pipelines: nodes that connect ops to columns, read from and written to bundles, and lowered to plans."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np

from leapstream.bundle import values
from leapstream.bundle.definition import ModelDef, NodeDef, Socket, Value
from leapstream.bundle.malformed import first_repeated
from leapstream.bundle.types import BasicType, DataType, Field, MapType, Schema
from leapstream.errors import BundleError, SchemaError
from leapstream.ops.base import Op, find_op
from leapstream.ops.lowering import Lowering
from leapstream.plan.graph import Plan
from leapstream.plan.planning import make_plan

PIPELINE = "pipeline"

_STEPS, _STEP_OF_NODE = "leapstream_steps", "leapstream_step_of_node"
"""Attributes of a pipeline, which other readers ignore: the steps, and the number of each node's step, or -1."""


@dataclass(frozen=True)
class Node:
    """An op whose ports are connected to columns.

    Attributes:
        name: name of the node, unique in its pipeline.
        op: the op that it computes.
        inputs: column of each input port.
        outputs: column of each output port that is connected.
        step: the place of the step that it was exported from, such as ``Pipeline > 'scale' (StandardScaler)``; ``None`` if it is
            not known.
    """

    name: str
    op: Op
    inputs: tuple[Socket, ...]
    outputs: tuple[Socket, ...]
    step: str | None = field(default=None, compare=False)

    def input_columns(self) -> dict[str, str]:
        """The column that each of the op's input ports reads.

        Raises:
            BundleError: a port is not connected.
        """
        return dict(_connect(self.inputs, list(self.op.inputs()), self.name, "input", optional=False))

    def output_columns(self) -> dict[str, str]:
        """The column that each connected output port of the op writes, in the op's order."""
        return dict(_connect(self.outputs, list(self.op.outputs()), self.name, "output", optional=True))

    def used_columns(self) -> dict[str, str]:
        """The columns of :meth:`output_columns` but those that :func:`fill_ports` made, which nothing reads or returns."""
        return {port: column for port, column in self.output_columns().items() if not column.startswith(UNUSED)}


def _connect(
    sockets: Sequence[Socket], ports: Sequence[str], node: str, legacy: str, *, optional: bool
) -> Iterator[tuple[str, str]]:
    """Pairs of port and column; the first port may have the name ``input`` in place of ``input0``, as in older bundles."""
    columns = {socket.port: socket.name for socket in sockets}
    for port in ports:
        if port in columns:
            yield port, columns[port]
        elif port == f"{legacy}0" and legacy in columns:
            yield port, columns[legacy]
        elif not optional:
            raise BundleError(f"node {node!r}: its input port {port!r} is not connected")


@dataclass(frozen=True)
class Pipeline:
    """Nodes that run one after the other; pipelines may be nested.

    Attributes:
        name: name of the node that holds the pipeline.
        nodes: nodes and nested pipelines.
    """

    name: str
    nodes: tuple[Node | Pipeline, ...]

    def steps(self) -> Iterator[Node]:
        """All nodes in the order in which they run, those of nested pipelines included."""
        for node in self.nodes:
            if isinstance(node, Pipeline):
                yield from node.steps()
            else:
                yield node


Root: TypeAlias = Node | Pipeline

UNUSED = "__unused_"
"""Prefix of the columns that only keep a port connected."""


def fill_ports(root: Root) -> Root:
    """The node or pipeline as MLeap's runtime needs it in a bundle.

    The ports that the runtime computes in any case are connected, to a column of their own where they were not; and ports have
    the names that all versions read.
    """
    if isinstance(root, Pipeline):
        return replace(root, nodes=tuple(map(fill_ports, root.nodes)))
    names, columns = root.op.bundle_ports(), root.output_columns()
    for port in root.op.computed_ports():
        columns.setdefault(port, f"{UNUSED}{root.name}_{port}")
    return replace(
        root,
        inputs=tuple(Socket(names.get(port, port), column) for port, column in root.input_columns().items()),
        outputs=tuple(Socket(names.get(p, p), columns[p]) for p in root.op.outputs() if p in columns),
    )


def only_used(root: Root) -> Root:
    """The node or pipeline without the columns that :func:`fill_ports` made."""
    if isinstance(root, Pipeline):
        return replace(root, nodes=tuple(map(only_used, root.nodes)))
    return replace(root, outputs=tuple(Socket(port, column) for port, column in root.used_columns().items()))


def read_node(definition: NodeDef, where: str) -> Root:
    """Make a node or pipeline from a bundle's definition.

    Raises:
        BundleError: something is missing or does not fit; the message begins with ``where``.
        UnsupportedOpError: an op is not known.
    """
    model = definition.model
    here = f"{where}, node {definition.name!r}"
    if model.op != PIPELINE:
        op = find_op(model.op, here).from_model(model, here)
        node = Node(definition.name, op, definition.inputs, definition.outputs)
        try:
            node.input_columns()
        except BundleError as error:
            raise BundleError(f"{where}: {error}") from error
        return node
    if "nodes" not in model.attributes:
        raise BundleError(f"{here}: the pipeline has no attribute 'nodes'")
    names = values.get_list(model.attributes["nodes"], "string")
    repeated = first_repeated(names)
    if repeated is not None:
        raise BundleError(f"{here}: the pipeline names its node {repeated!r} twice")
    children = []
    for name in names:
        if name not in model.nodes:
            raise BundleError(f"{here}: the pipeline's node {name!r} is missing")
        children.append(read_node(model.nodes[name], where))
    steps_of = _read_steps(model, len(names), here)
    return Pipeline(definition.name, tuple(map(_within, children, steps_of)))


def _within(root: Root, step: str | None) -> Root:
    return replace(root, step=step) if isinstance(root, Node) and step is not None else root


def _read_steps(model: ModelDef, count: int, where: str) -> list[str | None]:
    """The step of each node of a pipeline."""
    if _STEPS not in model.attributes or _STEP_OF_NODE not in model.attributes:
        return [None] * count
    known = values.get_list(model.attributes[_STEPS], "string")
    numbers = values.get_list(model.attributes[_STEP_OF_NODE], "int")
    if len(numbers) != count or not all(-1 <= number < len(known) for number in numbers):
        raise BundleError(f"{where}: the attribute {_STEP_OF_NODE!r} does not number the step of each node")
    return [None if number < 0 else known[number] for number in numbers]


def write_node(root: Root) -> NodeDef:
    """The definition that represents a node or pipeline in a bundle.

    Raises:
        BundleError: two nodes of a pipeline have the same name.
    """
    if isinstance(root, Node):
        return NodeDef(root.name, root.inputs, root.outputs, root.op.to_model())
    nodes = {node.name: write_node(node) for node in root.nodes}
    if len(nodes) != len(root.nodes):
        raise BundleError(f"pipeline {root.name!r}: the names of its nodes repeat")
    model = ModelDef(PIPELINE, {"nodes": values.list_of("string", nodes), **_written_steps(root)}, nodes=nodes)
    return NodeDef(root.name, (), (), model)


def _written_steps(pipeline: Pipeline) -> dict[str, Value]:
    found = [node.step if isinstance(node, Node) else None for node in pipeline.nodes]
    known = list(dict.fromkeys(step for step in found if step is not None))
    if not known:
        return {}
    positions = {step: position for position, step in enumerate(known)}
    numbers = [-1 if step is None else positions[step] for step in found]
    return {_STEPS: values.list_of("string", known), _STEP_OF_NODE: values.list_of("int", numbers)}


def steps(root: Root) -> list[Node]:
    """The nodes in the order in which they run."""
    return [root] if isinstance(root, Node) else list(root.steps())


def declared_inputs(root: Root) -> Schema:
    """The columns that have to be given, in the order of their first use, with the type of the first port that reads them."""
    produced: set[str] = set()
    needed: dict[str, DataType] = {}
    for node in steps(root):
        for (_, data_type), column in zip(node.op.inputs().items(), node.input_columns().values(), strict=True):
            if column not in produced:
                needed.setdefault(column, data_type)
        produced.update(node.output_columns().values())
    return Schema(tuple(Field(name, data_type) for name, data_type in needed.items()))


def read_as_several_types(root: Root) -> frozenset[str]:
    """The given columns that ports read as different types; sizes of tensors are ignored."""
    declared = {f.name: _kind(f.type) for f in declared_inputs(root)}
    return frozenset(
        column
        for node in steps(root)
        for data_type, column in zip(node.op.inputs().values(), node.input_columns().values(), strict=True)
        if declared.get(column, _kind(data_type)) != _kind(data_type)
    )


def _kind(data_type: DataType) -> tuple[type, BasicType, BasicType | None]:
    return type(data_type), data_type.base, data_type.key if isinstance(data_type, MapType) else None


def produced_columns(root: Root) -> Schema:
    """The columns that the nodes add, in order.

    Raises:
        SchemaError: two nodes write the same column.
    """
    columns: list[Field] = []
    for node in steps(root):
        types = node.op.outputs()
        columns.extend(Field(column, types[port]) for port, column in node.used_columns().items())
    try:
        return Schema(tuple(columns))
    except ValueError as error:
        raise SchemaError(f"pipeline {root.name!r}: two nodes write the same column: {error}") from error


def lower(root: Root, model: str, given: Schema, outputs: Sequence[str] | None = None) -> Plan:
    """Lower a pipeline to a plan.

    Args:
        root: a node or pipeline.
        model: the model's name, for error messages.
        given: names and types of the given columns.
        outputs: columns to compute; by default every column that the nodes add, in order.

    A node that drops rows by a column that is not given drops none, unless the outputs need that column.

    Raises:
        SchemaError: the outputs need a column that is not given, a column cannot be cast, or an output exists already, is
            unknown or is asked for twice.
    """
    lowering = Lowering(model, given)
    added: list[str] = []
    for node in steps(root):
        lowering.enter(node.name, node.op.op)
        columns = node.used_columns()
        types = node.op.inputs()
        reads = [
            lowering.read(
                column,
                types[port],
                keep_dimensions=node.op.keeps_dimensions,
                missing_texts=node.op.missing_texts,
            )
            for port, column in node.input_columns().items()
        ]
        with np.errstate(all="ignore"):
            results = node.op.lower(lowering, *reads, wanted=frozenset(columns))
        for port, column in columns.items():
            lowering.write(column, results[port])
            added.append(column)
    wanted = added if outputs is None else list(outputs)
    unknown = [name for name in wanted if name not in lowering.columns or name in lowering.absent]
    if unknown:
        known = ", ".join(name for name in lowering.columns if name not in lowering.absent)
        raise SchemaError(f"model {model!r} has no column {unknown[0]!r}; it has: {known}")
    repeated = first_repeated(wanted)
    if repeated is not None:
        raise SchemaError(f"model {model!r}: the outputs have column {repeated!r} twice")
    everything = Schema((*given, *(Field(name, lowering.columns[name].type) for name in lowering.absent)))
    found = [(name, lowering.columns[name]) for name in wanted]
    plan = make_plan(model, everything, lowering.created, found, lowering.absent.keys())
    for f in plan.inputs:
        if f.name in lowering.absent:
            raise lowering.missing(f.name)
    return plan
