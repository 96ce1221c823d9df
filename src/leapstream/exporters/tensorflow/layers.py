"""Converts Keras's layers to MLeap's ops, by the name of the class in ``keras.layers``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from leapstream.errors import UnsupportedExportError
from leapstream.exporters.graph import Doubles
from leapstream.exporters.tensorflow.activations import ACTIVATIONS, Activation, clipped, elu, linear, softmax
from leapstream.exporters.tensorflow.network import Network

Converter = Callable[[Any], "list[Activation]"]
"""Converts a layer to functions that change a network, in their order."""


def reject(layer: Any, reason: str) -> NoReturn:
    """Raise :class:`UnsupportedExportError` for a layer, or for a model."""
    raise UnsupportedExportError(
        f"Keras's {type(layer).__name__} {layer.name!r} cannot be made of MLeap's ops: {reason}"
    )


def convert(layer: Any) -> list[Activation]:
    """Convert a layer to the functions that it applies in inference.

    Raises:
        UnsupportedExportError: MLeap's ops cannot compute the layer. The message names it.
    """
    package = type(layer).__module__.partition(".")[0]
    if package != "keras":
        reject(layer, f"the class is of package {package!r}, which may compute anything")
    converter = LAYERS.get(type(layer).__name__)
    if converter is None:
        reject(layer, f"this layer is not supported; supported: {', '.join(sorted(LAYERS))}")
    if getattr(layer, "quantization_mode", None) is not None:
        reject(layer, "it is quantized")
    if layer.compute_dtype not in ("float32", "float64"):
        reject(layer, f"it computes in {layer.compute_dtype}")
    shape = layer.input.shape
    if len(shape) != 2 and type(layer).__name__ not in _OF_ANY_SHAPE:
        reject(layer, f"its input has the shape {tuple(shape)}; only vectors are supported, such as after a Flatten")
    return converter(layer)


def _numbers(values: Any) -> Doubles:
    return np.asarray(values.numpy() if hasattr(values, "numpy") else values, dtype=np.float64)


def _affine(factors: Doubles, offset: Doubles) -> Activation:
    def apply(network: Network) -> None:
        # A layer may have one factor for all elements.
        spread = factors if factors.ndim == 2 else np.array(np.broadcast_to(factors.reshape(-1), network.width))
        network.affine(spread, np.broadcast_to(offset.reshape(-1), spread.shape[-1]))

    return apply


def _of_function(layer: Any) -> list[Activation]:
    """The activation of a layer, which is a function of Keras or another layer."""
    function = layer.activation
    if function is None:
        return []
    if hasattr(function, "get_config") and hasattr(function, "compute_dtype"):
        converter = LAYERS.get(type(function).__name__)
        if converter is None:
            reject(layer, f"its activation is a {type(function).__name__}")
        return converter(function)
    name = getattr(function, "__name__", type(function).__name__)
    of_keras = str(getattr(function, "__module__", "")).partition(".")[0] == "keras"
    if not of_keras or name not in ACTIVATIONS:
        reject(layer, f"its activation is {name!r}; supported: {', '.join(ACTIVATIONS)}")
    activation = ACTIVATIONS[name]
    return [] if activation is linear else [activation]


def _nothing(layer: Any) -> list[Activation]:
    """A layer that does nothing in inference."""
    return []


def _dense(layer: Any) -> list[Activation]:
    matrix = _numbers(layer.kernel)
    offset = np.zeros(matrix.shape[1]) if layer.bias is None else _numbers(layer.bias)
    return [_affine(matrix, offset), *_of_function(layer)]


def _batch_normalization(layer: Any) -> list[Activation]:
    factors = 1.0 / np.sqrt(_numbers(layer.moving_variance) + layer.epsilon)
    if layer.scale:
        factors = factors * _numbers(layer.gamma)
    offset = -_numbers(layer.moving_mean) * factors
    return [_affine(factors, offset + _numbers(layer.beta) if layer.center else offset)]


def _normalization(layer: Any) -> list[Activation]:
    import keras

    mean = _numbers(layer.mean).reshape(-1)
    deviation = np.maximum(np.sqrt(_numbers(layer.variance).reshape(-1)), keras.config.epsilon())
    return [_affine(deviation, mean) if layer.invert else _affine(1.0 / deviation, -mean / deviation)]


def _rescaling(layer: Any) -> list[Activation]:
    scale, offset = np.asarray(layer.scale, dtype=np.float64), np.asarray(layer.offset, dtype=np.float64)
    if len(layer.input.shape) != 2 and scale.size + offset.size > 2:
        reject(layer, "it scales the channels of an input that is not a vector")
    return [_affine(scale, offset)]


def _flatten(layer: Any) -> list[Activation]:
    if layer.data_format == "channels_first" and len(layer.input.shape) > 3:
        reject(layer, "its channels come first")
    return []


def _relu(layer: Any) -> list[Activation]:
    if layer.threshold != 0:
        reject(layer, "it has a threshold")
    greatest = None if layer.max_value is None else float(layer.max_value)
    return [clipped(float(layer.negative_slope), greatest)]


def _leaky_relu(layer: Any) -> list[Activation]:
    return [clipped(float(layer.negative_slope))]


def _prelu(layer: Any) -> list[Activation]:
    slope = _numbers(layer.alpha).reshape(-1)
    return [lambda network: network.piecewise(slope, [(0.0, 1.0 - slope)])]


def _elu(layer: Any) -> list[Activation]:
    return [elu(float(layer.alpha))]


def _softmax(layer: Any) -> list[Activation]:
    if layer.axis not in (-1, 1):
        reject(layer, f"its axis is {layer.axis}")
    return [softmax]


TRAINING_ALONE = (
    *("ActivityRegularization", "AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise", "SpatialDropout1D"),
    *("SpatialDropout2D", "SpatialDropout3D"),
)
"""Layers that do nothing in inference."""

_OF_ANY_SHAPE = {"Flatten", "Rescaling", *TRAINING_ALONE}
"""Layers that support inputs of any shape, because they treat all elements alike."""

LAYERS: dict[str, Converter] = {
    **dict.fromkeys(TRAINING_ALONE, _nothing),
    "Activation": _of_function,
    "BatchNormalization": _batch_normalization,
    "Dense": _dense,
    "ELU": _elu,
    "Flatten": _flatten,
    "LeakyReLU": _leaky_relu,
    "Normalization": _normalization,
    "PReLU": _prelu,
    "ReLU": _relu,
    "Rescaling": _rescaling,
    "Softmax": _softmax,
}
