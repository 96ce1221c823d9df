"""PyFlink's private names, and what differs between the versions of Flink. No other module of leapstream has either.

``leapstream.executors.jvm.gateway`` lies in a lower layer, starts PyFlink's Java and needs only PyFlink's public names.
Written for PyFlink 1.20 and 2.0 to 2.3.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from pyflink import version
from pyflink.common import Configuration
from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway
from pyflink.table import Table, TableEnvironment
from pyflink.table.udf import _get_python_env
from pyflink.util.java_utils import to_jarray

from leapstream.errors import BackendError
from leapstream.executors.jvm.runtime_jar import FIRST_WITH_MODELS
from leapstream.executors.jvm.sources import FUNCTIONS

PYFLINK_VERSION: str = version.__version__

PRIVATE_NAMES = ("_get_python_env", "_j_data_stream", "_j_table", "_j_tenv")
"""The private names of PyFlink that this module uses."""

# Taken early: PyFlink sets the variable to its own folder when it starts Java.
_PLUGINS = Path(os.environ.get("FLINK_PLUGINS_DIR") or str(files("pyflink") / "plugins"))
_SPLITTER = f"{FUNCTIONS}.FailedRows"


# ---- versions ---------------------------------------------------------------------------------------------------------


def flink_version() -> tuple[int, int]:
    """Major and minor version of Flink."""
    major, minor, *_ = PYFLINK_VERSION.split(".")
    return int(major), int(minor)


def require_models() -> None:
    """Check that Flink has ``CREATE MODEL`` and the interfaces behind it.

    Raises:
        BackendError: it is older than 2.1.
    """
    if flink_version() < FIRST_WITH_MODELS:
        raise BackendError(f"CREATE MODEL and ML_PREDICT need Flink 2.1 or newer; this is PyFlink {PYFLINK_VERSION}")


def option_values(text: str) -> list[str]:
    """The elements of a list option, such as ``pipeline.jars``."""
    if not text:
        return []
    # PyFlink 2.1 renamed the function.
    parse: Callable[[str], Any] | None = getattr(Configuration, "parse_list_value", None)
    values = Configuration.parse_jars_value(text, get_gateway().jvm) if parse is None else parse(text)
    return [str(value) for value in values]


def use_file_systems(settings: Mapping[str, str], plugins: Path = _PLUGINS) -> None:
    """Let statements that are planned here read the file systems of Flink's plugins, as its SQL client does.

    Args:
        settings: settings of the file systems, such as ``s3.endpoint``, beside those of Flink's configuration.
        plugins: the folder of plugins; that of ``FLINK_PLUGINS_DIR`` by default, or else PyFlink's own.
    """
    # PyFlink brings other plugins, and loading them takes a moment.
    if not any(plugins.glob("*-fs-*")):
        return
    jvm = get_gateway().jvm
    configuration = jvm.org.apache.flink.configuration.GlobalConfiguration.loadConfiguration()
    for key, value in settings.items():
        configuration.setString(key, value)
    # PyFlink's gateway does not look into the folder by itself.
    loading = jvm.org.apache.flink.core.plugin
    found = loading.DirectoryBasedPluginFinder(jvm.java.io.File(str(plugins.resolve())).toPath()).findPlugins()
    parent_first = jvm.org.apache.flink.configuration.CoreOptions.getPluginParentFirstLoaderPatterns(configuration)
    manager = loading.DefaultPluginManager(found, parent_first)
    jvm.org.apache.flink.core.fs.FileSystem.initialize(configuration, manager)


# ---- Java objects behind PyFlink's ------------------------------------------------------------------------------------


def environment_of(stream: DataStream) -> StreamExecutionEnvironment:
    """The environment of a stream."""
    return StreamExecutionEnvironment(stream._j_data_stream.getExecutionEnvironment())


def create_temporary_system_function(table_env: TableEnvironment, name: str, function: Any) -> None:
    """Register a function that is an object in Java."""
    table_env._j_tenv.createTemporarySystemFunction(name, function)


def writes_tables(table_env: TableEnvironment, statement: str) -> bool:
    """True when a statement that starts a job writes into tables, and gives no rows."""
    operation = table_env._j_tenv.getParser().parse(statement).get(0)
    return not operation.getClass().getSimpleName().endswith("QueryOperation")


def java_stream(stream: DataStream) -> Any:
    """The Java object of a stream."""
    return stream._j_data_stream


def name_operators(stream: DataStream, function: str, name: str) -> None:
    """Name the operators of a table's stream that call a function; states are found by other means than names."""
    found = [stream._j_data_stream.getTransformation()]
    seen: set[int] = set()
    while found:
        transformation = found.pop()
        if transformation.getId() in seen:
            continue
        seen.add(transformation.getId())
        # The planner gives short names, and says in descriptions what an operator computes.
        if f"{function}(" in (transformation.getDescription() or transformation.getName()):
            transformation.setName(name)
        found.extend(transformation.getInputs())


def split_stream(stream: DataStream, table: Table, columns: int, name: str) -> tuple[DataStream, DataStream]:
    """The rows of a table's stream without its last column, which is an error; and the rows that have one.

    Args:
        stream: rows of the table.
        table: columns that are in both results, then columns that only rows without an error keep, then the error.
        columns: the number of columns in both results.
        name: the name of the operator.
    """
    row = table._j_table.getResolvedSchema().toPhysicalRowDataType()
    splitter = new_object(_SPLITTER, [row, columns])
    scored = stream._j_data_stream.process(splitter, splitter.kept()).name(name)
    return DataStream(scored), DataStream(scored.getSideOutput(splitter.failed()))


def broadcast_to(data_stream: DataStream, control: DataStream, function: Any, name: str) -> DataStream:
    """A stream processed by a Java function with broadcast state, to which it adds columns.

    Args:
        data_stream: named rows.
        control: the stream that all of its tasks see.
        function: the function; it says by ``states()`` what its state is, and by ``returns(type)`` what it gives.
        name: the name of the operator.
    """
    rows = data_stream._j_data_stream
    connected = rows.connect(control._j_data_stream.broadcast(function.states()))
    return DataStream(connected.process(function, function.returns(rows.getType())).name(name))


def python_environment() -> Any:
    """The Java object that describes the Python of a function's worker."""
    return _get_python_env()


def string_array(texts: Sequence[str]) -> Any:
    """An array of strings in Java."""
    return to_jarray(get_gateway().jvm.String, list(texts))


def new_object(class_name: str, arguments: Sequence[Any]) -> Any:
    """An object of a class that the planner of a table environment can load, made by the class's first constructor."""
    jvm = get_gateway().jvm
    loader = jvm.Thread.currentThread().getContextClassLoader()
    constructor = loader.loadClass(class_name).getConstructors()[0]
    return constructor.newInstance(to_jarray(jvm.Object, list(arguments)))
