"""Neural networks (``sklearn.neural_network``)."""

from __future__ import annotations

import numpy as np

from leapstream.exporters import network
from leapstream.exporters.dispatch import Predictor, Transformer
from leapstream.exporters.graph import Block, Features
from leapstream.exporters.network import Layers
from leapstream.exporters.predictors import targets
from leapstream.exporters.step import PredictorColumns, Step, no_multilabel


def _layers(step: Step) -> Layers:
    """The layers, rewritten so that the activation between them is the logistic function or ``relu``."""
    estimator = step.estimator
    parts = zip(estimator.coefs_, estimator.intercepts_, strict=True)
    layers = [(np.asarray(m, dtype=np.float64), np.asarray(b, dtype=np.float64)) for m, b in parts]
    if estimator.activation == "identity":
        matrix, offset = layers[0]
        for following, intercepts in layers[1:]:
            matrix, offset = matrix @ following, offset @ following + intercepts
        return [(matrix, offset)]
    if estimator.activation == "tanh":
        # tanh(x) = 2 logistic(2 x) - 1, so the factors go into the weights of the layers.
        for i in range(len(layers) - 1):
            matrix, offset = layers[i]
            layers[i] = (2.0 * matrix, 2.0 * offset)
            matrix, offset = layers[i + 1]
            layers[i + 1] = (2.0 * matrix, offset - matrix.sum(axis=0))
    return layers


def _before_last(step: Step, features: Features, layers: Layers) -> tuple[Block, Layers]:
    """Split the layers: add nodes for those that MLeap's perceptron cannot compute; returns their result and the other layers."""
    block = step.graph.dense(features)
    if step.estimator.activation != "relu":
        return block, layers
    for number, (matrix, offset) in enumerate(layers[:-1]):
        linear = step.graph.matrix((block,), f"layer{number}", matrix, offset)
        block = network.relu(step.graph, linear)
    return block, layers[-1:]


def classifier(step: Step, features: Features) -> PredictorColumns:
    """A network whose last layer has a softmax, or the logistic function for two classes."""
    no_multilabel(step)
    step.require(
        step.estimator.out_activation_ in ("softmax", "logistic"), "its last layer is neither softmax nor logistic"
    )
    block, layers = _before_last(step, features, _layers(step))
    outputs = len(layers[-1][1])
    if step.estimator.out_activation_ == "softmax":
        step.require(outputs > 1, "several targets are not supported")
        return network.softmax(step, block, layers)
    step.require(outputs == 1 and len(step.classes) == 2, "several targets are not supported")
    return network.logistic(step, block, layers)


def regressor(step: Step, features: Features) -> PredictorColumns:
    """A network with a linear last layer."""
    step.require(step.estimator.out_activation_ == "identity", f"its last layer is {step.estimator.out_activation_!r}")
    block, layers = _before_last(step, features, _layers(step))
    return network.number(step, block, layers) if len(layers[-1][1]) == 1 else _numbers(step, block, layers)


def _numbers(step: Step, block: Block, layers: Layers) -> PredictorColumns:
    """A network with a linear last layer of several targets."""
    return targets(step, (network.raw(step.graph, block, layers),))


def boltzmann_machine(step: Step, features: Features) -> Features:
    """The probabilities of the hidden units: the logistic function of ``x @ components.T + intercept_hidden``."""
    weights = np.asarray(step.estimator.components_, dtype=np.float64).T
    offset = np.asarray(step.estimator.intercept_hidden_, dtype=np.float64)
    count = len(offset)
    hidden = (np.eye(count), np.zeros(count))
    return (network.raw(step.graph, step.graph.vector(features), [(weights, offset), hidden], step.suffix),)


TRANSFORMERS: dict[str, Transformer] = {"BernoulliRBM": boltzmann_machine}

PREDICTORS: dict[str, Predictor] = {"MLPClassifier": classifier, "MLPRegressor": regressor}
