"""Models in Flink: SQL functions and DataStream functions. Needs the ``flink`` extra."""

from __future__ import annotations

from importlib.util import find_spec

from leapstream.errors import BackendError

if find_spec("pyflink") is None:
    raise BackendError("leapstream.flink needs PyFlink: pip install 'leapstream[flink]'")

from leapstream.executors.jvm.gateway import ensure_java

# PyFlink starts its JVM on the first use of its gateway, which looks for Java in the environment.
ensure_java()

from leapstream.flink.compiler import Target, compile_jar  # noqa: E402
from leapstream.flink.config import RegistryConfig, UDFEntry, read_config  # noqa: E402
from leapstream.flink.control import score_stream  # noqa: E402
from leapstream.flink.datastream import FAILED, MLeapMapFunction, MLeapProcessFunction  # noqa: E402
from leapstream.flink.drift import create_drift_function, drift_stream  # noqa: E402
from leapstream.flink.modeljar import write_model_jar  # noqa: E402
from leapstream.flink.models import create_model  # noqa: E402
from leapstream.flink.registry import MLeapUDFRegistry, RegisteredFunction  # noqa: E402
from leapstream.flink.signature import FunctionSignature  # noqa: E402
from leapstream.flink.stored import StoredModel  # noqa: E402
from leapstream.flink.streams import PredictedStream, predict_stream  # noqa: E402

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
