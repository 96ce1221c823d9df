"""Neural networks (MLeap's ``core.ann`` and ``core.classification``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from leapstream.ops.base import attribute, require
from leapstream.ops.classifier import ProbabilisticClassifier
from leapstream.ops.linear import dense_product
from leapstream.ops.lowering import Lowering
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Expr


@dataclass(frozen=True, eq=False)
class MultiLayerPerceptronClassifier(ProbabilisticClassifier):
    """Fully connected layers with logistic activation (MLeap ``MultiLayerPerceptronClassifierModel``).

    The raw prediction is the output of the last layer, without activation; the probabilities are its softmax.

    Attributes:
        layers: sizes of the layers, from features to classes.
        weights: float64, layer by layer: the matrix (outputs, inputs) in column-major order, then the intercepts.
        thresholds: a number per class; the prediction is the class with the greatest probability divided by its threshold.
    """

    op: ClassVar[str] = "multi_layer_perceptron_classifier"
    layers: tuple[int, ...] = attribute("list<long>")
    weights: npt.NDArray[np.float64] = attribute("vector")
    thresholds: tuple[float, ...] | None = attribute("list<double>", default=None)

    def __post_init__(self) -> None:
        require(len(self.layers) >= 2, "there are fewer than two layers")
        require(min(self.layers) > 0, "a layer is empty")
        needed = sum((a + 1) * b for a, b in zip(self.layers, self.layers[1:], strict=False))
        require(len(self.weights) == needed, f"there are {len(self.weights)} weights, and {needed} are needed")
        self.check_classes()

    @property
    def num_features(self) -> int:  # type: ignore[override]
        """Number of features."""
        return self.layers[0]

    @property
    def num_classes(self) -> int:  # type: ignore[override]
        """Number of classes."""
        return self.layers[-1]

    def raw(self, lowering: Lowering, x: Expr) -> Expr:
        at = 0
        for number, (inputs, outputs) in enumerate(zip(self.layers, self.layers[1:], strict=False)):
            if number > 0:
                x = lowering.add(p.Unary(x=x, function="logistic", type=x.type))
            matrix = self.weights[at : at + inputs * outputs].reshape(outputs, inputs, order="F")
            at += inputs * outputs
            intercepts = self.weights[at : at + outputs]
            at += outputs
            x = dense_product(lowering, x, matrix, intercepts)
        return x

    def probability(self, lowering: Lowering, raw: Expr) -> Expr:
        return lowering.add(p.ExpNormalize(x=raw, type=raw.type))
