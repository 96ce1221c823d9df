from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from leapstream.errors import SourceError, StoreError
from leapstream.sources import SourceOptions
from leapstream.store.places import LocalPlace, Place, place_of


@pytest.fixture(params=["local", "without links", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """An empty place of each kind."""

    def fail(*arguments: Any) -> None:
        raise OSError(errno.EPERM, "not permitted")

    if request.param == "memory":
        return place_of(f"memory://{tmp_path.name}/{os.getpid()}", SourceOptions(retries=0))
    if request.param == "without links":
        monkeypatch.setattr(os, "link", fail)
    return place_of(tmp_path / "place", SourceOptions())


def test_a_file_is_created_once(place: Place) -> None:
    assert place.create("a/b.json", b"first") and not place.create("a/b.json", b"second")
    assert place.read("a/b.json", 100) == b"first"
    assert place.names("a") == ["b.json"]


def test_a_file_is_replaced(place: Place) -> None:
    place.replace("a/b.json", b"first")
    place.replace("a/b.json", b"second")
    assert place.read("a/b.json", 100) == b"second"


def test_a_file_is_copied_and_removed(place: Place, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    place.upload(tmp_path / "file", "a/file")
    assert place.read("a/file", 7) == b"content"
    place.remove("a/file")
    place.remove("a/file")
    assert place.read("a/file", 7) is None


def test_what_is_not_there_is_missing(place: Place) -> None:
    assert place.read("a/b", 10) is None and place.names("a") == [] and place.names() == []


def test_a_file_over_the_limit_is_not_read(place: Place) -> None:
    place.replace("a", b"12345")
    assert place.read("a", 5) == b"12345"
    with pytest.raises(SourceError, match="more than 4 bytes"):
        place.read("a", 4)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="Permission denied"):
        LocalPlace(tmp_path).replace("a", b"")


def test_a_file_in_the_place_of_the_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file"):
        LocalPlace(tmp_path / "file").create("a", b"")
