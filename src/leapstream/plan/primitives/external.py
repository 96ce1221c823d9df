"""Models that another library runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from leapstream.plan.graph import Expr


@dataclass(frozen=True, eq=False)
class Graph:
    """A TensorFlow graph. Graphs are compared by identity.

    Attributes:
        data: a ``GraphDef``, or a zip of a SavedModel's directory.
        format: the format of ``data``.
        feeds: names of the input tensors.
        fetches: names of the output tensors.
        targets: names of further operations to run.
    """

    data: bytes = field(repr=False)
    format: Literal["graph", "saved_model"]
    feeds: tuple[str, ...]
    fetches: tuple[str, ...]
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class TensorFlow(Expr):
    """A tensor that a TensorFlow graph computes from the tensors ``xs``, row by row; fails where TensorFlow raises.

    Attributes:
        xs: the values of the graph's feeds.
        graph: the graph; expressions with one ``Graph`` object share one run of it.
        fetch: index of the tensor in the graph's fetches.
    """

    xs: tuple[Expr, ...]
    graph: Graph
    fetch: int

    @property
    def takes_tensors(self) -> bool:
        return True
