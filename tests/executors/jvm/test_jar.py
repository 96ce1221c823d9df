from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from leapstream import BackendError
from leapstream.executors.jvm.jar import write_jar


def test_same_contents_give_same_bytes_in_any_order(tmp_path: Path) -> None:
    write_jar(tmp_path / "a.jar", {"a.class": b"1", "b.class": b"2"}, {"r": b"3"}, {"Created-By": "x"})
    write_jar(tmp_path / "b.jar", {"b.class": b"2", "a.class": b"1"}, {"r": b"3"}, {"Created-By": "x"})
    assert (tmp_path / "a.jar").read_bytes() == (tmp_path / "b.jar").read_bytes()


def test_manifest_comes_first_and_folds_long_lines(tmp_path: Path) -> None:
    write_jar(tmp_path / "a.jar", {"A.class": b"1"}, {}, {"Long": "v" * 100})
    with zipfile.ZipFile(tmp_path / "a.jar") as jar:
        assert jar.namelist() == ["META-INF/MANIFEST.MF", "A.class"]
        lines = jar.read("META-INF/MANIFEST.MF").split(b"\r\n")
    assert lines[0] == b"Manifest-Version: 1.0"
    assert max(map(len, lines)) <= 72
    assert (lines[1] + lines[2][1:]) == b"Long: " + b"v" * 100


def test_name_that_is_class_and_resource_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"a\.class is both"):
        write_jar(tmp_path / "a.jar", {"a.class": b""}, {"a.class": b""}, {})


def test_jar_that_cannot_be_written_is_a_backend_error(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="cannot be written"):
        write_jar(tmp_path / "missing" / "a.jar", {}, {}, {})
