from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from leapstream.errors import SourceError
from leapstream.sources import resolve


@pytest.fixture
def zipped(tmp_path: Path) -> Path:
    path = tmp_path / "a model.zip"
    path.write_bytes(b"zip")
    return path


@pytest.mark.parametrize(
    "form", ["{0}", "file:{0}", "file://{0}", "file://localhost{0}", "jar:file:{0}", "jar:file:{0}!/"]
)
def test_a_local_form_gives_the_path_itself(zipped: Path, form: str) -> None:
    location = form.format(zipped if form == "{0}" else str(zipped).replace(" ", "%20"))
    assert resolve(location) == zipped


def test_a_path_object_is_taken_as_it_is(zipped: Path) -> None:
    assert resolve(zipped) == zipped


def test_a_directory_is_taken_as_it_is(tmp_path: Path) -> None:
    assert resolve(tmp_path) == tmp_path


def test_a_colon_does_not_make_a_path_a_uri(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models:v1.zip").write_bytes(b"zip")
    monkeypatch.chdir(tmp_path)
    assert resolve("models:v1.zip") == Path("models:v1.zip")


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nowhere\.zip: no such file"):
        resolve(tmp_path / "nowhere.zip")


def test_a_right_checksum_of_a_local_zip_passes_in_any_case(zipped: Path) -> None:
    assert resolve(zipped, sha256=hashlib.sha256(b"zip").hexdigest().upper()) == zipped


def test_a_wrong_checksum_of_a_local_zip_names_both(zipped: Path) -> None:
    with pytest.raises(SourceError) as caught:
        resolve(zipped, sha256="0" * 64)
    assert hashlib.sha256(b"zip").hexdigest() in str(caught.value)
    assert "0" * 64 in str(caught.value)


def test_a_checksum_of_a_directory_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="directory"):
        resolve(tmp_path, sha256="0" * 64)


def test_a_malformed_checksum_is_rejected(zipped: Path) -> None:
    with pytest.raises(SourceError, match="64 hexadecimal digits"):
        resolve(zipped, sha256="abc")


@pytest.mark.parametrize(
    "location", ["file://elsewhere/x.zip", "jar:gs://b/x.zip", "nosuch://b/x.zip", "http://[::1", "a\0b", ""]
)
def test_a_location_that_means_nothing_is_a_source_error(location: str) -> None:
    with pytest.raises(SourceError):
        resolve(location)
