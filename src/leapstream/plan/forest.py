"""The trees of an ensemble in flat arrays, as both executors walk them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from leapstream.bundle.definition import LEAF
from leapstream.plan.primitives import Trees


@dataclass(frozen=True, eq=False)
class Forest:
    """Trees one after the other; the fields are those of :class:`~leapstream.bundle.definition.Tree`.

    ``root`` has the place of each tree's first node; ``right`` and the data slices count from the start of the arrays. For
    ``votes`` each leaf's values are divided by their sum, and 0 where that is 0.
    """

    root: npt.NDArray[np.int32]
    kind: npt.NDArray[np.uint8]
    feature: npt.NDArray[np.int32]
    threshold: npt.NDArray[np.float64]
    right: npt.NDArray[np.int32]
    data_start: npt.NDArray[np.int32]
    data_end: npt.NDArray[np.int32]
    data: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]


def make_forest(expr: Trees) -> Forest:
    """The trees of an ensemble; every weight is 1 when it has none."""
    trees = expr.trees
    nodes = np.cumsum([0, *(len(t.kind) for t in trees)])[:-1]
    starts = np.cumsum([0, *(len(t.data) for t in trees)])[:-1]

    def joined(name: str, offsets: npt.NDArray[Any] | None = None) -> npt.NDArray[Any]:
        parts: list[npt.NDArray[Any]] = [getattr(t, name) for t in trees]
        if offsets is None:
            return np.concatenate(parts)
        moved = np.concatenate([part + at for part, at in zip(parts, offsets, strict=True)])
        return np.asarray(moved, dtype=np.int32)

    forest = Forest(
        root=nodes.astype(np.int32),
        kind=joined("kind"),
        feature=joined("feature"),
        threshold=joined("threshold"),
        right=joined("right", nodes),
        data_start=joined("data_start", starts),
        data_end=joined("data_end", starts),
        data=joined("data"),
        weights=np.ones(len(trees)) if expr.weights is None else np.ascontiguousarray(expr.weights, dtype=np.float64),
    )
    if expr.combine == "votes":
        for leaf in np.flatnonzero(forest.kind == LEAF):
            values = forest.data[forest.data_start[leaf] : forest.data_end[leaf]]
            total = sum(values.tolist())
            values[:] = values / total if total != 0 else 0.0
    return forest
