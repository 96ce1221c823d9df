"""Models that another library runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from leapstream.plan.graph import Expr


@dataclass(frozen=True, eq=False)
class Graph:
    """A TensorFlow graph; compared by identity.

    Attributes:
        data: a ``GraphDef``, or a zip of a SavedModel's directory.
        format: which of them.
        feeds: names of the tensors that are given.
        fetches: names of those that are asked for.
        targets: names of the operations that run besides.
    """

    data: bytes = field(repr=False)
    format: Literal["graph", "saved_model"]
    feeds: tuple[str, ...]
    fetches: tuple[str, ...]
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class TensorFlow(Expr):
    """A tensor that a TensorFlow graph computes of the tensors ``xs``, row by row; fails where the library raises.

    Attributes:
        xs: the graph's feeds.
        graph: the graph, the same for all expressions that come of one run of it.
        fetch: which of its fetches.
    """

    xs: tuple[Expr, ...]
    graph: Graph
    fetch: int
