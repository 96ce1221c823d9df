from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from leapstream.sources import SourceOptions

from .web import Web, start


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web()
    server = start(web)
    yield web
    server.shutdown()
    server.server_close()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def options(cache: Path) -> SourceOptions:
    return SourceOptions(cache_dir=cache, timeout=5, retries=2)


def leftovers(cache: Path) -> list[Path]:
    """Everything in the cache that is neither an entry nor a lock."""
    return list((cache / "partial").iterdir())


def entries(cache: Path) -> list[Path]:
    return list((cache / "entries").iterdir())
