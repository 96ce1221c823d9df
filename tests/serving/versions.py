"""Models that differ in their answers and not in their columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from leapstream import Model, save
from leapstream.bundle.frame import LeapFrame
from leapstream.contract import record
from leapstream.ops.linear import LinearRegression
from tests.pipelines import node


def adding(number: float) -> Model:
    """The model that adds a number to the only element of ``x``."""
    op = LinearRegression(np.array([1.0]), number)
    return Model.from_node(node("add", op, {"features": "x"}, {"prediction": "sum"}))


def saved(number: float, path: Path) -> str:
    """The bundle of the model that adds a number, in a file of this name."""
    save(adding(number), path)
    return str(path)


def contract_of(number: float, folder: Path) -> Path:
    """A contract that the model that adds a number fulfils, and no other."""
    record(adding(number), LeapFrame.from_bytes(_INPUT), folder)
    return folder


_INPUT = (
    b'{"schema": {"fields": [{"name": "x", "type": {"type": "tensor", "base": "double", "dimensions": [1]}}]}, '
    b'"rows": [[{"values": [1.0], "dimensions": [1]}], [{"values": [2.5], "dimensions": [1]}]]}'
)
