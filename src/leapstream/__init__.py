"""MLeap pipelines, in Python, inside Apache Flink."""

from leapstream.bundle.frame import LeapFrame
from leapstream.bundle.tensor import Tensor
from leapstream.errors import (
    BackendError,
    BundleError,
    ConfigError,
    LeapstreamError,
    PredictionError,
    SchemaError,
    SourceError,
    UnsupportedOpError,
)
from leapstream.model import Model, ModelSchema, load, save

__version__ = "0.1.0"

__all__ = [
    "BackendError",
    "BundleError",
    "ConfigError",
    "LeapFrame",
    "LeapstreamError",
    "Model",
    "ModelSchema",
    "PredictionError",
    "SchemaError",
    "SourceError",
    "Tensor",
    "UnsupportedOpError",
    "load",
    "save",
]
