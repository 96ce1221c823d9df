from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from leapstream import BackendError
from leapstream.executors.jvm import jar, runtime_jar
from leapstream.executors.jvm.runtime_jar import RuntimeJar, ensure_runtime_jar, find_runtime_jar, jar_name, untrusted
from leapstream.executors.jvm.sources import abi
from leapstream.installation import VERSION

FLINK = "2.3.0"
CLASSES = {"leapstream/runtime/Vec.class": b"\xca\xfe\xba\xbe"}

Compiled = list[Mapping[str, str]]


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of the jars, in a cache of the test's own; no wheel brings one."""
    monkeypatch.setenv("LEAPSTREAM_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(runtime_jar, "BROUGHT", tmp_path / "brought")
    runtime_jar._warn.cache_clear()
    return tmp_path / "cache" / "java"


@pytest.fixture
def compiled() -> Compiled:
    """The sources of each compilation."""
    return []


@pytest.fixture
def ensure(compiled: Compiled) -> Callable[[], RuntimeJar]:
    def compile_sources(sources: Mapping[str, str]) -> Mapping[str, bytes]:
        compiled.append(sources)
        return CLASSES

    return lambda: ensure_runtime_jar(FLINK, compile_sources)


def test_the_jar_is_compiled_once_into_the_cache(
    cache: Path, ensure: Callable[[], RuntimeJar], compiled: Compiled
) -> None:
    first = ensure()
    assert first == RuntimeJar(cache / jar_name(FLINK), "cache")
    assert first.classes() == CLASSES
    assert ensure() == first
    assert len(compiled) == 1


def test_the_name_has_all_that_the_contents_depend_on(monkeypatch: pytest.MonkeyPatch) -> None:
    name = jar_name(FLINK)
    assert f"-{VERSION}-flink{FLINK}-abi{abi()}-" in name
    monkeypatch.setattr(runtime_jar, "java_sources", lambda package: {"leapstream.runtime.Vec": "changed"})
    runtime_jar._digest.cache_clear()
    try:
        assert jar_name(FLINK) != name
    finally:
        runtime_jar._digest.cache_clear()


@pytest.mark.parametrize(
    ("flink", "has_providers"),
    [("1.20.1", False), ("2.0.0", False), ("2.1.0", True), ("2.4-SNAPSHOT", True), ("<unknown>", True)],
)
def test_classes_for_ml_predict_are_compiled_for_versions_of_flink_that_have_it(
    flink: str, has_providers: bool
) -> None:
    names: list[str] = []

    def compile_sources(sources: Mapping[str, str]) -> Mapping[str, bytes]:
        names.extend(sources)
        return CLASSES

    ensure_runtime_jar(flink, compile_sources)
    assert any(name.startswith("leapstream.flink.ml.") for name in names) == has_providers


def test_the_cache_keeps_the_jars_that_were_used_last(cache: Path, compiled: Compiled) -> None:
    def compile_sources(sources: Mapping[str, str]) -> Mapping[str, bytes]:
        compiled.append(sources)
        return CLASSES

    versions = [f"2.{minor}.0" for minor in range(6)]
    for age, version in enumerate(versions[:5]):
        jar = ensure_runtime_jar(version, compile_sources).path
        os.utime(jar, (1000 + age, 1000 + age))
    assert find_runtime_jar(versions[0]) is not None
    ensure_runtime_jar(versions[5], compile_sources)
    assert {path.name for path in cache.glob("*.jar")} == {jar_name(v) for v in versions if v != versions[1]}
    assert not (cache / f"{jar_name(versions[1])}.lock").exists()
    assert len(compiled) == 6


@pytest.mark.slow
def test_several_processes_compile_the_jar_once(cache: Path, tmp_path: Path) -> None:
    script = f"""
import pathlib, time
from leapstream.executors.jvm.runtime_jar import ensure_runtime_jar

def compile_sources(sources):
    with open({str(tmp_path / "log")!r}, "a") as log:
        log.write("compiled\\n")
    time.sleep(0.3)
    return {CLASSES!r}

print(ensure_runtime_jar({FLINK!r}, compile_sources).path)
"""
    processes = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    answers = [process.communicate()[0].strip() for process in processes]
    assert answers == [str(cache / jar_name(FLINK))] * 4
    assert (tmp_path / "log").read_text() == "compiled\n"


def test_a_damaged_jar_is_compiled_again(cache: Path, ensure: Callable[[], RuntimeJar]) -> None:
    path = ensure().path
    path.write_bytes(path.read_bytes()[:100])
    assert ensure().classes() == CLASSES


@pytest.mark.parametrize("umask", [0o000, 0o002, 0o077])
def test_folders_and_jar_are_the_users_own_whatever_the_umask(
    cache: Path, ensure: Callable[[], RuntimeJar], umask: int
) -> None:
    before = os.umask(umask)
    try:
        assert ensure().origin == "cache"
        assert ensure().origin == "cache"
    finally:
        os.umask(before)


# ---- what is not trusted ----------------------------------------------------------------------------------------------


def group_writes(path: Path) -> None:
    path.chmod(path.stat().st_mode | 0o020)


def others_write(path: Path) -> None:
    path.chmod(path.stat().st_mode | 0o002)


def is_a_link(path: Path) -> None:
    path.rename(path.with_name("moved"))
    path.symlink_to("moved")


@pytest.mark.parametrize("change", [group_writes, others_write, is_a_link])
@pytest.mark.parametrize("place", [lambda jar: jar, lambda jar: jar.parent], ids=["jar", "folder"])
def test_a_jar_that_others_may_have_written_is_not_used(
    cache: Path,
    ensure: Callable[[], RuntimeJar],
    place: Callable[[Path], Path],
    change: Callable[[Path], None],
) -> None:
    jar = ensure().path
    change(place(jar))
    assert find_runtime_jar(FLINK) is None


def test_a_jar_below_a_folder_that_others_can_write_is_not_used(cache: Path, ensure: Callable[[], RuntimeJar]) -> None:
    ensure()
    others_write(cache.parent)
    assert find_runtime_jar(FLINK) is None


@pytest.mark.parametrize("place", [lambda jar: jar, lambda jar: jar.parent, lambda jar: jar.parent.parent])
def test_what_belongs_to_another_user_is_not_trusted(
    ensure: Callable[[], RuntimeJar], place: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    jar = ensure().path
    if os.geteuid() == 0:
        os.chown(place(jar), 12345, -1)
    else:
        user = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    assert "belongs to another user" in str(untrusted(jar))
    assert find_runtime_jar(FLINK) is None


def test_a_process_compiles_for_itself_where_the_cache_cannot_be_trusted_and_says_so_once(
    cache: Path,
    ensure: Callable[[], RuntimeJar],
    compiled: Compiled,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    planted = ensure().path
    others_write(cache)
    with caplog.at_level(logging.WARNING):
        own = ensure()
        assert ensure() == own
    assert own.origin == "process"
    assert own.path != planted
    assert untrusted(own.path) is None
    assert own.classes() == CLASSES
    assert len(compiled) == 2
    (record,) = caplog.records
    assert f"others can write to {cache}" in record.getMessage()
    assert "LEAPSTREAM_CACHE_DIR" in record.getMessage()
    own.path.unlink()


def test_a_process_compiles_for_itself_where_the_cache_cannot_be_made(
    ensure: Callable[[], RuntimeJar], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LEAPSTREAM_CACHE_DIR", str(tmp_path / "file" / "cache"))
    own = ensure()
    assert own.origin == "process"
    own.path.unlink()


def test_a_process_compiles_for_itself_where_the_jar_cannot_be_written(
    cache: Path, ensure: Callable[[], RuntimeJar], monkeypatch: pytest.MonkeyPatch
) -> None:
    write = jar.write_jar

    def full(path: Path, *arguments: Any, **options: Any) -> None:
        if path.parent == cache:
            try:
                raise OSError("no space left")
            except OSError as error:
                raise BackendError("cannot be written") from error
        write(path, *arguments, **options)

    monkeypatch.setattr(runtime_jar, "write_jar", full)
    own = ensure()
    assert own.origin == "process"
    own.path.unlink()


def test_a_source_that_does_not_compile_is_an_error() -> None:
    def compile_sources(sources: Mapping[str, str]) -> Mapping[str, bytes]:
        raise BackendError("Line 1")

    with pytest.raises(BackendError, match="Line 1"):
        ensure_runtime_jar(FLINK, compile_sources)


# ---- what a wheel brings ----------------------------------------------------------------------------------------------


def test_the_jar_of_a_wheel_serves_all_patches_of_its_version_of_flink(
    ensure: Callable[[], RuntimeJar], compiled: Compiled, tmp_path: Path
) -> None:
    brought = tmp_path / "brought" / jar_name("2.3")
    brought.parent.mkdir()
    runtime_jar.write_runtime_jar(brought, "2.3", lambda sources: CLASSES)
    assert ensure() == find_runtime_jar("2.3.7") == RuntimeJar(brought, "wheel")
    assert find_runtime_jar("2.4.0") is None
    assert compiled == []
