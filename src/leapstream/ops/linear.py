"""Linear models (MLeap's ``core.regression`` and ``core.classification``)."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from leapstream.bundle import values
from leapstream.bundle.definition import ModelDef
from leapstream.bundle.types import DataType
from leapstream.ops.attributes import CODECS
from leapstream.ops.base import DOUBLE, Op, attribute, doubles, require
from leapstream.ops.classifier import Classifier, ProbabilisticClassifier, margins
from leapstream.ops.lowering import Lowering
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Expr

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LinearRegression(Op):
    """``features · coefficients + intercept`` (MLeap ``LinearRegressionModel``).

    Attributes:
        coefficients: float64 (features,).
        intercept: the intercept.
    """

    op: ClassVar[str] = "linear_regression"
    coefficients: Doubles = attribute("vector")
    intercept: float = attribute("double")

    def inputs(self) -> dict[str, DataType]:
        return {"features": doubles(len(self.coefficients))}

    def outputs(self) -> dict[str, DataType]:
        return {"prediction": DOUBLE}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        return {"prediction": dot(lowering, inputs[0], self.coefficients, self.intercept)}


def dot(lowering: Lowering, x: Expr, weights: Doubles, intercept: float) -> Expr:
    """``x · weights + intercept``."""
    return lowering.add(p.Dot(x=x, weights=weights, intercept=intercept, type=DOUBLE))


def dense_product(lowering: Lowering, x: Expr, matrix: Doubles, intercepts: Doubles) -> Expr:
    """``matrix @ x + intercepts``, where elements that a sparse vector does not store take part too."""
    if not np.isfinite(matrix).all():
        # NaN or infinity times an element that is not stored is NaN. A sum with zeros is a dense vector.
        columns = matrix.shape[1]
        x = lowering.add(p.Affine(x=x, size=columns, offset=np.zeros(columns), type=x.type))
    return lowering.add(p.MatVec(x=x, matrix=matrix, intercepts=intercepts, type=doubles(len(matrix))))


_INVERSE_LINKS: dict[str, p.FunctionName | None] = {
    "identity": None,
    "logit": "logistic",
    "log": "exp",
    "inverse": "reciprocal",
    "probit": "normal_cdf",
    "cloglog": "complementary_log_log",
    "sqrt": "square",
}

_LEAST, _GREATEST = 1e-16, sys.float_info.max

_FAMILIES: dict[str, tuple[str, float, float]] = {
    "gaussian": ("identity", -_GREATEST, _GREATEST),
    "binomial": ("logit", _LEAST, 1.0 - _LEAST),
    "poisson": ("log", _LEAST, _GREATEST),
    "gamma": ("inverse", _LEAST, _GREATEST),
}
"""The link and the range of each family."""


@dataclass(frozen=True, eq=False)
class GeneralizedLinearRegression(Op):
    """The inverse link of a linear predictor, clipped to the family's range (MLeap ``GeneralizedLinearRegressionModel``).

    Every family can be combined with every link. Spark's tweedie family is not supported, as in MLeap, because a bundle lacks
    its powers; a bundle also lacks Spark's offset.

    Attributes:
        coefficients: float64 (features,).
        intercept: the intercept.
        family: gaussian, binomial, poisson or gamma.
        link: identity, logit, log, inverse, probit, cloglog or sqrt; ``None`` is the family's canonical link.
    """

    op: ClassVar[str] = "generalized_linear_regression"
    coefficients: Doubles = attribute("vector")
    intercept: float = attribute("double")
    family: str = attribute("string")
    link: str | None = attribute("string", default=None)

    def __post_init__(self) -> None:
        require(self.family in _FAMILIES, f"family {self.family!r} is none of {', '.join(_FAMILIES)}")
        known = self.link is None or self.link in _INVERSE_LINKS
        require(known, f"link {self.link!r} is none of {', '.join(_INVERSE_LINKS)}")

    def inputs(self) -> dict[str, DataType]:
        return {"features": doubles(len(self.coefficients))}

    def outputs(self) -> dict[str, DataType]:
        return {"prediction": DOUBLE, "link_prediction": DOUBLE}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        default_link, low, high = _FAMILIES[self.family]
        linear = dot(lowering, inputs[0], self.coefficients, self.intercept)
        unlink = _INVERSE_LINKS[self.link or default_link]
        mean = linear if unlink is None else lowering.add(p.Unary(x=linear, function=unlink, type=DOUBLE))
        return {"prediction": lowering.add(p.Clip(x=mean, low=low, high=high, type=DOUBLE)), "link_prediction": linear}


@dataclass(frozen=True, eq=False)
class LogisticRegression(ProbabilisticClassifier):
    """Logistic regression: binary, or multinomial if there are more than two classes (MLeap ``LogisticRegressionModel``).

    Binary, with m = features · coefficients + intercept: the raw prediction is (-m, m), the probabilities are its logistic
    function, and the prediction is 1 where the second probability is greater than ``threshold``. Multinomial: the raw prediction
    is ``coefficient_matrix @ features + intercept_vector``, and the probabilities are its softmax.

    Attributes:
        num_classes: number of classes.
        coefficients: binary: float64 (features,).
        intercept: binary: the intercept.
        threshold: binary: the threshold of the probability; 0.5 if a bundle lacks it.
        coefficient_matrix: multinomial: float64 (classes, features); column-major in bundles.
        intercept_vector: multinomial: float64 (classes,).
        thresholds: multinomial: a number per class; the prediction is the class with the greatest probability divided by its
            threshold.
    """

    op: ClassVar[str] = "logistic_regression"
    num_classes: int = attribute("long")
    coefficients: Doubles | None = attribute("vector", default=None)
    intercept: float | None = attribute("double", default=None)
    threshold: float | None = attribute("double", default=None)
    coefficient_matrix: Doubles | None = attribute("matrix", default=None)
    intercept_vector: Doubles | None = attribute("vector", default=None)
    thresholds: tuple[float, ...] | None = attribute("list<double>", default=None)

    @classmethod
    def read(cls, model: ModelDef, where: str) -> LogisticRegression:
        """Read the attributes of a binary or of a multinomial model, according to the number of classes."""
        require("num_classes" in model.attributes, "attribute 'num_classes' is missing")
        num_classes = values.get_scalar(model.attributes["num_classes"], "long")
        if num_classes > 2:
            kinds = {"coefficient_matrix": "matrix", "intercept_vector": "vector", "thresholds": "list<double>"}
        else:
            kinds = {"coefficients": "vector", "intercept": "double", "threshold": "double"}
        optional = {"thresholds", "threshold"}
        for name in kinds.keys() - optional:
            require(name in model.attributes, f"attribute {name!r} is missing")
        given = {
            name: CODECS[kind].decode(model.attributes[name])
            for name, kind in kinds.items()
            if name in model.attributes
        }
        if num_classes <= 2:
            given.setdefault("threshold", 0.5)
        return cls(num_classes, **given)

    def __post_init__(self) -> None:
        if self.num_classes > 2:
            require(self.coefficient_matrix is not None, "attribute 'coefficient_matrix' is missing")
            require(self.intercept_vector is not None, "attribute 'intercept_vector' is missing")
            assert self.coefficient_matrix is not None and self.intercept_vector is not None
            rows = len(self.coefficient_matrix)
            require(
                rows == len(self.intercept_vector) == self.num_classes, "there is not one row and intercept per class"
            )
            self.check_classes()
        else:
            require(self.coefficients is not None, "attribute 'coefficients' is missing")
            require(self.intercept is not None, "attribute 'intercept' is missing")

    @property
    def num_features(self) -> int:  # type: ignore[override]
        """Number of features."""
        if self.coefficient_matrix is not None:
            return int(self.coefficient_matrix.shape[1])
        assert self.coefficients is not None
        return len(self.coefficients)

    def outputs(self) -> dict[str, DataType]:
        width = max(self.num_classes, 2)
        return {"raw_prediction": doubles(width), "probability": doubles(width), "prediction": DOUBLE}

    def raw(self, lowering: Lowering, x: Expr) -> Expr:
        if self.coefficient_matrix is not None:
            assert self.intercept_vector is not None
            product = p.MatVec(
                x=x, matrix=self.coefficient_matrix, intercepts=self.intercept_vector, type=doubles(self.num_classes)
            )
            return lowering.add(product)
        assert self.coefficients is not None and self.intercept is not None
        return margins(lowering, dot(lowering, x, self.coefficients, self.intercept))

    def probability(self, lowering: Lowering, raw: Expr) -> Expr:
        if self.num_classes > 2:
            return lowering.add(p.Softmax(x=raw, type=raw.type))
        return lowering.add(p.Unary(x=raw, function="logistic", type=raw.type))

    def _limit(self) -> float:
        return 0.5 if self.threshold is None else self.threshold

    def from_probability(self, lowering: Lowering, probability: Expr) -> Expr:
        if self.num_classes > 2:
            return super().from_probability(lowering, probability)
        positive = lowering.add(p.Item(x=probability, index=1, type=DOUBLE))
        return lowering.add(p.Binarize(x=positive, threshold=self._limit(), type=DOUBLE))

    def from_raw(self, lowering: Lowering, raw: Expr) -> Expr:
        if self.num_classes > 2:
            return super().from_raw(lowering, raw)
        limit = self._limit()
        if limit == 0.0:
            raw_limit = -math.inf
        elif limit == 1.0:
            raw_limit = math.inf
        else:
            odds = limit / (1.0 - limit)
            raw_limit = math.log(odds) if odds > 0.0 else math.nan
        margin = lowering.add(p.Item(x=raw, index=1, type=DOUBLE))
        return lowering.add(p.Binarize(x=margin, threshold=raw_limit, type=DOUBLE))


@dataclass(frozen=True, eq=False)
class LinearSVC(Classifier):
    """A linear support vector machine as Spark fits it (MLeap ``LinearSVCModel``).

    With m = features · coefficients + intercept, the raw prediction is (-m, m), and the prediction is 1 where m is greater than
    ``threshold``, otherwise 0.

    Attributes:
        num_classes: 2.
        coefficients: float64 (features,).
        intercept: the intercept.
        threshold: the threshold of m.
    """

    op: ClassVar[str] = "linear_svc"
    num_classes: int = attribute("long")
    coefficients: Doubles = attribute("vector")
    intercept: float = attribute("double")
    threshold: float = attribute("double")

    def __post_init__(self) -> None:
        require(self.num_classes == 2, "only two classes are supported, by MLeap too")

    def inputs(self) -> dict[str, DataType]:
        return {"features": doubles(len(self.coefficients))}

    def outputs(self) -> dict[str, DataType]:
        return {"raw_prediction": doubles(2), "prediction": DOUBLE}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        margin = dot(lowering, inputs[0], self.coefficients, self.intercept)
        prediction = lowering.add(p.Binarize(x=margin, threshold=self.threshold, type=DOUBLE))
        return {"raw_prediction": margins(lowering, margin), "prediction": prediction}


@dataclass(frozen=True, eq=False)
class SupportVectorMachine(ProbabilisticClassifier):
    """A linear support vector machine of MLeap's own (``SupportVectorMachineModel``).

    With m = features · coefficients + intercept, both the raw prediction and the probability are (-m, m).

    Attributes:
        num_classes: 2.
        coefficients: float64 (features,).
        intercept: the intercept.
        thresholds: a number per class; the prediction is the class with the greatest raw prediction divided by its threshold.
    """

    op: ClassVar[str] = "support_vector_machine"
    num_classes: int = attribute("long")
    coefficients: Doubles = attribute("vector")
    intercept: float = attribute("double")
    thresholds: tuple[float, ...] | None = attribute("list<double>", default=None)

    def __post_init__(self) -> None:
        require(self.num_classes == 2, "only two classes are supported, by MLeap too")
        self.check_classes()

    @property
    def num_features(self) -> int:  # type: ignore[override]
        """Number of features."""
        return len(self.coefficients)

    def raw(self, lowering: Lowering, x: Expr) -> Expr:
        return margins(lowering, dot(lowering, x, self.coefficients, self.intercept))

    def probability(self, lowering: Lowering, raw: Expr) -> Expr:
        return raw


@dataclass(frozen=True, eq=False)
class AFTSurvivalRegression(Op):
    """Accelerated failure time model: lifetimes of a Weibull distribution (MLeap ``AFTSurvivalRegressionModel``).

    The prediction is ``exp(features · coefficients + intercept)``, and the quantile at q is the prediction times
    ``exp(log(-log(1 - q)) / (1 / scale))``.

    Attributes:
        coefficients: float64 (features,).
        intercept: the intercept.
        quantile_probabilities: the probabilities q of the quantiles in the output.
        scale: the scale parameter of the distribution.
    """

    op: ClassVar[str] = "aft_survival_regression"
    coefficients: Doubles = attribute("vector")
    intercept: float = attribute("double")
    quantile_probabilities: tuple[float, ...] = attribute("list<double>")
    scale: float = attribute("double")

    def inputs(self) -> dict[str, DataType]:
        return {"features": doubles(len(self.coefficients))}

    def outputs(self) -> dict[str, DataType]:
        return {"prediction": DOUBLE, "quantiles": doubles(len(self.quantile_probabilities))}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        linear = dot(lowering, inputs[0], self.coefficients, self.intercept)
        prediction = lowering.add(p.Unary(x=linear, function="exp", type=DOUBLE))
        width = len(self.quantile_probabilities)
        with np.errstate(all="ignore"):
            q = np.array(self.quantile_probabilities, dtype=np.float64)
            factors = np.exp(np.log(-np.log(1.0 - q)) / (1.0 / np.float64(self.scale)))
        many = lowering.add(p.Pack(xs=(prediction,) * width, type=doubles(width)))
        quantiles = lowering.add(p.Affine(x=many, size=width, factor=factors, type=doubles(width)))
        return {"prediction": prediction, "quantiles": quantiles}
