"""Models in Flink: SQL functions and DataStream functions. Needs the ``flink`` extra."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from leapstream.errors import BackendError

if find_spec("pyflink") is None:
    raise BackendError("leapstream.flink needs PyFlink: pip install 'leapstream[flink]'")

from leapstream.executors.jvm.gateway import ensure_java

if TYPE_CHECKING:
    from leapstream.flink.compiler import Target, compile_jar
    from leapstream.flink.config import RegistryConfig, UDFEntry, read_config
    from leapstream.flink.control import score_stream
    from leapstream.flink.datastream import FAILED, MLeapMapFunction, MLeapProcessFunction
    from leapstream.flink.drift import create_drift_function, drift_stream
    from leapstream.flink.modeljar import write_model_jar
    from leapstream.flink.models import create_model
    from leapstream.flink.registry import MLeapUDFRegistry, RegisteredFunction
    from leapstream.flink.signature import FunctionSignature
    from leapstream.flink.stored import StoredModel
    from leapstream.flink.streams import PredictedStream, predict_stream

# PyFlink starts its JVM on the first use of its gateway, which looks for Java in the environment.
ensure_java()

_MODULES = {
    "FAILED": "datastream",
    "FunctionSignature": "signature",
    "MLeapMapFunction": "datastream",
    "MLeapProcessFunction": "datastream",
    "MLeapUDFRegistry": "registry",
    "PredictedStream": "streams",
    "RegisteredFunction": "registry",
    "RegistryConfig": "config",
    "StoredModel": "stored",
    "Target": "compiler",
    "UDFEntry": "config",
    "compile_jar": "compiler",
    "create_drift_function": "drift",
    "create_model": "models",
    "drift_stream": "drift",
    "predict_stream": "streams",
    "read_config": "config",
    "score_stream": "control",
    "write_model_jar": "modeljar",
}
"""The module of each name. A Python worker of Flink imports the one that its function is in, and not all of them."""

__all__ = [
    "FAILED",
    "FunctionSignature",
    "MLeapMapFunction",
    "MLeapProcessFunction",
    "MLeapUDFRegistry",
    "PredictedStream",
    "RegisteredFunction",
    "RegistryConfig",
    "StoredModel",
    "Target",
    "UDFEntry",
    "compile_jar",
    "create_drift_function",
    "create_model",
    "drift_stream",
    "predict_stream",
    "read_config",
    "score_stream",
    "write_model_jar",
]


def __getattr__(name: str) -> Any:
    """A name of one of the modules, which is imported when the name is first asked for."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    return found
