"""Linear models (``sklearn.linear_model``, and the linear ones of ``sklearn.svm``)."""

from __future__ import annotations

import numpy as np

from leapstream.exporters.dispatch import Predictor
from leapstream.exporters.graph import Block, Doubles, Features
from leapstream.exporters.predictors import classify, logistic_op, normalized, outliers, renamed, shares, targets
from leapstream.exporters.step import PredictorColumns, Step, no_multilabel, one_output
from leapstream.ops.feature import MaxAbsScaler
from leapstream.ops.linear import GeneralizedLinearRegression, LinearRegression, LinearSVC


def _coefficients(step: Step) -> tuple[Doubles, Doubles]:
    """Coefficients (classes, features) and intercepts (classes,)."""
    estimator = step.estimator
    coefficients = estimator.coef_.toarray() if hasattr(estimator.coef_, "toarray") else estimator.coef_
    matrix = np.atleast_2d(np.asarray(coefficients, dtype=np.float64))
    intercepts = np.broadcast_to(np.asarray(estimator.intercept_, dtype=np.float64), len(matrix))
    return matrix, intercepts


# ---- regression -------------------------------------------------------------------------------------------------------


def regression(step: Step, features: Features) -> PredictorColumns:
    """``features · coef + intercept``, for each target."""
    return linear(step, features, *_coefficients(step))


def linear(step: Step, features: Features, coefficients: Doubles, intercepts: Doubles) -> PredictorColumns:
    """``features · coefficients + intercepts`` for coefficients (targets, features)."""
    if len(coefficients) > 1:
        return targets(step, (step.graph.matrix(features, "targets", coefficients.T, intercepts),))
    op = LinearRegression(coefficients[0], float(intercepts[0]))
    columns = step.graph.add(op, [step.graph.vector(features).column], {"prediction": step.prediction})
    return PredictorColumns(Block(columns["prediction"]))


def ransac(step: Step, features: Features) -> PredictorColumns:
    """The predictions of ``estimator_``."""
    return step.last(step.estimator.estimator_, "estimator_").predict(features)


def one_class_margin(step: Step, features: Features) -> PredictorColumns:
    """The class 1 where ``features · coef - offset`` is not negative, otherwise -1."""
    estimator = step.estimator
    coefficients = np.asarray(estimator.coef_, dtype=np.float64).reshape(-1)
    return outliers(step, step.graph.linear(features, "score", coefficients, -float(np.ravel(estimator.offset_)[0])))


def generalized_regression(step: Step, features: Features) -> PredictorColumns:
    """The inverse link of ``features · coef + intercept``."""
    estimator = step.estimator
    link = type(estimator._base_loss.link).__name__
    links = {"IdentityLink": "identity", "LogLink": "log"}
    step.require(link in links, f"the link {link} is not supported")
    # The family clips the mean to its range; the gaussian family's range is unlimited.
    op = GeneralizedLinearRegression(
        one_output(step, estimator.coef_), float(estimator.intercept_), "gaussian", links[link]
    )
    columns = step.graph.add(op, [step.graph.vector(features).column], {"prediction": step.prediction})
    return PredictorColumns(Block(columns["prediction"]))


# ---- classification ---------------------------------------------------------------------------------------------------


def logistic_regression(step: Step, features: Features) -> PredictorColumns:
    """Logistic regression of two classes, or multinomial."""
    no_multilabel(step)
    kind = getattr(step.estimator, "multi_class", "deprecated")
    count = len(step.classes)
    one_vs_rest = kind == "ovr" or getattr(step.estimator, "solver", "") == "liblinear"
    if count > 2 and one_vs_rest:
        return _one_vs_rest(step, features)
    step.require(count > 2 or kind != "multinomial", "multi_class is 'multinomial' for two classes")
    return logistic(step, features)


def logistic(step: Step, features: Features) -> PredictorColumns:
    """MLeap's ``logistic_regression`` with the estimator's coefficients."""
    matrix, intercepts = _coefficients(step)
    return classify(step, logistic_op(matrix, intercepts), step.graph.vector(features))


def margin(step: Step, features: Features) -> PredictorColumns:
    """The class with the greatest margin; there are no probabilities."""
    no_multilabel(step)
    matrix, intercepts = _coefficients(step)
    block = step.graph.vector(features)
    if len(matrix) > 1:
        return classify(step, logistic_op(matrix, intercepts), block, ports="raw prediction")
    op = LinearSVC(2, matrix[0], float(intercepts[0]), 0.0)
    outputs = {"raw_prediction": f"{step.prefix}raw_prediction", "prediction": step.prediction}
    columns = step.graph.add(op, [block.column], outputs)
    return PredictorColumns(
        Block(columns["prediction"]), step.classes, Block(columns["raw_prediction"], 2), decision=1.0
    )


def sgd_classifier(step: Step, features: Features) -> PredictorColumns:
    """Probabilities for the losses ``log_loss`` and ``modified_huber``; for others only the class with the greatest margin."""
    if step.estimator.loss == "modified_huber":
        return _modified_huber(step, features)
    if step.estimator.loss != "log_loss":
        return margin(step, features)
    if len(step.classes) == 2:
        return logistic(step, features)
    return _one_vs_rest(step, features)


def _modified_huber(step: Step, features: Features) -> PredictorColumns:
    """The margin of each class, clipped to [-1, 1] and moved to [0, 1]; of more than two classes divided by their sum."""
    matrix, intercepts = _coefficients(step)
    if len(matrix) == 1:
        matrix, intercepts = np.concatenate([-matrix, matrix]), np.concatenate([-intercepts, intercepts])
    count, graph = len(matrix), step.graph
    margins = graph.matrix(features, "margins", matrix.T, intercepts)
    clipped = graph.apply(MaxAbsScaler(np.ones(count)), margins, "clipped", count)
    parts = graph.scale((clipped,), "parts", shift=-np.ones(count), divisor=np.full(count, 2.0))
    probability = renamed(step, parts if count == 2 else shares(step, parts), "probability")
    found = margin(step, features)
    return PredictorColumns(found.prediction, found.classes, found.raw, probability, 1.0)


def _one_vs_rest(step: Step, features: Features) -> PredictorColumns:
    """The logistic function of each margin, divided by their sum."""
    matrix, intercepts = _coefficients(step)
    block = step.graph.vector(features)
    parts = [logistic_of(step, block, row, float(i)) for row, i in zip(matrix, intercepts, strict=True)]
    probability = renamed(step, normalized(step, step.graph.vector(tuple(parts))), "probability")
    found = margin(step, features)
    return PredictorColumns(found.prediction, found.classes, found.raw, probability, 1.0)


def logistic_of(step: Step, block: Block, coefficients: Doubles, intercept: float) -> Block:
    """``1 / (1 + exp(-(x · coefficients + intercept)))``, a number."""
    op = GeneralizedLinearRegression(np.asarray(coefficients, dtype=np.float64), intercept, "binomial", "logit")
    columns = step.graph.add(op, [block.column], {"prediction": f"{block.column}_logistic"})
    return Block(columns["prediction"])


PREDICTORS: dict[str, Predictor] = {
    **dict.fromkeys(
        (
            *(
                "ARDRegression",
                "BayesianRidge",
                "ElasticNet",
                "ElasticNetCV",
                "HuberRegressor",
                "Lars",
                "LarsCV",
                "Lasso",
            ),
            *("LassoCV", "LassoLars", "LassoLarsCV", "LassoLarsIC", "LinearRegression", "LinearSVR"),
            *("OrthogonalMatchingPursuit", "OrthogonalMatchingPursuitCV", "PassiveAggressiveRegressor"),
            *("MultiTaskElasticNet", "MultiTaskElasticNetCV", "MultiTaskLasso", "MultiTaskLassoCV"),
            *("QuantileRegressor", "Ridge", "RidgeCV", "SGDRegressor", "TheilSenRegressor"),
        ),
        regression,
    ),
    **dict.fromkeys(("GammaRegressor", "PoissonRegressor", "TweedieRegressor"), generalized_regression),
    **dict.fromkeys(
        ("LinearSVC", "PassiveAggressiveClassifier", "Perceptron", "RidgeClassifier", "RidgeClassifierCV"), margin
    ),
    "LogisticRegression": logistic_regression,
    "LogisticRegressionCV": logistic_regression,
    "RANSACRegressor": ransac,
    "SGDClassifier": sgd_classifier,
    "SGDOneClassSVM": one_class_margin,
}
