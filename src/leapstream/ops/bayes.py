"""Naive Bayes (MLeap's ``core.classification.NaiveBayesModel``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from leapstream.bundle import values
from leapstream.bundle.definition import ModelDef
from leapstream.ops.base import Op, attribute, doubles, require
from leapstream.ops.classifier import ProbabilisticClassifier
from leapstream.ops.lowering import Lowering
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Expr

Doubles = npt.NDArray[np.float64]

_TYPES = ("multinomial", "bernoulli", "gaussian", "complement")


@dataclass(frozen=True, eq=False)
class NaiveBayes(ProbabilisticClassifier):
    """Naive Bayes; the probabilities are the softmax of the raw predictions.

    The raw predictions, by model type, with f the features:

    - ``multinomial``: ``theta @ f + pi``.
    - ``bernoulli``: ``theta @ f + log(1 - exp(theta)) @ (1 - f) + pi``; fails for a feature that is neither 0 nor 1.
    - ``gaussian``: ``pi - sum((f - theta)**2 / sigma + log(sigma)) / 2``.
    - ``complement``: ``theta @ f`` minus the logarithm of the sum of its exponentials; fails for a feature less than 0.

    MLeap's exporter writes the last two types, but its runtime rejects them; here they give Spark's results. In a multinomial
    model a feature less than 0 fails in Spark, but not in MLeap.

    Attributes:
        num_features: number of features.
        num_classes: number of classes.
        pi: float64 (classes,), logarithms of the classes' probabilities.
        theta: float64 (classes, features); column-major in bundles.
        model_type: multinomial, bernoulli, gaussian or complement.
        sigma: float64 (classes, features), the variances of a gaussian model; empty or ``None`` for other types.
        thresholds: a number per class; the prediction is the class with the greatest probability divided by its threshold.
    """

    op: ClassVar[str] = "naive_bayes"
    num_features: int = attribute("long")
    num_classes: int = attribute("long")
    pi: Doubles = attribute("vector")
    theta: Doubles = attribute("matrix")
    model_type: str = attribute("string")
    sigma: Doubles | None = attribute("matrix", default=None)
    thresholds: tuple[float, ...] | None = attribute("list<double>", default=None)

    def __post_init__(self) -> None:
        require(self.model_type in _TYPES, f"model_type {self.model_type!r} is none of {', '.join(_TYPES)}")
        self.check_classes()
        require(
            len(self.pi) == len(self.theta) == self.num_classes, "there is not one pi and one row of theta per class"
        )
        require(0 < self.num_features == self.theta.shape[1], "theta has not one column per feature")
        if self.model_type == "gaussian":
            fits = self.sigma is not None and self.sigma.shape == self.theta.shape
            require(fits, "a gaussian model has no sigma of the same shape as theta")

    def mleap_gap(self) -> str | None:
        known = self.model_type in ("multinomial", "bernoulli")
        return None if known else f"no version of MLeap has the type {self.model_type!r}"

    @classmethod
    def read(cls, model: ModelDef, where: str) -> Op:
        """Read the attributes as declared; MLeap's writer begins the type with a capital letter, which its reader rejects."""
        kind = model.attributes.get("model_type")
        if kind is not None and values.get_scalar(kind, "string") in ("Multinomial", "Bernoulli"):
            lower = values.scalar("string", values.get_scalar(kind, "string").lower())
            model = ModelDef(model.op, {**model.attributes, "model_type": lower})
        return super().read(model, where)

    def raw(self, lowering: Lowering, x: Expr) -> Expr:
        if self.model_type == "gaussian":
            return self._gaussian(lowering, x)
        if self.model_type == "complement":
            x = lowering.add(p.RequireElements(x=x, allowed="nonnegative", type=x.type))
            linear = self._linear(lowering, x, self.theta, np.zeros(self.num_classes))
            return lowering.add(p.ExpNormalize(x=linear, log=True, type=linear.type))
        if self.model_type == "bernoulli":
            x = lowering.add(p.RequireElements(x=x, allowed="zero_or_one", type=x.type))
            with np.errstate(all="ignore"):
                absent = np.log(1.0 - np.exp(self.theta))
                return self._linear(lowering, x, self.theta - absent, self.pi + absent.sum(axis=1))
        return self._linear(lowering, x, self.theta, self.pi)

    def _linear(self, lowering: Lowering, x: Expr, matrix: Doubles, intercepts: Doubles) -> Expr:
        return lowering.add(p.MatVec(x=x, matrix=matrix, intercepts=intercepts, type=doubles(self.num_classes)))

    def _gaussian(self, lowering: Lowering, x: Expr) -> Expr:
        assert self.sigma is not None
        width = self.num_classes
        distances = lowering.add(p.ScaledDistances(x=x, centers=self.theta, scales=self.sigma, type=doubles(width)))
        with np.errstate(all="ignore"):
            logs = np.log(self.sigma).sum(axis=1)
        halves = np.full(width, -0.5)
        return lowering.add(
            p.Affine(x=distances, size=width, shift=-logs, factor=halves, offset=self.pi, type=doubles(width))
        )

    def probability(self, lowering: Lowering, raw: Expr) -> Expr:
        return lowering.add(p.ExpNormalize(x=raw, type=raw.type))
