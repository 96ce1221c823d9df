"""Jars of this process: writes the classes of functions into them and adds them to table environments."""

from __future__ import annotations

import atexit
import hashlib
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from pyflink.table import TableEnvironment

from leapstream.errors import BundleError
from leapstream.executors.jvm.gateway import compile_java
from leapstream.executors.jvm.jar import write_jar
from leapstream.flink.compat import option_values, pass_jars_to_streams

_JARS = "pipeline.jars"
_NAMED_FUNCTIONS = 3
_directory: Path | None = None


def jar_directory() -> Path:
    """Directory of this process's jars; it is removed when the process ends.

    Raises:
        BundleError: no temporary directory can be made.
    """
    global _directory
    if _directory is None or not _directory.is_dir():
        try:
            _directory = Path(tempfile.mkdtemp(prefix="leapstream-"))
        except OSError as error:
            raise BundleError(f"no temporary directory for jars: {error}") from error
        atexit.register(shutil.rmtree, _directory, ignore_errors=True)
    return _directory


def function_jar(functions: Sequence[str], sources: Mapping[str, str], resources: Mapping[str, bytes]) -> Path:
    """Compile sources and write them into a jar, unless a jar of the same contents exists.

    Args:
        functions: names of the functions; the first few are part of the jar's name.
        sources: Java sources by fully qualified name of the class.
        resources: other files of the jar by name.

    Raises:
        BackendError: a source does not compile, or the jar cannot be written.
    """
    classes = compile_java(sources)
    digest = hashlib.sha256()
    for name, data in sorted({**classes, **resources}.items()):
        digest.update(name.encode() + b"\0" + data)
    names = "-".join(re.sub(r"\W", "_", name) for name in functions[:_NAMED_FUNCTIONS])
    path = jar_directory() / f"{names}-{digest.hexdigest()[:16]}.jar"
    if not path.exists():
        write_jar(path, classes, resources, {"Created-By": "leapstream"})
    return path


def add_jar(table_env: TableEnvironment, path: Path) -> None:
    """Make the classes of a jar known to the planner of a table environment, and to the jobs it submits."""
    jars = option_values(table_env.get_config().get(_JARS, ""))
    url = path.resolve().as_uri()
    if url in jars:
        return
    table_env.get_config().set(_JARS, ";".join([*jars, url]))
    pass_jars_to_streams(table_env, _JARS)
    # The planner of an environment that exists already looks at the jars that were added to it.
    quoted = str(path.resolve()).replace("'", "''")
    table_env.execute_sql(f"ADD JAR '{quoted}'")
