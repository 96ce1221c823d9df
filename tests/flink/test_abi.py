"""Jars of two versions of leapstream, in one class loader and in two."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from py4j.protocol import Py4JJavaError
from pyflink.table import StreamTableEnvironment

import leapstream
from leapstream.executors.jvm import gateway, runtime_jar, sources
from leapstream.flink import Target, compile_jar, compiler, javafunction
from leapstream.flink.jars import add_jar

from .conftest import LINEAR, collect

pytestmark = pytest.mark.flink

HERE = f"leapstream {leapstream.__version__}, which has ABI {sources.abi()}"


@contextmanager
def version(number: str, abi: int, cache: Path) -> Iterator[None]:
    """Another version of leapstream: its number, and that of its hand-written classes."""
    original = sources.java_sources

    def java_sources(package: str) -> dict[str, str]:
        found = dict(original(package))
        name = f"{sources.KERNELS}.Abi"
        if name in found:
            found[name] = found[name].replace(f"NUMBER = {sources.abi()};", f"NUMBER = {abi};")
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEAPSTREAM_CACHE_DIR", str(cache))
        patch.setattr(runtime_jar, "java_sources", java_sources)
        for module in (runtime_jar, compiler, javafunction):
            patch.setattr(module, "VERSION", number)
        for module in (runtime_jar, javafunction):
            patch.setattr(module, "abi", lambda: abi)
        patch.setattr(gateway, "_runtime", None)
        runtime_jar._digest.cache_clear()
        yield
    runtime_jar._digest.cache_clear()


Jar = Callable[..., Path]


@pytest.fixture
def jar(tmp_path: Path) -> Jar:
    """Compiles a jar with a function of a name, by this version of leapstream or another."""

    def make(name: str, number: str | None = None, abi: int | None = None) -> Path:
        path = tmp_path / f"{name}.jar"
        targets = [Target(name, leapstream.load(LINEAR))]
        if number is None or abi is None:
            compile_jar(targets, path)
        else:
            with version(number, abi, tmp_path / "cache"):
                compile_jar(targets, path)
        return path

    return make


def one_loader(*jars: Path) -> Any:
    ready = gateway.runtime()
    return gateway.jar_loader(ready.gateway, jars, ready.gateway.jvm.java.lang.ClassLoader.getSystemClassLoader())


def child_first(jar: Path, parent: Any) -> Any:
    """A loader as a job has it below the loader of the cluster's ``lib``, with Flink's own classes from above."""
    gate = gateway.gateway()
    urls = gate.new_array(gate.jvm.java.net.URL, 1)
    urls[0] = gate.jvm.java.net.URL(jar.as_uri())
    above = gate.new_array(gate.jvm.String, 3)
    above[0], above[1], above[2] = "java.", "org.apache.flink.", "org.slf4j"
    user = gate.jvm.org.apache.flink.util.FlinkUserCodeClassLoader
    return gate.jvm.org.apache.flink.util.ChildFirstClassLoader(urls, parent, above, user.NOOP_EXCEPTION_HANDLER)


class Function:
    """A function of a class loader, opened. Calls go by reflection: Py4J takes two classes of one name for one class."""

    def __init__(self, loader: Any, name: str) -> None:
        self._jvm, self._new_array = gateway.gateway().jvm, gateway.gateway().new_array
        self._class = loader.loadClass(f"leapstream.models.{name}")
        self._object = self._class.getConstructors()[0].newInstance(self._objects())
        group = self._jvm.org.apache.flink.metrics.groups.UnregisteredMetricsGroup()
        self._call("open", "org.apache.flink.metrics.MetricGroup", group)

    def predict(self) -> Any:
        return self._call("call", "[Ljava.lang.Object;", self._objects(1.0, 2.0, 3.0))

    def _call(self, name: str, kind: str, argument: Any) -> Any:
        (method,) = [
            method
            for method in self._class.getMethods()
            if method.getName() == name and [t.getName() for t in method.getParameterTypes()] == [kind]
        ]
        return method.invoke(self._object, self._objects(argument))

    def _objects(self, *values: Any) -> Any:
        array = self._new_array(self._jvm.Object, len(values))
        for position, value in enumerate(values):
            array[position] = value
        return array


def test_functions_of_two_versions_with_one_abi_share_a_class_loader(jar: Jar) -> None:
    loader = one_loader(jar("Older", "0.0.9", sources.abi()), jar("Newer"))
    assert [Function(loader, name).predict() for name in ("Older", "Newer")] == [-0.625, -0.625]


@pytest.mark.parametrize("first", ["Older", "Newer"])
def test_a_function_that_does_not_fit_the_runtime_classes_of_its_loader_names_both_versions(
    jar: Jar, first: str
) -> None:
    jars = {"Older": jar("Older", "0.0.9", 0), "Newer": jar("Newer")}
    second = "Newer" if first == "Older" else "Older"
    loader = one_loader(jars[first], jars[second])
    assert Function(loader, first).predict() == -0.625
    older = "leapstream 0.0.9, which has ABI 0"
    built, present = (HERE, older) if first == "Older" else (older, HERE)
    with pytest.raises(Py4JJavaError) as error:
        Function(loader, second)
    message = str(error.value)
    assert f"leapstream.models.{second} was generated by {built}, but" in message
    assert f"are those of {present}" in message


def test_functions_of_two_versions_run_side_by_side_in_child_first_class_loaders(jar: Jar) -> None:
    upper = one_loader(jar("Older", "0.0.9", 0))
    lower = child_first(jar("Newer"), upper)
    assert [Function(upper, "Older").predict(), Function(lower, "Newer").predict()] == [-0.625, -0.625]


def test_two_versions_in_one_job_predict_or_say_at_planning_that_they_do_not_fit(
    table_env: StreamTableEnvironment, jar: Jar
) -> None:
    add_jar(table_env, jar("Newer"))
    for name, abi in (("Fits", sources.abi()), ("Differs", 0)):
        add_jar(table_env, jar(name, "0.0.9", abi))
    for name in ("Newer", "Fits", "Differs"):
        table_env.create_java_temporary_system_function(name, f"leapstream.models.{name}")
    row = "1.0E0, 2.0E0, 3.0E0"
    assert collect(table_env, f"SELECT Newer({row}), Fits({row})") == [(-0.625, -0.625)]
    with pytest.raises(Py4JJavaError, match=r"generated by leapstream 0\.0\.9, which has ABI 0"):
        table_env.explain_sql(f"SELECT Newer({row}), Differs({row})")
