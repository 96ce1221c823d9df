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
from leapstream.flink.compat import option_values
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


def add_runtime_jar(table_env: TableEnvironment, *others: Path) -> None:
    """Make the hand-written classes known to a table environment; its jobs take them once, whatever models they have.

    Args:
        table_env: the environment.
        others: jars that are made known with them.

    Raises:
        BackendError: there is no Java, or the classes do not compile.
    """
    _add_jars(table_env, [runtime().jar.path, *others])


def add_jar(table_env: TableEnvironment, path: Path) -> None:
    """Make the classes of a jar known to the planner of a table environment, and to the jobs it submits."""
    _add_jars(table_env, [path])


def _add_jars(table_env: TableEnvironment, paths: Sequence[Path]) -> None:
    present = table_env.get_config().get(_JARS, "")
    # A URL has none of the characters between the elements of a list. Parsing the list takes longer the more jars there are.
    known = re.split(r"[][;,\s]+", present)
    added = {url: path.resolve() for path in paths if (url := path.resolve().as_uri()) not in known}
    if not added:
        return
    table_env.get_config().set(_JARS, ";".join([*option_values(present), *added]))
    for path in added.values():
        # The planner of an environment that exists already looks at the jars that were added to it. Before the statement PyFlink
        # passes the option on to the stream environment, from which jobs of the DataStream API take their jars.
        quoted = str(path).replace("'", "''")
        table_env.execute_sql(f"ADD JAR '{quoted}'")
