"""Writing to remote stores, with fsspec's memory in the place of one."""

from __future__ import annotations

import uuid
from pathlib import Path

import fsspec
import pytest

from leapstream import BundleError, SourceError, load, save
from leapstream.fetching.saving import local_copy
from tests.store.conftest import FOREST, LINEAR, RECORD

MEMORY = fsspec.filesystem("memory")


@pytest.fixture
def folder() -> str:
    return f"memory://{uuid.uuid4().hex}"


@pytest.mark.parametrize("name", ["a.zip", "a"])
def test_a_model_is_saved_to_a_remote_store_and_loaded_from_there(folder: str, name: str) -> None:
    for bundle in (FOREST, LINEAR):
        save(load(bundle), f"{folder}/{name}")
    model = load(f"{folder}/{name}")
    assert model.name == load(LINEAR).name
    assert model.predict(RECORD) == load(LINEAR).predict(RECORD)


def test_a_directory_that_is_not_a_bundle_is_not_replaced(folder: str) -> None:
    MEMORY.pipe_file(f"{folder}/a/notes.txt", b"keep")
    with pytest.raises(SourceError, match="neither a bundle nor a contract"):
        save(load(LINEAR), f"{folder}/a")
    assert MEMORY.cat_file(f"{folder}/a/notes.txt") == b"keep"


def test_nothing_is_copied_if_writing_fails(folder: str) -> None:
    with pytest.raises(BundleError), local_copy(f"{folder}/a.txt") as path:
        _write_half(Path(path))
    assert not MEMORY.exists(f"{folder}/a.txt")


def _write_half(path: Path) -> None:
    path.write_text("half", encoding="utf-8")
    raise BundleError("the other half cannot be written")


def test_a_place_that_cannot_be_written_is_named() -> None:
    with pytest.raises(SourceError, match="nowhere://a/b.zip"):
        save(load(LINEAR), "nowhere://a/b.zip")
