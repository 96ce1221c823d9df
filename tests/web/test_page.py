"""The page at ``/`` in Chromium; ``make test-web`` has playwright and axe."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from leapstream import save
from leapstream.ops.feature.categories import StringIndexer
from tests.pipelines import node
from tests.serving.running import serving
from tests.web.conftest import MODELS

pytestmark = pytest.mark.slow


@pytest.fixture
def page(browser: Any, url: str) -> Iterator[Any]:
    """The page with its models; nothing may come from elsewhere, and nothing may break the content security policy."""
    opened = open_page(browser, url)
    yield opened
    assert opened.problems == []
    opened.context.close()


def open_page(browser: Any, url: str, **options: Any) -> Any:
    opened = browser.new_context(**options).new_page()
    opened.problems = []
    opened.on("pageerror", lambda error: opened.problems.append(str(error)))
    opened.on("request", lambda r: opened.problems.append(r.url) if not r.url.startswith((url, "data:")) else None)
    opened.on("console", lambda m: opened.problems.append(m.text) if "Content Security Policy" in m.text else None)
    opened.goto(f"{url}/")
    opened.locator("#diagram svg, #token:not([hidden])").first.wait_for()
    return opened


def choose(page: Any, model: str) -> None:
    page.get_by_role("link", name=model, exact=True).click()
    page.get_by_role("heading", name=model, exact=True).wait_for()


def score(page: Any, **values: str) -> None:
    for name, value in values.items():
        page.get_by_label(name, exact=True).fill(value)
    page.get_by_role("button", name="Score").click()


def test_a_record_is_scored_through_the_form(page: Any) -> None:
    score(page, feature1="1", feature2="2", feature3="3")
    page.get_by_role("rowheader", name="prediction").nth(0).wait_for()
    assert page.locator("#answer td").inner_text() == "-0.625"


def test_a_form_has_an_example_that_the_model_knows(page: Any) -> None:
    choose(page, "loans")
    score(page)
    page.locator("#answer td").first.wait_for()
    assert page.locator("#answer th[scope=row]").all_inner_texts() == ["rawPrediction", "probability", "prediction"]


def test_an_error_is_shown_at_the_field_of_its_column(page: Any) -> None:
    choose(page, "loans")
    score(page, state="Atlantis")
    page.get_by_role("alert").filter(has_text="unseen label 'Atlantis'").wait_for()
    field = page.get_by_label("state", exact=True)
    assert field.get_attribute("aria-invalid") == "true" and field.evaluate("e => e === document.activeElement")
    score(page, state="CA")
    page.locator("#answer td").first.wait_for()
    assert field.get_attribute("aria-invalid") is None


def test_a_number_that_is_none_is_not_sent(page: Any) -> None:
    score(page, feature2="many")
    page.get_by_role("alert").filter(has_text="feature2: “many” is not a number").wait_for()


@pytest.mark.parametrize("language", ["curl", "python"])
def test_the_code_sends_the_record_of_the_form(page: Any, language: str) -> None:
    choose(page, "loans")
    page.get_by_label("home", exact=True).fill('it\'s "home" \\ ü')
    page.get_by_label("state is missing").check()
    page.get_by_label("Edit as JSON").check()
    page.get_by_label("Edit as JSON").uncheck()
    page.get_by_label("state is missing").uncheck()
    code = page.locator(f"#{language}").inner_text()
    command = ["bash", "-c", code] if language == "curl" else [sys.executable, "-c", code]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert '"probability"' in found.stdout.replace("'", '"'), found.stderr


def test_a_record_can_be_edited_as_json(page: Any) -> None:
    page.get_by_label("Edit as JSON").check()
    page.get_by_label("Record, as JSON").fill('{"feature1": 1, "feature2": 2, "feature3"')
    score(page)
    page.get_by_role("alert").filter(has_text="this is not JSON").wait_for()
    page.get_by_label("Record, as JSON").fill('{"feature1": 1, "feature2": 2, "feature3": 3}')
    score(page)
    page.locator("#answer td").filter(has_text="-0.625").wait_for()


def test_numbers_of_requests_arrive_by_themselves(page: Any, url: str) -> None:
    cells = page.locator("#list tr").filter(has_text="linear").locator("td")
    before = int(cells.nth(5).inner_text().replace(",", ""))
    record = json.dumps({"feature1": 1, "feature2": 2, "feature3": 3}).encode()
    for _ in range(20):
        urlopen(Request(f"{url}/v1/models/linear:predict", record, {"content-type": "application/json"})).close()
    page.locator("#list td").filter(has_text=re.compile(f"^{before + 20}$")).first.wait_for()
    assert "µs" in cells.nth(3).inner_text() or "ms" in cells.nth(3).inner_text()


def test_the_pipeline_is_a_picture_and_a_table(page: Any) -> None:
    choose(page, "loans")
    picture = page.get_by_role("img", name="7 steps")
    picture.wait_for()
    assert picture.locator("g.step .op").all_text_contents().count("string_indexer") == 2
    page.get_by_text("Steps as a table").click()
    assert page.locator("#steps tr").count() == 7


def test_names_of_a_bundle_are_shown_as_text(browser: Any, tmp_path: Path) -> None:
    script = "<img src=x onerror=\"document.title='harmed'\">"
    op = StringIndexer(((f"{script} label",),), "error")
    indexer = node(f"{script} node", op, {"input": f"{script} in"}, {"output": f"{script} out"})
    save(indexer, tmp_path / "bundle.zip")
    with serving(f"model={tmp_path / 'bundle.zip'}") as server:
        server.discard_log()
        page = open_page(browser, server.url)
        score(page)
        page.locator("#answer th").filter(has_text=f"{script} out").wait_for()
        page.get_by_text("Steps as a table").click()
        assert page.locator("#steps th").inner_text() == f"{script} node"
        score(page, **{f"{script} in": f"{script} other"})
        page.get_by_role("alert").filter(has_text="unseen label").wait_for()
        assert page.locator("img").count() == 0 and "harmed" not in page.title() and page.problems == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1240, 360])
def test_axe_finds_nothing(browser: Any, url: str, scheme: str, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = open_page(browser, url, color_scheme=scheme, viewport={"width": width, "height": 800})
    choose(page, "loans")
    score(page, state="Atlantis")
    page.get_by_role("alert").filter(has_text="unseen label").wait_for()
    page.get_by_text("Steps as a table").click()
    found = axe.run(page)
    assert found.response["violations"] == [], found.generate_report()
    light = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(246, 247, 249)"
    assert light == (scheme == "light")
    page.context.close()


def test_the_keyboard_reaches_everything(page: Any) -> None:
    reached = []
    page.evaluate("document.activeElement.blur()")
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.innerText.trim()"))
    for expected in ("Skip to the model", "linear", "loans", "field-0", "field-2", "Score", "as-json", "diagram"):
        assert expected in reached, reached


def test_a_token_is_asked_for_and_not_kept(browser: Any) -> None:
    with serving(*MODELS, environment={"LEAPSTREAM_TOKEN": "secret"}) as server:
        server.discard_log()
        page = open_page(browser, server.url)
        page.get_by_label("Token").fill("wrong")
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("alert").filter(has_text="does not accept").wait_for()
        page.get_by_label("Token").fill("secret")
        page.get_by_role("button", name="Continue").click()
        page.wait_for_selector("#diagram svg")
        score(page)
        page.locator("#answer td").first.wait_for()
        code = page.locator("#curl").inner_text()
        assert "$LEAPSTREAM_TOKEN" in code and "secret" not in page.content()
        python = subprocess.run(
            [sys.executable, "-c", page.locator("#python").inner_text()],
            env={**os.environ, "LEAPSTREAM_TOKEN": "secret"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "prediction" in python.stdout, python.stderr
        page.reload()
        page.get_by_label("Token").wait_for()
        assert page.problems == []


def test_a_server_that_ends_is_told(browser: Any) -> None:
    with serving(MODELS[0]) as server:
        server.discard_log()
        page = open_page(browser, server.url)
        server.end()
        page.get_by_role("status").filter(has_text="does not answer").wait_for()
