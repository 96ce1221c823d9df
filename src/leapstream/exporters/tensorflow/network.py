"""Adds the nodes of a dense network's layers, and fuses layers into MLeap's perceptron where it can."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from leapstream.exporters.graph import Block, Doubles, Graph
from leapstream.exporters.network import Layers, multiplied, perceptron, relu
from leapstream.exporters.predictors import softmax_layer
from leapstream.ops.feature import MathUnary
from leapstream.ops.feature.numbers import MathBinary


class Network:
    """A vector and the layers that have not become nodes yet; they are collected until a node needs their result.

    Attributes:
        graph: the graph to which nodes are added.
        block: the vector column.
        layers: the pending layers: for each a matrix (inputs, outputs), or the diagonal of one, and an offset; the logistic
            function is applied between them.
    """

    def __init__(self, graph: Graph, block: Block) -> None:
        self.graph = graph
        self.block = block
        self.layers = [_identity(block.size)]

    @property
    def width(self) -> int:
        """Number of features."""
        return len(self.layers[-1][1])

    def affine(self, factors: Doubles, offset: Doubles) -> None:
        """``x @ factors + offset``, or ``x * factors + offset`` for a diagonal."""
        matrix, before = self.layers[-1]
        shifted = before * factors if factors.ndim == 1 else before @ factors
        self.layers[-1] = _product(matrix, factors), shifted + offset

    def logistic(self) -> None:
        """``1 / (1 + exp(-x))``."""
        self.layers.append(_identity(self.width))

    def full(self) -> Layers:
        """The pending layers, with matrices in place of diagonals."""
        return [(np.diag(factors) if factors.ndim == 1 else factors, offset) for factors, offset in self.layers]

    def vector(self) -> Block:
        """Add nodes for the pending layers; returns the resulting vector column."""
        factors, offset = self.layers[0]
        if len(self.layers) > 1:
            block = self.graph.dense((self.block,))
            columns = self.graph.add(
                perceptron(self.full()), [block.column], {"raw_prediction": f"{block.column}_layers"}
            )
            self.block = Block(columns["raw_prediction"], self.width)
        elif factors.ndim == 2:
            self.block = self.graph.matrix((self.block,), "layer", factors, offset if offset.any() else None)
        else:
            if (factors != 1.0).any():
                self.block = self.graph.multiply((self.block,), "scaled", factors)
            if offset.any():
                self.block = self.graph.scale((self.block,), "shifted", shift=-offset)
        self.layers = [_identity(self.width)]
        return self.block

    def piecewise(
        self, slope: npt.ArrayLike, pieces: Sequence[tuple[float, npt.ArrayLike]], offset: float = 0.0
    ) -> None:
        """A piecewise linear function: ``slope * x + offset`` plus ``s * max(x - t, 0)`` for each piece (t, s).

        The slopes are numbers, or arrays (width,).
        """
        x, width = self.vector(), self.width
        parts: list[tuple[Block, npt.ArrayLike]] = [(x, slope)] if np.any(np.asarray(slope) != 0) else []
        for start, factor in pieces:
            shifted = self.graph.scale((x,), "shifted", shift=np.full(width, start)) if start else x
            parts.append((relu(self.graph, shifted), factor))
        self.combine(parts, offset)

    def combine(self, parts: Sequence[tuple[Block, npt.ArrayLike]], offset: float = 0.0) -> None:
        """The sum of ``factor * vector`` over the parts, plus ``offset``; a factor is a number or an array (width,)."""
        width = parts[0][0].size
        diagonals = [np.broadcast_to(np.asarray(factor, dtype=np.float64), width) for _, factor in parts]
        if len(parts) == 1:
            self.block, factors = parts[0][0], np.array(diagonals[0])
        else:
            self.block = self.graph.dense(tuple(block for block, _ in parts))
            factors = np.concatenate([np.diag(diagonal) for diagonal in diagonals])
        self.layers = [(factors, np.full(width, offset))]

    def multiply(self, factor: Block) -> None:
        """``x * factor``, element by element."""
        self.block = multiplied(self.graph, self.vector(), factor, "product")
        self.layers = [_identity(self.width)]

    def each(self, operation: MathUnary | MathBinary, *blocks: Block) -> Block:
        """An op on numbers, for each element of one vector, or for each pair of elements of two."""
        elements = zip(*(self.graph.scalars((block,)) for block in blocks), strict=True)
        name = f"{blocks[0].column}_{operation.operation}"
        columns = [self.graph.add(operation, [x.column for x in xs], {"output": name})["output"] for xs in elements]
        return self.graph.dense(tuple(map(Block, columns)))

    def softmax(self) -> None:
        """``exp(x) / sum(exp(x))``."""
        x = self.vector()
        columns = self.graph.add(softmax_layer(x.size), [x.column], {"probability": f"{x.column}_softmax"})
        self.block = Block(columns["probability"], x.size)


def _identity(width: int) -> tuple[Doubles, Doubles]:
    return np.ones(width), np.zeros(width)


def _product(matrix: Doubles, factors: Doubles) -> Doubles:
    """The matrix, or diagonal, of the composition of two linear maps."""
    if matrix.ndim == 1:
        return matrix * factors if factors.ndim == 1 else matrix[:, None] * factors
    return matrix * factors if factors.ndim == 1 else matrix @ factors
