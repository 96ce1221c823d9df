"""The graph that exporters build: nodes over named columns, and the features that pass from one step to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from leapstream.bundle.definition import Socket
from leapstream.bundle.types import DataShape
from leapstream.errors import SchemaError
from leapstream.exporters.portable import portable
from leapstream.model import Model
from leapstream.ops.base import Op
from leapstream.ops.feature import (
    PCA,
    ElementwiseProduct,
    MinMaxScaler,
    StandardScaler,
    VectorAssembler,
    VectorSlicer,
)
from leapstream.ops.linear import LinearRegression
from leapstream.ops.pipeline import Node, Pipeline

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Block:
    """A column that holds one feature or several.

    Attributes:
        column: name of the column.
        width: number of features in a vector; ``None`` for a scalar, which is one feature.
        text: true if the column holds strings.
        fill: text that replaces a missing string, if an imputer said so.
        dense: true if the column's vectors store all elements in every row (see :mod:`leapstream.plan.primitives`).
        sparse: true if the original library keeps these features in a sparse matrix at this point.
        origin: the features of which these are non-decreasing functions, if there are such.
    """

    column: str
    width: int | None = None
    text: bool = False
    fill: str | None = None
    dense: bool = True
    sparse: bool = False
    origin: Origin | None = field(default=None, repr=False)

    @property
    def size(self) -> int:
        """Number of features."""
        return 1 if self.width is None else self.width


@dataclass(frozen=True, eq=False)
class Origin:
    """The features that a block was computed from, where each is a non-decreasing function of one other, and NaN of NaN.

    A step that compares can compare the original features instead, see :func:`leapstream.exporters.trees.folded`.

    Attributes:
        source: the block with the original features.
        positions: for each feature of the block, its position in ``source``.
        function: computes features from the original ones and their positions, with the rounding of the original library;
            ``None`` if the features are copies.
    """

    source: Block
    positions: Ints
    function: Rising | None = None


Rising: TypeAlias = "Callable[[Doubles, Ints], Doubles]"

Features = tuple[Block, ...]
"""The columns that make up a matrix of features, from left to right."""


def size(features: Features) -> int:
    """Number of features."""
    return sum(block.size for block in features)


def is_sparse(features: Features) -> bool:
    """True if the original library keeps the features in a sparse matrix."""
    return any(block.sparse for block in features)


def with_sparsity(features: Features, sparse: bool) -> Features:
    """A copy of the features with ``Block.sparse`` set."""
    return tuple(replace(block, sparse=sparse) for block in features)


def rising(results: Features, source: Block, function: Rising) -> Features:
    """The features ``results``, marked as non-decreasing functions of those of ``source``, in the same order."""
    marked, start = [], 0
    for block in results:
        positions = np.arange(start, start + block.size)
        start += block.size
        marked.append(
            replace(block, origin=Origin(source, positions, function)) if block.column != source.column else block
        )
    return tuple(marked)


class Graph:
    """Collects nodes, and gives columns and nodes distinct names."""

    def __init__(self, given: Sequence[str]) -> None:
        self.nodes: list[Node] = []
        self._columns = set(given)
        self._counts: dict[str, int] = {}
        self._made: dict[tuple[str, ...], Block] = {}
        self._step: str | None = None
        self._makers: dict[str, str] = {}
        self.steps: dict[str, str] = {}
        """The place of the step that each node comes from, by the name of the node."""

    @contextmanager
    def within(self, step: str) -> Iterator[None]:
        """Let the nodes that are added belong to a step; ``step`` is its place for messages."""
        outer, self._step = self._step, step
        try:
            yield
        finally:
            self._step = outer

    def column(self, wanted: str) -> str:
        """Reserve a name for a new column: ``wanted``, with a number appended if it is in use."""
        name, number = wanted, 1
        while name in self._columns:
            number += 1
            name = f"{wanted}_{number}"
        self._columns.add(name)
        return name

    def add(self, op: Op, inputs: Sequence[str], outputs: Mapping[str, str]) -> dict[str, str]:
        """Add a node.

        Args:
            op: the node's op.
            inputs: the column of each input port, in the order of the op's ports.
            outputs: the wanted column name of each output port that is connected.

        Returns:
            the column of each connected output port.
        """
        self._counts[op.op] = number = self._counts.get(op.op, 0) + 1
        columns = {port: self.column(wanted) for port, wanted in outputs.items()}
        reads = tuple(Socket(port, name) for port, name in zip(op.inputs(), inputs, strict=True))
        writes = tuple(Socket(port, name) for port, name in columns.items())
        name = f"{op.op}_{number}"
        self.nodes.append(Node(name, op, reads, writes))
        # A node that no step adds, such as one that looks up labels, belongs to the step whose column it reads.
        step = self._step or next((self._makers[column] for column in inputs if column in self._makers), None)
        if step is not None:
            self.steps[name] = step
            self._makers.update(dict.fromkeys(columns.values(), step))
        return columns

    def apply(self, op: Op, block: Block, suffix: str, width: int | None, *, dense: bool = True) -> Block:
        """Add a node of an op with the ports ``input`` and ``output``; returns its output column."""
        columns = self.add(op, [block.column], {"output": f"{block.column}_{suffix}"})
        return Block(columns["output"], width, dense=dense, sparse=block.sparse)

    def model(self, name: str, outputs: Sequence[str]) -> Model:
        """The model of those nodes that ``outputs`` depend on; other nodes and columns are left out."""
        needed = set(outputs)
        nodes: list[Node] = []
        for node in reversed(self.nodes):
            used = tuple(socket for socket in node.outputs if socket.name in needed)
            if used:
                nodes.append(replace(node, outputs=used))
                needed.update(socket.name for socket in node.inputs)
        placed = [self._placed(node) for node in portable(reversed(nodes), self.column)]
        return Model.from_node(Pipeline(name, tuple(placed)), name=name)

    def _placed(self, node: Node) -> Node:
        """The node with its step; a copy of a column belongs to the step that made the column."""
        reads = (self._makers[socket.name] for socket in node.inputs if socket.name in self._makers)
        step = self.steps.get(node.name) or next(reads, None)
        if step is not None:
            self._makers.update((socket.name, step) for socket in node.outputs)
        return replace(node, step=step)

    # ---- features of other shapes -------------------------------------------------------------------------------------

    def vector(self, features: Features) -> Block:
        """The features as one vector column.

        Raises:
            SchemaError: a feature is a text.
        """
        texts = [block.column for block in features if block.text]
        if texts:
            raise SchemaError(f"numbers are expected, and the column {texts[0]!r} holds texts")
        if len(features) == 1 and features[0].width is not None:
            return features[0]
        key = ("vector", *(block.column for block in features))
        if key not in self._made:
            shapes = tuple(
                DataShape("scalar", False) if b.width is None else DataShape("tensor", False, (b.width,))
                for b in features
            )
            columns = self.add(VectorAssembler(shapes), [b.column for b in features], {"output": "features"})
            self._made[key] = Block(columns["output"], size(features), dense=False)
        return replace(self._made[key], sparse=is_sparse(features))

    def dense(self, features: Features) -> Block:
        """The features as one vector column that stores all elements, zeros included."""
        block = self.vector(features)
        if block.dense:
            return block
        key = ("dense", block.column)
        if key not in self._made:
            self._made[key] = self.apply(StandardScaler(mean=np.zeros(block.size)), block, "dense", block.size)
        return replace(self._made[key], sparse=block.sparse, origin=Origin(block, np.arange(block.size)))

    def scalars(self, features: Features) -> list[Block]:
        """The features as scalar columns, one for each."""
        return list(self._scalars(features))

    def _scalars(self, features: Features) -> Iterator[Block]:
        for block in features:
            if block.width is None:
                yield block
                continue
            whole = self.dense((block,))
            for i in range(whole.size):
                key = ("scalar", whole.column, str(i))
                if key not in self._made:
                    self._made[key] = self.apply(_slicer([i], whole.size), whole, str(i), None)
                yield replace(self._made[key], sparse=block.sparse, origin=Origin(block, np.array([i])))

    def take(self, features: Features, positions: Sequence[int]) -> Features:
        """The features at ``positions``, in that order."""
        places = [(number, at) for number, block in enumerate(features) for at in range(block.size)]
        taken: list[Block] = []
        for number, group in groupby((places[position] for position in positions), key=lambda place: place[0]):
            block, chosen = features[number], [at for _, at in group]
            if block.width is None:
                taken.extend([block] * len(chosen))
            elif chosen == list(range(block.width)):
                taken.append(block)
            else:
                op = _slicer(chosen, block.width)
                part = self.apply(op, block, "slice", len(chosen), dense=block.dense)
                taken.append(replace(part, origin=Origin(block, np.array(chosen))))
        return tuple(taken)

    # ---- linear algebra -----------------------------------------------------------------------------------------------

    def scale(
        self, features: Features, suffix: str, *, shift: Doubles | None = None, divisor: Doubles | None = None
    ) -> Block:
        """``(x - shift) * (1 / divisor)``, element by element."""
        block = self.vector(features)
        if shift is None and divisor is None:
            return block
        op = StandardScaler(mean=shift, std=divisor)
        return self.apply(op, block, suffix, block.size, dense=block.dense or shift is not None)

    def standardize(
        self, features: Features, suffix: str, *, shift: Doubles | None = None, divisor: Doubles | None = None
    ) -> Block:
        """``(x - shift) / divisor``, element by element, with the rounding of a division. No divisor may be 0.

        MLeap's ``standard_scaler`` multiplies by ``1 / std``, whose last bit may differ. Its ``min_max_scaler`` divides, and from
        0 to ``divisor`` it does nothing else.
        """
        if divisor is None:
            return self.scale(features, suffix, shift=shift)
        block = self.scale(features, "centered", shift=shift)
        return self.apply(MinMaxScaler(np.zeros(block.size), divisor), block, suffix, block.size)

    def multiply(self, features: Features, suffix: str, factors: Doubles) -> Block:
        """``x * factors``, element by element."""
        block = self.vector(features)
        return self.apply(ElementwiseProduct(factors), block, suffix, block.size, dense=block.dense)

    def matrix(self, features: Features, suffix: str, matrix: Doubles, offset: Doubles | None = None) -> Block:
        """``x @ matrix + offset`` for a matrix of shape (features, results)."""
        block = self.vector(features)
        result = self.apply(PCA(np.ascontiguousarray(matrix)), block, suffix, matrix.shape[1])
        return result if offset is None else self.scale((result,), "shifted", shift=-offset)

    def linear(self, features: Features, suffix: str, coefficients: Doubles, intercept: float = 0.0) -> Block:
        """``x · coefficients + intercept``, a number."""
        block = self.vector(features)
        op = LinearRegression(np.asarray(coefficients, dtype=np.float64), float(intercept))
        return Block(self.add(op, [block.column], {"prediction": f"{block.column}_{suffix}"})["prediction"])


def _slicer(indices: Sequence[int], width: int) -> VectorSlicer:
    return VectorSlicer(tuple(int(i) for i in indices), (), (), width)
