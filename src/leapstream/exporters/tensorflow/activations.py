"""Keras's activations as MLeap's ops, by the name of the function in ``keras.activations``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from leapstream.exporters.graph import Doubles
from leapstream.exporters.network import relu
from leapstream.exporters.tensorflow.network import Network
from leapstream.ops.feature import MathBinary, MathUnary

Activation = Callable[[Network], None]

_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def linear(network: Network) -> None:
    """``x``; adds no node."""


def sigmoid(network: Network) -> None:
    """``1 / (1 + exp(-x))``."""
    network.logistic()


def tanh(network: Network) -> None:
    """``tanh(x) = 2 sigmoid(2 x) - 1``."""
    _scale(network, 2.0)
    network.logistic()
    _scale(network, 2.0, -1.0)


def softmax(network: Network) -> None:
    """``exp(x) / sum(exp(x))``."""
    network.softmax()


def clipped(slope: float = 0.0, greatest: float | None = None) -> Activation:
    """``min(x, greatest)``, and ``slope * x`` below zero."""
    pieces = [(0.0, 1.0 - slope)] + ([] if greatest is None else [(greatest, -1.0)])
    return lambda network: network.piecewise(slope, pieces)


def hard_sigmoid(network: Network) -> None:
    """``x / 6 + 0.5``, clipped to [0, 1]."""
    network.piecewise(0.0, [(-3.0, 1.0 / 6.0), (3.0, -1.0 / 6.0)])


def hard_tanh(network: Network) -> None:
    """``x``, clipped to [-1, 1]."""
    network.piecewise(0.0, [(-1.0, 1.0), (1.0, -1.0)], -1.0)


def soft_shrink(network: Network) -> None:
    """``x - 0.5`` above 0.5, ``x + 0.5`` below -0.5, and 0 between."""
    network.piecewise(1.0, [(-0.5, -1.0), (0.5, 1.0)], 0.5)


def _times_itself(activation: Activation) -> Activation:
    """``x * activation(x)``."""

    def apply(network: Network) -> None:
        x = network.vector()
        activation(network)
        network.multiply(x)

    return apply


def elu(alpha: float = 1.0, scale: float = 1.0) -> Activation:
    """``scale * x``, and ``scale * alpha * (exp(x) - 1)`` below zero."""

    def apply(network: Network) -> None:
        positive = relu(network.graph, network.vector())
        _scale(network, -1.0)
        negative = relu(network.graph, network.vector())
        # exp is applied to min(x, 0), so that it does not overflow.
        exponential = network.each(MathUnary("exp"), network.graph.multiply((negative,), "minus", -_ones(network)))
        network.combine([(positive, scale), (exponential, scale * alpha)], -scale * alpha)

    return apply


def exponential(network: Network) -> None:
    """``exp(x)``."""
    network.combine([(network.each(MathUnary("exp"), network.vector()), 1.0)])


def softplus(network: Network) -> None:
    """``log(1 + exp(x)) = max(x, 0) - log(sigmoid(|x|))``, which does not overflow."""
    x = network.vector()
    positive = relu(network.graph, x)
    network.combine([(positive, 2.0), (x, -1.0)])
    network.logistic()
    logarithm = network.each(MathUnary("log"), network.vector())
    network.combine([(positive, 1.0), (logarithm, -1.0)])


def log_sigmoid(network: Network) -> None:
    """``-softplus(-x)``."""
    _scale(network, -1.0)
    softplus(network)
    _scale(network, -1.0)


def softsign(network: Network) -> None:
    """``x / (1 + |x|)``."""
    x = network.vector()
    network.combine([(relu(network.graph, x), 2.0), (x, -1.0)], 1.0)
    network.combine([(network.each(MathBinary("div"), x, network.vector()), 1.0)])


def _scale(network: Network, factor: float, offset: float = 0.0) -> None:
    network.affine(factor * _ones(network), offset * _ones(network))


def _ones(network: Network) -> Doubles:
    return np.ones(network.width)


ACTIVATIONS: dict[str, Activation] = {
    "elu": elu(),
    "exponential": exponential,
    "hard_sigmoid": hard_sigmoid,
    "hard_silu": _times_itself(hard_sigmoid),
    "hard_tanh": hard_tanh,
    "leaky_relu": clipped(0.2),
    "linear": linear,
    "log_sigmoid": log_sigmoid,
    "relu": clipped(),
    "relu6": clipped(0.0, 6.0),
    "selu": elu(_SELU_ALPHA, _SELU_SCALE),
    "sigmoid": sigmoid,
    "silu": _times_itself(sigmoid),
    "soft_shrink": soft_shrink,
    "softmax": softmax,
    "softplus": softplus,
    "softsign": softsign,
    "tanh": tanh,
}
"""The supported activations. ``gelu``, ``mish`` and others are missing, because MLeap's ops cannot compute them."""
