"""Jars of this process: writes the classes of functions into them and adds them to table environments."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from pyflink.table import TableEnvironment

from leapstream.executors.jvm.gateway import compile_java, runtime
from leapstream.executors.jvm.jar import version_attributes, write_jar
from leapstream.executors.jvm.runtime_jar import process_directory
from leapstream.flink.compat import option_values, pass_jars_to_streams
from leapstream.flink.javafunction import JavaFunction
from leapstream.installation import VERSION

_JARS = "pipeline.jars"
_NAMED_FUNCTIONS, _NAME_LENGTH = 3, 40


def function_jar(functions: Sequence[JavaFunction]) -> Path:
    """Compile the generated classes of functions into a jar, unless this process has a jar of the same functions.

    Raises:
        BackendError: a class does not compile, or the jar cannot be written.
        BundleError: no temporary directory can be made.
    """
    sources: dict[str, str] = {}
    resources: dict[str, bytes] = {}
    for function in functions:
        sources |= function.sources
        resources |= function.resources
    digest = hashlib.sha256()
    for name, data in sorted({**{name: text.encode() for name, text in sources.items()}, **resources}.items()):
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    names = "-".join(
        function.class_name.rpartition(".")[2].rpartition("_")[0][:_NAME_LENGTH]
        for function in functions[:_NAMED_FUNCTIONS]
    )
    path = process_directory() / f"{names}-{digest.hexdigest()[:16]}.jar"
    if not path.exists():
        write_jar(path, compile_java(sources), resources, version_attributes(VERSION))
    return path


def add_runtime_jar(table_env: TableEnvironment) -> None:
    """Make the hand-written classes known to a table environment; its jobs take them once, whatever models they have.

    Raises:
        BackendError: there is no Java, or the classes do not compile.
    """
    add_jar(table_env, runtime().jar.path)


def add_jar(table_env: TableEnvironment, path: Path) -> None:
    """Make the classes of a jar known to the planner of a table environment, and to the jobs it submits."""
    present = table_env.get_config().get(_JARS, "")
    url = path.resolve().as_uri()
    # A URL has none of the characters between the elements of a list. Parsing the list takes longer the more jars there are.
    if url in re.split(r"[][;,\s]+", present):
        return
    table_env.get_config().set(_JARS, ";".join([*option_values(present), url]))
    pass_jars_to_streams(table_env, _JARS)
    # The planner of an environment that exists already looks at the jars that were added to it.
    quoted = str(path.resolve()).replace("'", "''")
    table_env.execute_sql(f"ADD JAR '{quoted}'")
