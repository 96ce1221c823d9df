"""Naive Bayes (``sklearn.naive_bayes``)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from leapstream.exporters import network
from leapstream.exporters.dispatch import Predictor
from leapstream.exporters.graph import Block, Features, size
from leapstream.exporters.predictors import classify
from leapstream.exporters.sklearn.normal import most_likely
from leapstream.exporters.sklearn.preprocessing import binarized
from leapstream.exporters.step import Doubles, PredictorColumns, Step
from leapstream.ops.bayes import NaiveBayes
from leapstream.ops.feature import OneHotEncoder


def _naive_bayes(step: Step, features: Features, kind: str, pi: Doubles, theta: Doubles) -> PredictorColumns:
    op = NaiveBayes(size(features), len(step.classes), np.array(pi), np.array(theta), kind)
    return replace(classify(step, op, step.graph.vector(features)), decision=None)


def gaussian(step: Step, features: Features) -> PredictorColumns:
    """Gaussian naive Bayes, by ops that all versions of MLeap have; the raw predictions lack a summand that all classes share.

    MLeap's ``naive_bayes`` has no Gaussian model.
    """
    estimator = step.estimator
    deviations = np.sqrt(estimator.var_)
    whitened = tuple(
        step.graph.scale(features, f"class{i}", shift=np.asarray(mean), divisor=deviation)
        for i, (mean, deviation) in enumerate(zip(estimator.theta_, deviations, strict=True))
    )
    constants = np.log(estimator.class_prior_) - np.log(deviations).sum(axis=1)
    return most_likely(step, whitened, constants)


def multinomial(step: Step, features: Features) -> PredictorColumns:
    """Multinomial naive Bayes."""
    estimator = step.estimator
    return _naive_bayes(step, features, "multinomial", estimator.class_log_prior_, estimator.feature_log_prob_)


def complement(step: Step, features: Features) -> PredictorColumns:
    """Complement naive Bayes: MLeap's multinomial model with the weights of the complement."""
    estimator = step.estimator
    step.require(len(step.classes) > 1, "there is a single class")
    pi = np.zeros(len(step.classes))
    return _naive_bayes(step, features, "multinomial", pi, estimator.feature_log_prob_)


def bernoulli(step: Step, features: Features) -> PredictorColumns:
    """Bernoulli naive Bayes; with ``binarize=None``, a multinomial model whose weights give the same result for any numbers."""
    estimator = step.estimator
    theta, pi = estimator.feature_log_prob_, estimator.class_log_prior_
    if estimator.binarize is not None:
        ones = binarized(step.graph, features, float(estimator.binarize), step.suffix)
        return _naive_bayes(step, (ones,), "bernoulli", pi, theta)
    absent = np.log(1.0 - np.exp(theta))
    return _naive_bayes(step, features, "multinomial", pi + absent.sum(axis=1), theta - absent)


def categorical(step: Step, features: Features) -> PredictorColumns:
    """Categorical naive Bayes: the weights of each feature's category, summed by a layer of one-hot vectors."""
    estimator, graph = step.estimator, step.graph
    weights = [np.asarray(part, dtype=np.float64) for part in estimator.feature_log_prob_]
    codes = graph.scalars(features)
    op = OneHotEncoder(tuple(part.shape[1] for part in weights), "error", False)
    wanted = {f"output{number}": f"{code.column}_onehot" for number, code in enumerate(codes)}
    columns = graph.add(op, [code.column for code in codes], wanted)
    parts = tuple(Block(columns[f"output{number}"], part.shape[1], dense=False) for number, part in enumerate(weights))
    matrix, priors = np.concatenate([part.T for part in weights]), np.asarray(estimator.class_log_prior_)
    return network.softmax(step, graph.vector(parts), [(matrix, priors)])


PREDICTORS: dict[str, Predictor] = {
    "BernoulliNB": bernoulli,
    "CategoricalNB": categorical,
    "ComplementNB": complement,
    "GaussianNB": gaussian,
    "MultinomialNB": multinomial,
}
