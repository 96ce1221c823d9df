"""MLeap pipelines, in Python, inside Apache Flink."""

from typing import TYPE_CHECKING, Any

from leapstream import moved
from leapstream.bundle.frame import LeapFrame
from leapstream.bundle.tensor import Tensor
from leapstream.errors import (
    BackendError,
    BundleError,
    ConfigError,
    ExportError,
    LeapstreamError,
    MissingPackageError,
    PredictionError,
    SchemaError,
    SourceError,
    UnsupportedExportError,
    UnsupportedOpError,
)
from leapstream.installation import VERSION, lacks_for_batches
from leapstream.model import Model, ModelSchema, load, save

if TYPE_CHECKING:
    from leapstream.exporters import (
        from_gensim,
        from_keras,
        from_lightgbm,
        from_sklearn,
        from_spark,
        from_tensorflow,
        from_xgboost,
        to_spark,
    )

moved.install()

__version__ = VERSION

__all__ = [
    "BackendError",
    "BundleError",
    "ConfigError",
    "ExportError",
    "LeapFrame",
    "LeapstreamError",
    "MissingPackageError",
    "Model",
    "ModelSchema",
    "PredictionError",
    "SchemaError",
    "SourceError",
    "Tensor",
    "UnsupportedExportError",
    "UnsupportedOpError",
    "from_gensim",
    "from_keras",
    "from_lightgbm",
    "from_sklearn",
    "from_spark",
    "from_tensorflow",
    "from_xgboost",
    "load",
    "save",
    "to_spark",
]


def __getattr__(name: str) -> Any:
    """The exporters, which are imported when they are first asked for."""
    if name.startswith(("from_", "to_")) and name in __all__:
        if lacks := lacks_for_batches():
            raise MissingPackageError(f"exporters need {lacks}")
        from leapstream import exporters

        return getattr(exporters, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
