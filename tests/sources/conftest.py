from __future__ import annotations

from tests.fetching.conftest import cache, options, web

__all__ = ["cache", "options", "web"]
