"""A cache that others may have written to."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from leapstream import SourceError
from leapstream.fetching.resolver import resolve
from leapstream.sources import SourceOptions

from .web import Web

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows keeps owners and permissions elsewhere")


@pytest.fixture
def url(web: Web) -> str:
    return web.put("/m.zip", b"content", etag="1")


def altered(path: Path) -> None:
    path.write_bytes(b"x" * path.stat().st_size)


def linked(path: Path) -> None:
    other = path.parents[2] / "other"
    other.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(other)


def joined(path: Path) -> None:
    (path.parent / "more").write_bytes(b"")


@pytest.mark.parametrize("harm", [altered, linked, joined])
def test_an_altered_entry_is_fetched_anew(
    web: Web, url: str, options: SourceOptions, harm: Callable[[Path], None]
) -> None:
    path = resolve(url, options=options)
    fetched = path.read_bytes()
    harm(path)
    again = resolve(url, options=options)
    assert (again.read_bytes(), again.is_symlink(), os.listdir(again.parent)) == (fetched, False, [path.name])
    assert web.requests["GET"] == 2


def test_an_entry_without_digests_is_fetched_anew(web: Web, url: str, options: SourceOptions, cache: Path) -> None:
    resolve(url, options=options)
    for digests in (cache / "digests").iterdir():
        digests.unlink()
    resolve(url, options=options)
    assert web.requests["GET"] == 2


def test_others_lose_their_permission_to_write_to_the_cache(url: str, options: SourceOptions, cache: Path) -> None:
    cache.mkdir()
    cache.chmod(0o777)
    resolve(url, options=options)
    assert stat.S_IMODE(cache.stat().st_mode) == 0o755


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a directory away")
@pytest.mark.parametrize("part", ["", "entries", "locks"])
def test_a_cache_of_another_user_is_rejected(url: str, options: SourceOptions, cache: Path, part: str) -> None:
    resolve(url, options=options)
    os.chown(cache / part, 12345, -1)
    with pytest.raises(SourceError, match=f"{part or 'cache'} belongs to another user; name a directory of your own"):
        resolve(url, options=options)


def test_a_part_of_the_cache_that_is_a_link_is_rejected(
    url: str, options: SourceOptions, cache: Path, tmp_path: Path
) -> None:
    cache.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (cache / "entries").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SourceError, match="entries is a link; name a directory of your own"):
        resolve(url, options=options)


def test_a_cache_may_be_named_by_a_link(url: str, cache: Path, tmp_path: Path) -> None:
    cache.mkdir()
    (tmp_path / "link").symlink_to(cache)
    path = resolve(url, options=SourceOptions(cache_dir=tmp_path / "link", timeout=5))
    assert path.is_relative_to(cache)
