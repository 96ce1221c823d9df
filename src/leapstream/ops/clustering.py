"""Clustering models (MLeap's ``core.clustering``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from leapstream.bundle.types import DataType
from leapstream.ops.base import Op, attribute, doubles, register, require
from leapstream.ops.lowering import Lowering
from leapstream.plan import primitives as p
from leapstream.plan.primitives import INT, Expr


@register
@dataclass(frozen=True, eq=False)
class KMeans(Op):
    """Number of the nearest centre by euclidean distance (MLeap ``KMeansModel``).

    A bundle does not say which distance a model was trained with; MLeap uses the euclidean one.

    Attributes:
        cluster_centers: float64 (features,) each.
        num_features: number of features.
    """

    op: ClassVar[str] = "k_means"
    cluster_centers: tuple[npt.NDArray[np.float64], ...] = attribute("list<vector>")
    num_features: int = attribute("long")

    def __post_init__(self) -> None:
        require(len(self.cluster_centers) > 0, "there are no cluster centers")
        require(len({len(c) for c in self.cluster_centers}) == 1, "the cluster centers differ in size")

    def inputs(self) -> dict[str, DataType]:
        return {"features": doubles(self.num_features)}

    def outputs(self) -> dict[str, DataType]:
        return {"prediction": INT}

    def lower(self, b: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        return {"prediction": b.add(p.Nearest(x=inputs[0], centers=np.stack(self.cluster_centers), type=INT))}
