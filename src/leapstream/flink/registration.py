"""Registers prepared functions as temporary system functions of a table environment."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyflink.table import TableEnvironment

from leapstream.errors import BackendError, ConfigError
from leapstream.executors.jvm.gateway import java_text
from leapstream.executors.jvm.sources import FUNCTIONS
from leapstream.flink.compat import create_temporary_system_function, new_object, python_environment, string_array
from leapstream.flink.jars import add_runtime_jar, function_jar
from leapstream.flink.javafunction import JavaFunction
from leapstream.flink.options import Backend
from leapstream.flink.preparing import PreparedFunction
from leapstream.flink.signature import FunctionSignature

_log = logging.getLogger(__name__)

_PYTHON_DEFAULTS = {
    # Flink's own defaults are 1000 rows: most of the time then goes into crossing over to Python.
    "python.fn-execution.bundle.size": "50000",
    "python.fn-execution.arrow.batch.size": "50000",
}
_PYTHON_CLASS = f"{FUNCTIONS}.PythonModelFunction"


@dataclass(frozen=True)
class RegisteredFunction:
    """A function that SQL can call.

    Attributes:
        signature: arguments and result.
        backend: the executor that runs it: ``jvm``, or ``vectorized``, in a Python process beside the JVM.
        reason: why it does not run in the JVM although ``auto`` was asked for; else ``None``.
    """

    signature: FunctionSignature
    backend: Backend
    reason: str | None = None

    @property
    def name(self) -> str:
        """The function's name."""
        return self.signature.function

    def __str__(self) -> str:
        return f"{self.signature} [{self.backend}]"


def register_functions(functions: Sequence[PreparedFunction], table_env: TableEnvironment) -> list[RegisteredFunction]:
    """Register functions. The generated classes share one jar; the runtime jar has the hand-written ones.

    Raises:
        ConfigError: a name is taken; then none of the functions is registered.
        BackendError: Java does not compile or load a class.
    """
    if not functions:
        return []
    _check_names(functions, table_env)
    generated = [f.implementation for f in functions if isinstance(f.implementation, JavaFunction)]
    add_runtime_jar(table_env, *([function_jar(generated)] if generated else []))
    registered = [_register(function, table_env) for function in functions]
    if any(function.backend == "vectorized" for function in registered):
        for key, value in _PYTHON_DEFAULTS.items():
            if table_env.get_config().get(key, "") == "":
                table_env.get_config().set(key, value)
    for function in registered:
        _log.info("registered %s", function)
    return registered


def _check_names(functions: Sequence[PreparedFunction], table_env: TableEnvironment) -> None:
    taken = {name.lower() for name in table_env.list_user_defined_functions()}
    for function in functions:
        name = function.signature.function
        if name.lower() in taken:
            raise ConfigError(
                f"function {name!r} exists already; DROP TEMPORARY SYSTEM FUNCTION {name} makes way for it"
            )


def _register(function: PreparedFunction, table_env: TableEnvironment) -> RegisteredFunction:
    signature, implementation = function.signature, function.implementation
    try:
        if isinstance(implementation, JavaFunction):
            table_env.create_java_temporary_system_function(signature.function, implementation.class_name)
            return RegisteredFunction(signature, "jvm")
        create_temporary_system_function(table_env, signature.function, _python_function(function, implementation))
        return RegisteredFunction(signature, "vectorized", function.reason)
    # PyFlink raises whatever class a Java exception maps to.
    except Exception as error:
        raise BackendError(f"function {signature.function!r} cannot be registered: {java_text(error)}") from error


def _python_function(function: PreparedFunction, pickled: bytes) -> Any:
    """The Java object of a pickled Python function."""
    signature = function.signature
    arguments = [
        signature.function,
        bytes(pickled),
        signature.result_type,
        python_environment(),
        signature.model,
        string_array(signature.inputs.names),
        string_array(signature.input_types),
        signature.packed,
        function.split_key,
    ]
    return new_object(_PYTHON_CLASS, arguments)
