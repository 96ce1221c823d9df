from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.golden_corpus import GOLDEN
from tests.serving.conftest import BENCH
from tests.serving.running import serving

MODELS = (f"linear={BENCH / 'linear3.zip'}", f"loans={GOLDEN / 'pipeline/loans-logistic-error/bundle.zip'}")


def chromium() -> str:
    """The path of Chromium on this machine; without one, or without playwright, the test is skipped."""
    pytest.importorskip("playwright")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("Chromium was not found")
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    path = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    chromium()
    with serving(*MODELS) as server:
        server.discard_log()
        yield server.url
