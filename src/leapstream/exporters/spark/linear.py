"""Linear models and others with a matrix of weights (``pyspark.ml.classification`` and ``.regression``)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from leapstream.exporters.network import perceptron
from leapstream.exporters.spark.encoding import (
    BOOLEAN,
    DOUBLE,
    INT,
    MATRIX,
    ROWS,
    VECTOR,
    array,
    number_of,
    write_parquet,
)
from leapstream.exporters.spark.stage import (
    Constant,
    Data,
    OptionalParam,
    Param,
    Reading,
    Stage,
    Unsupported,
    Writing,
    scalar_or_known,
)
from leapstream.ops import bayes, linear, neural, regression
from leapstream.ops.base import Op

FEATURES = {"features": "featuresCol"}
PREDICTION = {"prediction": "predictionCol"}
PROBABILITIES = {"raw_prediction": "rawPredictionCol", "probability": "probabilityCol", **PREDICTION}


def numbers(values: Any) -> tuple[float, ...]:
    """A param that is a list of numbers."""
    return tuple(map(number_of, values))


THRESHOLDS = OptionalParam("thresholds", "thresholds", numbers)

_COEFFICIENTS = Data("coefficients", "coefficients", VECTOR)
_INTERCEPT = Data("intercept", "intercept", DOUBLE)


@dataclass(frozen=True)
class _LogisticRegression(Stage):
    """Binary or multinomial. A multinomial model of two classes becomes a perceptron of one layer: MLeap's op has one margin."""

    def op_of(self, reading: Reading) -> Op:
        if reading.saved.lacks("coefficientMatrix"):
            # Spark 2.0 has binary models only.
            row = reading.saved.row({"coefficients": VECTOR, "intercept": DOUBLE})
            return linear.LogisticRegression(2, **row, threshold=self._threshold(reading))
        kinds = {"numClasses": INT, "interceptVector": VECTOR, "coefficientMatrix": MATRIX, "isMultinomial": BOOLEAN}
        classes, intercepts, matrix, multinomial = reading.saved.row(kinds).values()
        thresholds = THRESHOLDS.read(reading)
        if not multinomial:
            reading.saved.require(matrix.shape[0] == len(intercepts) == 1, "it is binary, and has several margins")
            return linear.LogisticRegression(
                2, coefficients=matrix[0], intercept=float(intercepts[0]), threshold=self._threshold(reading)
            )
        if classes > 2:
            return linear.LogisticRegression(
                classes, coefficient_matrix=matrix, intercept_vector=intercepts, thresholds=thresholds
            )
        return layer(matrix, intercepts, thresholds)

    @staticmethod
    def _threshold(reading: Reading) -> float:
        if not reading.saved.is_set("thresholds"):
            return number_of(reading.saved.params.get("threshold", 0.5))
        first, second = numbers(reading.saved.params["thresholds"])
        return 1.0 / (1.0 + first / second)

    def fill(self, writing: Writing, op: Any) -> None:
        multinomial = op.coefficient_matrix is not None
        if multinomial:
            matrix, intercepts = op.coefficient_matrix, op.intercept_vector
            if op.thresholds is not None:
                writing.draft.set(thresholds=op.thresholds)
        else:
            matrix, intercepts = op.coefficients.reshape(1, -1), np.array([op.intercept])
            writing.draft.set(threshold=0.5 if op.threshold is None else op.threshold)
        kinds = {
            "numClasses": INT,
            "numFeatures": INT,
            "interceptVector": VECTOR,
            "coefficientMatrix": ROWS,
            "isMultinomial": BOOLEAN,
        }
        row = [max(op.num_classes, 2), matrix.shape[1], intercepts, matrix, multinomial]
        writing.draft.folders["data"] = write_parquet(kinds, {name: [v] for name, v in zip(kinds, row, strict=True)})


def layer(matrix: Any, intercepts: Any, thresholds: tuple[float, ...] | None = None) -> Op:
    """A perceptron of one layer: ``matrix @ features + intercepts`` as raw predictions, and their softmax as probabilities."""
    return replace(perceptron([(np.transpose(matrix), intercepts)]), thresholds=thresholds)


@dataclass(frozen=True)
class _LinearSVC(Stage):
    """Spark does not save the number of classes, which is always 2."""

    def op_of(self, reading: Reading) -> Op:
        return linear.LinearSVC(num_classes=2, **self.attributes(reading))


@dataclass(frozen=True)
class _MultilayerPerceptron(Stage):
    """The sizes of the layers are a param; Spark 2 saves them in the data."""

    def attributes(self, reading: Reading) -> dict[str, Any]:
        if reading.saved.spark_version < (3, 0) and "layers" not in reading.saved.params:
            return {
                **reading.saved.row({"layers": array(INT), "weights": VECTOR}),
                "thresholds": THRESHOLDS.read(reading),
            }
        return super().attributes(reading)


_LINKS = {0.0: "log", 1.0: "identity", -1.0: "inverse", 0.5: "sqrt"}
"""Links by the power that the tweedie family uses for them."""

_TWEEDIE = {0.0: "gaussian", 1.0: "poisson", 2.0: "gamma"}
"""Families by the variance power that makes the tweedie family equal to them."""


@dataclass(frozen=True)
class _GeneralizedLinearRegression(Stage):
    """A tweedie family becomes the family of its variance power, or poisson's, which predicts the same over an equal link."""

    def op_of(self, reading: Reading) -> Op:
        row = reading.saved.row({"coefficients": VECTOR, "intercept": DOUBLE})
        family, link = str(reading.saved.params["family"]).lower(), reading.saved.params.get("link")
        if family == "tweedie":
            family, link = self._tweedie(reading)
        return linear.GeneralizedLinearRegression(**row, family=family, link=link and str(link).lower())

    @staticmethod
    def _tweedie(reading: Reading) -> tuple[str, str]:
        variance = number_of(reading.saved.params.get("variancePower", 0.0))
        power = number_of(reading.saved.params.get("linkPower", 1.0 - variance))
        link = _LINKS.get(power)
        if link is None:
            powers = ", ".join(map(str, _LINKS))
            reading.saved.reject(
                f"the link of its tweedie family is the power {power}, and MLeap has the powers {powers}"
            )
        return _TWEEDIE.get(variance, "poisson"), link

    def fill(self, writing: Writing, op: Any) -> None:
        super().fill(writing, op)
        writing.draft.set(family=op.family)
        if op.link is not None:
            writing.draft.set(link=op.link)


@dataclass(frozen=True)
class _IsotonicRegression(Stage):
    """The feature is a number, or an element of a vector."""

    def op_of(self, reading: Reading) -> Op:
        given = self.attributes(reading)
        vector = scalar_or_known(reading, reading.saved.columns("featuresCol")[0]).is_vector
        index = int(reading.saved.params.get("featureIndex", 0)) if vector else None
        return regression.IsotonicRegression(**given, feature_index=index)

    def widths(self, reading: Reading) -> dict[str, int]:
        return {}

    def fill(self, writing: Writing, op: Any) -> None:
        super().fill(writing, op)
        writing.draft.set(isotonic=op.isotonic, featureIndex=op.feature_index or 0)


@dataclass(frozen=True)
class _NaiveBayes(Stage):
    """Only the gaussian model has a variance for each feature."""

    def fill(self, writing: Writing, op: Any) -> None:
        super().fill(writing, op)
        writing.draft.set(modelType=op.model_type)

    def op_of(self, reading: Reading) -> Op:
        given = self.attributes(reading)
        classes, features = given["theta"].shape
        return bayes.NaiveBayes(num_features=features, num_classes=classes, **given)


STAGES: tuple[Stage, ...] = (
    _LogisticRegression("classification.LogisticRegressionModel", linear.LogisticRegression, FEATURES, PROBABILITIES),
    _LinearSVC(
        "classification.LinearSVCModel",
        linear.LinearSVC,
        FEATURES,
        {"raw_prediction": "rawPredictionCol", **PREDICTION},
        (_COEFFICIENTS, _INTERCEPT, Param("threshold", "threshold", number_of)),
    ),
    _NaiveBayes(
        "classification.NaiveBayesModel",
        bayes.NaiveBayes,
        FEATURES,
        PROBABILITIES,
        (
            Data("pi", "pi", VECTOR),
            Data("theta", "theta", MATRIX),
            Data(
                "sigma",
                "sigma",
                MATRIX,
                encode=lambda sigma: np.zeros((0, 0)) if sigma is None else sigma,
                absent=np.zeros((0, 0)),
            ),
            Param("model_type", "modelType"),
            THRESHOLDS,
        ),
    ),
    _MultilayerPerceptron(
        "classification.MultilayerPerceptronClassificationModel",
        neural.MultiLayerPerceptronClassifier,
        FEATURES,
        PROBABILITIES,
        (Param("layers", "layers", tuple), Data("weights", "weights", VECTOR), THRESHOLDS),
    ),
    Stage(
        "regression.LinearRegressionModel",
        linear.LinearRegression,
        FEATURES,
        PREDICTION,
        (_COEFFICIENTS, _INTERCEPT, Constant("scale", DOUBLE, lambda op: 1.0)),
    ),
    _GeneralizedLinearRegression(
        "regression.GeneralizedLinearRegressionModel",
        linear.GeneralizedLinearRegression,
        FEATURES,
        {**PREDICTION, "link_prediction": "linkPredictionCol"},
        (_COEFFICIENTS, _INTERCEPT),
        (Unsupported("offsetCol", ("",), "MLeap's op has no offset"),),
    ),
    Stage(
        "regression.AFTSurvivalRegressionModel",
        linear.AFTSurvivalRegression,
        FEATURES,
        {**PREDICTION, "quantiles": "quantilesCol"},
        (
            _COEFFICIENTS,
            _INTERCEPT,
            Param("quantile_probabilities", "quantileProbabilities", numbers),
            Data("scale", "scale", DOUBLE),
        ),
    ),
    _IsotonicRegression(
        "regression.IsotonicRegressionModel",
        regression.IsotonicRegression,
        FEATURES,
        PREDICTION,
        (
            Data("boundaries", "boundaries", array(DOUBLE)),
            Data("predictions", "predictions", array(DOUBLE)),
            Data("isotonic", "isotonic", BOOLEAN),
        ),
    ),
)
"""The stages of this module."""
