from __future__ import annotations

import json
import struct
import zipfile
from pathlib import Path

import pytest

from leapstream import BackendError, BundleError
from leapstream.executors.jvm.jar import CompiledJar, write_jar


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


def _jar(path: Path, manifest: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as jar:
        jar.writestr("META-INF/MANIFEST.MF", manifest)
    return path


def _listing(models: str) -> bytes:
    return f"Leapstream-Version: 1\r\nLeapstream-Models: {models}\r\n".encode()


ROW = {"name": "a", "kind": "function", "class_name": "c", "bundle": "b", "uid": "u", "version": "v", "sha256": "s"}


def test_a_manifest_is_not_decompressed_beyond_the_limits(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="max_ratio"):
        CompiledJar.read(_jar(tmp_path / "a.jar", bytes(40 << 20)))


def test_an_encrypted_manifest_is_rejected(tmp_path: Path) -> None:
    data = bytearray(_jar(tmp_path / "a.jar", b"x").read_bytes())
    data[data.rfind(b"PK\x01\x02") + 8] |= 1
    data[6] |= 1
    (tmp_path / "a.jar").write_bytes(data)
    with pytest.raises(BundleError, match="is encrypted"):
        CompiledJar.read(tmp_path / "a.jar")


@pytest.mark.parametrize(
    ("models", "reason"),
    [
        ("[" * 100_000, "nested too deeply|not JSON"),
        (json.dumps([{**ROW, "inputs": [1], "outputs": {}}]), "inputs is an array"),
        (json.dumps([{**ROW, "name": 5, "inputs": {}, "outputs": {}}]), "name is 5, not a string"),
        (json.dumps([{**ROW, "inputs": {}, "outputs": {"a": 1}}]), "outputs is 1, not a string"),
        (json.dumps([ROW]), "inputs is null"),
        ("{}", "is an object, not an array"),
    ],
)
def test_a_manifest_of_another_form_is_rejected(tmp_path: Path, models: str, reason: str) -> None:
    with pytest.raises(BundleError, match=rf"a\.jar: META-INF/MANIFEST\.MF: .*({reason})"):
        CompiledJar.read(_jar(tmp_path / "a.jar", _listing(models)))


@pytest.mark.parametrize("manifest", [b"Manifest-Version: 1.0", b"\xff"])
def test_a_jar_without_models_is_none(tmp_path: Path, manifest: bytes) -> None:
    assert CompiledJar.read(_jar(tmp_path / "a.jar", manifest)) is None


def test_a_jar_that_claims_to_span_several_disks_is_damaged(tmp_path: Path) -> None:
    disks = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 2)
    (tmp_path / "a.jar").write_bytes(disks + b"PK\x05\x06" + bytes(18))
    with pytest.raises(BundleError, match="is not a valid zip archive: zipfiles that span multiple disks"):
        CompiledJar.read(tmp_path / "a.jar")
