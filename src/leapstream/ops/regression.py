"""Regression models that are neither linear nor trees (MLeap's ``core.regression``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from leapstream.bundle.types import DataType
from leapstream.ops.base import DOUBLE, Op, attribute, doubles, require
from leapstream.ops.lowering import Lowering
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Expr


@dataclass(frozen=True, eq=False)
class IsotonicRegression(Op):
    """Isotonic regression: linear between the boundaries, constant beyond them (MLeap ``IsotonicRegressionModel``).

    NaN gives the last prediction. At a boundary that repeats, the prediction is that of the one that Java's binary search finds.

    Attributes:
        boundaries: the features at which predictions are known, ascending.
        predictions: the prediction at each boundary.
        isotonic: true if predictions rise, false if they fall; not used.
        feature_index: index of the element of the vector ``features`` that is used; if it is ``None``, ``features`` is a number.
    """

    op: ClassVar[str] = "isotonic_regression"
    boundaries: tuple[float, ...] = attribute("list<double>")
    predictions: tuple[float, ...] = attribute("list<double>")
    isotonic: bool = attribute("boolean")
    feature_index: int | None = attribute("long", default=None)

    def __post_init__(self) -> None:
        require(len(self.boundaries) == len(self.predictions), "boundaries and predictions differ in length")
        require(len(self.boundaries) > 0, "there are no boundaries")
        require(self.feature_index is None or 0 <= self.feature_index < 2**31, "feature_index is out of range")

    def inputs(self) -> dict[str, DataType]:
        return {"features": DOUBLE if self.feature_index is None else doubles(None)}

    def outputs(self) -> dict[str, DataType]:
        return {"prediction": DOUBLE}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        x = inputs[0]
        if self.feature_index is not None:
            x = lowering.add(p.Item(x=x, index=self.feature_index, type=DOUBLE))
        boundaries, predictions = np.array(self.boundaries), np.array(self.predictions)
        return {
            "prediction": lowering.add(p.Interpolate(x=x, boundaries=boundaries, predictions=predictions, type=DOUBLE)),
        }
