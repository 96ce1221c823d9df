"""Small pipelines that several tests share."""

from __future__ import annotations

from typing import Any

import numpy as np

from leapstream import Model
from leapstream.bundle.definition import Socket
from leapstream.ops.feature import StringIndexer
from leapstream.ops.linear import LinearRegression
from leapstream.ops.pipeline import Node, Pipeline


def node(name: str, op: Any, inputs: dict[str, str], outputs: dict[str, str]) -> Node:
    """A node of an op, with columns by port."""
    return Node(
        name,
        op,
        tuple(Socket(port, column) for port, column in inputs.items()),
        tuple(Socket(port, column) for port, column in outputs.items()),
    )


def labelled(invalid: str) -> Model:
    """A pipeline that still holds the indexer of its label ``y``; ``prediction`` is twice the vector ``x``."""
    return Model.from_node(
        Pipeline(
            "labelled",
            (
                node("index", StringIndexer((("no", "yes"),), invalid), {"input": "y"}, {"output": "label"}),
                node("line", LinearRegression(np.array([2.0]), 0.0), {"features": "x"}, {"prediction": "prediction"}),
            ),
        )
    )
