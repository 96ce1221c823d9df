"""Converts TensorFlow's graphs and Keras's models to pipelines of MLeap's ops."""

from __future__ import annotations

from leapstream.exporters.tensorflow.graphs import from_tensorflow
from leapstream.exporters.tensorflow.keras import from_keras

__all__ = ["from_keras", "from_tensorflow"]
