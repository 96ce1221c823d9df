"""Make docs/images/serving-page.png: the page of a server that answers requests, in Chromium. ``make screenshot`` runs it."""

from __future__ import annotations

import json
import random
import threading
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from playwright.sync_api import sync_playwright

from tests.golden_corpus import GOLDEN
from tests.serving.conftest import BENCH
from tests.serving.running import serving
from tests.web.conftest import chromium

IMAGE = Path(__file__).parents[2] / "docs/images/serving-page.png"
SECONDS = 45
LOAN = {"state": "CA", "home": "rent", "amount": 12000, "income": 54000, "age": 41, "late": 0, "flag": 1}
VECTOR = {"features": [1.0, 2.0, 3.0]}
MODELS: dict[str, tuple[Path, list[dict[str, Any]]]] = {
    "loans": (GOLDEN / "pipeline/loans-logistic-error/bundle.zip", [*[LOAN] * 30, {**LOAN, "state": "Atlantis"}]),
    "forest": (BENCH / "forest3-20x5.zip", [VECTOR]),
}


def main() -> None:
    """Start a server, ask it for a while, and take the picture."""
    ended = threading.Event()
    with (
        serving(*(f"{name}={bundle}" for name, (bundle, _) in MODELS.items())) as server,
        sync_playwright() as playwright,
    ):
        server.discard_log()
        threading.Thread(target=_ask, args=(server.url, ended), daemon=True).start()
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1180, "height": 1000}, color_scheme="light")
        page.goto(server.url)
        page.wait_for_selector("#diagram svg")
        page.wait_for_timeout(SECONDS * 1000)
        for name, value in LOAN.items():
            page.get_by_label(name, exact=True).fill(str(value))
        page.get_by_role("button", name="Score").click()
        page.wait_for_selector("#answer td")
        page.locator("#name").click()
        bottom = page.locator("section:has(#diagram)").bounding_box()
        assert bottom is not None
        IMAGE.parent.mkdir(exist_ok=True)
        whole = {"x": 0, "y": 0, "width": 1180, "height": bottom["y"] + bottom["height"] + 16}
        page.screenshot(path=IMAGE, full_page=True, clip=whole)
        ended.set()


def _ask(url: str, ended: threading.Event) -> None:
    """Ask for predictions at random times, and now and then with a record that fails."""
    chance = random.Random(1)
    while not ended.wait(chance.random() * 0.03):
        name = chance.choice(list(MODELS))
        record = json.dumps(chance.choice(MODELS[name][1])).encode()
        request = Request(f"{url}/v1/models/{name}:predict", record, {"content-type": "application/json"})
        try:
            urlopen(request, timeout=10).close()
        except OSError:  # the record fails, or the server has ended
            pass


if __name__ == "__main__":
    main()
