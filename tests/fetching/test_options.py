from __future__ import annotations

from pathlib import Path

import pytest

from leapstream.errors import ConfigError
from leapstream.sources import SourceOptions


def test_the_cache_directory_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAPSTREAM_CACHE_DIR", str(tmp_path))
    assert SourceOptions().cache_path() == tmp_path


def test_a_given_cache_directory_comes_before_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAPSTREAM_CACHE_DIR", "/elsewhere")
    assert SourceOptions(cache_dir=tmp_path).cache_path() == tmp_path


def test_the_default_cache_directory_is_named_leapstream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEAPSTREAM_CACHE_DIR", raising=False)
    assert SourceOptions().cache_path().name == "leapstream"


def test_repr_does_not_show_storage_options() -> None:
    assert "hush" not in repr(SourceOptions(storage_options={"secret": "hush"}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"timeout": 0},
        {"timeout": float("inf")},
        {"timeout": float("nan")},
        {"retries": -1},
        {"max_size": 0},
        {"max_files": 0},
    ],
)
def test_an_option_out_of_range_is_a_config_error(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        SourceOptions(**wrong)  # type: ignore[arg-type]
