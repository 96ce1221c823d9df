"""Reading a hostile bundle raises ``BundleError`` and nothing else, and leaves nothing on disk."""

from __future__ import annotations

import importlib.util
import io
import os
import random
import stat
import struct
import sys
import tempfile
import threading
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from leapstream.bundle.container import Limits, read_files
from leapstream.bundle.definition import BundleDef, ModelDef, NodeDef
from leapstream.bundle.reader import read_bundle
from leapstream.bundle.writer import encode_files, write_bundle
from leapstream.errors import BundleError
from leapstream.threads import THREADS_VARIABLE

ROOT = Path(__file__).resolve().parent.parent.parent
GOLDEN = ROOT / "tests" / "golden"
SAMPLE = [
    "classification/decision-tree-categorical/bundle.zip",
    "classification/decision-tree-runtime-writer-protobuf/bundle",
    "classification/random-forest-binary",
    "clustering/bisecting-k-means/bundle.zip",
    "feature/bucketizer-infinite-protobuf/bundle.zip",
    "sklearn/tfidf/bundle.zip",
    "handmade/vector-indexer-no-handler",
]


def _load_tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("corrupt_bundles", ROOT / "benchmarks" / "corrupt_bundles.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


corrupt = _load_tool()


def sample(name: str) -> Path:
    place = GOLDEN / name
    if place.name not in ("bundle", "bundle.zip"):
        place = place / "bundle.zip" if (place / "bundle.zip").exists() else place / "bundle"
    return place


@pytest.fixture
def files() -> dict[str, bytes]:
    model = ModelDef("op", files={"big": b"x" * 1000})
    return encode_files(BundleDef("n", "u", "v", None, "json", NodeDef("n", (), (), model)), "json")


# -- damage -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLE)
def test_every_truncated_archive_is_an_error(name: str) -> None:
    data = corrupt.zipped(read_files(sample(name), Limits())[1])
    assert {corrupt.outcome_of_archive(damaged) for damaged in corrupt.truncations(data)} == {"BundleError"}


@pytest.mark.parametrize("name", SAMPLE)
def test_a_flipped_archive_is_an_error_or_loads(name: str) -> None:
    data = corrupt.zipped(read_files(sample(name), Limits())[1])
    outcomes = [corrupt.outcome_of_archive(damaged) for damaged in corrupt.flips(data, 200, name)]
    assert outcomes.count("BundleError") > 50


@pytest.mark.parametrize("name", SAMPLE)
def test_every_truncated_file_is_an_error_and_a_flipped_one_is_that_or_loads(name: str) -> None:
    contents = read_files(sample(name), Limits())[1]
    outcomes = {
        (kind, corrupt.outcome_of_files(damaged)) for kind, damaged in corrupt.damaged_files(contents, 20, name)
    }
    assert ("file truncated", "BundleError") in outcomes
    assert ("file truncated", "loaded") not in outcomes


# -- names, links, duplicates -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", corrupt.EVIL_NAMES)
def test_an_unsafe_name_is_rejected(files: dict[str, bytes], name: str) -> None:
    with pytest.raises(BundleError, match="unsafe path"):
        read_bundle(corrupt.with_entry(files, name))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_a_link_or_device_in_an_archive_is_rejected(files: dict[str, bytes], kind: int) -> None:
    with pytest.raises(BundleError, match=r"root/link: is (a link|neither)"):
        read_bundle(corrupt.with_entry(files, "root/link", b"node.json", kind | 0o777))


@pytest.mark.parametrize("target", ["/etc/passwd", "node.json", "../..", "nowhere"])
def test_a_link_in_a_directory_is_rejected(tmp_path: Path, files: dict[str, bytes], target: str) -> None:
    for path, data in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(data)
    read_bundle(tmp_path)
    os.symlink(target, tmp_path / "root" / "link")
    with pytest.raises(BundleError, match="root/link: is a link"):
        read_bundle(tmp_path)


def test_a_pipe_in_a_directory_is_rejected(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "bundle.json")
    with pytest.raises(BundleError, match=r"bundle\.json: is neither a file nor a directory"):
        read_bundle(tmp_path)


@pytest.mark.parametrize("name", ["root/node.json", "./root/node.json", "root/./node.json"])
def test_an_entry_that_is_there_twice_is_rejected(files: dict[str, bytes], name: str) -> None:
    with pytest.raises(BundleError, match=r"root/node\.json: is there twice"):
        read_bundle(corrupt.with_entry(files, name))


@pytest.mark.parametrize("name", ["root", "root/node.json/x"])
def test_a_name_that_is_both_file_and_directory_is_rejected(files: dict[str, bytes], name: str) -> None:
    with pytest.raises(BundleError, match="as a file and as a directory"):
        read_bundle(corrupt.with_entry(files, name))


def _patched(files: dict[str, bytes], offset: int, code: str, value: int) -> bytes:
    """The archive with a field of the central directory's last entry replaced."""
    data = bytearray(corrupt.zipped(files))
    start = data.rindex(b"PK\x01\x02")
    struct.pack_into("<" + code, data, start + offset, value)
    return bytes(data)


def test_an_encrypted_entry_is_rejected(files: dict[str, bytes]) -> None:
    with pytest.raises(BundleError, match="is encrypted"):
        read_bundle(_patched(files, 8, "H", 1))


def test_an_unknown_compression_is_rejected(files: dict[str, bytes]) -> None:
    with pytest.raises(BundleError, match="method 14"):
        read_bundle(_patched(files, 10, "H", 14))


def test_a_wrong_checksum_is_rejected(files: dict[str, bytes]) -> None:
    with pytest.raises(BundleError, match="corrupt zip archive: Bad CRC"):
        read_bundle(_patched(files, 16, "I", 1))


@pytest.mark.parametrize("threads", ["1", "3"])
def test_large_files_are_read_and_a_damaged_one_is_named_in_any_number_of_threads(
    threads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(THREADS_VARIABLE, threads)
    files = {f"root/{number}": random.Random(number).randbytes(10_000) * 20 for number in range(100)}
    before = threading.active_count()
    assert read_files(corrupt.zipped(files), Limits())[1] == files
    assert threading.active_count() == before
    with pytest.raises(BundleError, match="Bad CRC-32 for file 'root/99'"):
        read_files(_patched(files, 16, "I", 1), Limits())


# -- bombs ------------------------------------------------------------------------------------------------------------


def test_a_bomb_is_rejected_by_its_ratio() -> None:
    with pytest.raises(BundleError, match="max_ratio"):
        read_bundle(corrupt.zipped({"bundle.json": b"{}", "root/bomb": bytes(40 << 20)}))


def test_many_small_bombs_are_rejected_by_their_sum() -> None:
    with pytest.raises(BundleError, match="max_ratio"):
        read_bundle(corrupt.zipped({"bundle.json": b"{}", **{f"root/{i}": bytes(2 << 20) for i in range(20)}}))


def test_a_bundle_of_zeros_may_have_any_ratio(files: dict[str, bytes]) -> None:
    read_bundle(corrupt.zipped(files | {"root/zeros": bytes(20 << 20)}))


def test_a_bundle_that_was_written_can_be_read_whatever_its_ratio(tmp_path: Path) -> None:
    definition = BundleDef(
        "n", "u", "v", None, "json", NodeDef("n", (), (), ModelDef("op", files={"x": bytes(33 << 20)}))
    )
    write_bundle(definition, tmp_path / "zeros.zip")
    assert read_bundle(tmp_path / "zeros.zip") == definition


def test_a_bomb_whose_headers_lie_is_rejected(files: dict[str, bytes]) -> None:
    data = bytearray(corrupt.zipped(files | {"root/zzz": bytes(4 << 20)}))
    start = data.rindex(b"PK\x01\x02")
    struct.pack_into("<I", data, start + 24, 100)
    with pytest.raises(BundleError):
        read_bundle(bytes(data))


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        (Limits(max_total_size=500), "max_total_size"),
        (Limits(max_file_size=500), "max_file_size"),
        (Limits(max_entries=2), "max_entries"),
        (Limits(max_depth=0), "max_depth"),
        (Limits(max_ratio=2, ratio_from=10), "max_ratio"),
    ],
)
def test_every_limit_can_be_set(files: dict[str, bytes], limits: Limits, name: str) -> None:
    with pytest.raises(BundleError, match=name):
        read_bundle(corrupt.zipped(files), limits=limits)


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        (Limits(max_total_size=500), "max_total_size"),
        (Limits(max_file_size=500), "max_file_size"),
        (Limits(max_entries=2), "max_entries"),
        (Limits(max_depth=0), "max_depth"),
    ],
)
def test_limits_hold_for_directories(tmp_path: Path, files: dict[str, bytes], limits: Limits, name: str) -> None:
    for path, data in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(data)
    with pytest.raises(BundleError, match=name):
        read_bundle(tmp_path, limits=limits)


def test_an_archive_in_an_archive_is_not_opened(files: dict[str, bytes]) -> None:
    inner = corrupt.zipped({"x": bytes(100)})
    definition = read_bundle(corrupt.zipped(files | {"root/inner.zip": inner}))
    assert definition.root.model.files["inner.zip"] == inner


def test_reading_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for name in SAMPLE:
        path = sample(name)
        read_bundle(path)
        data = corrupt.zipped(read_files(path, Limits())[1])
        for damaged in (data[: len(data) // 2], corrupt.with_entry({}, "../evil")):
            with pytest.raises(BundleError):
                read_bundle(damaged)
    assert list(tmp_path.iterdir()) == []
    assert not (tmp_path.parent / "evil").exists()


def test_an_empty_archive_is_an_error() -> None:
    out = io.BytesIO()
    zipfile.ZipFile(out, "w").close()
    with pytest.raises(BundleError, match=r"has no bundle\.json"):
        read_bundle(out.getvalue())
