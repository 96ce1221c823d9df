"""The snippets of README and docs run, and give what the pages show."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, Block, blocks, counts, pages
from tests.docs.elsewhere import BLOCKS
from tests.docs.reader import prepare
from tests.docs.running import Page

_FLINK = re.compile(
    r"pyflink|leapstream\.flink|table_env|^```sql|leapstream (compile|publish|ddl|sql|demo)\b", re.MULTILINE
)


def _marked() -> list[object]:
    marked: list[object] = []
    for page in pages():
        found = blocks(page)
        if not found:
            continue
        starts_java = any(_FLINK.search(f"```{block.language}\n{block.text}") for block in found if block.kind == "run")
        quick = not any(block.kind == "run" for block in found)
        marks = [] if quick else [pytest.mark.slow, *([pytest.mark.flink] if starts_java else [])]
        marked.append(pytest.param(page, id=page, marks=marks))
    return marked


@pytest.mark.parametrize("page", _marked())
def test_the_blocks_of_a_page_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    prepare(tmp_path, (ROOT / page).read_text(encoding="utf-8"))
    with contextlib.ExitStack() as stack:
        state = Page(tmp_path, stack)
        for block in blocks(page):
            try:
                state.run(block)
            except Exception as error:
                raise AssertionError(f"{block}: {error}") from error


def test_every_block_runs_is_parsed_or_is_on_the_list() -> None:
    unknown = [f"{block} ({block.language})" for page in pages() for block in blocks(page) if block.kind == "unknown"]
    assert not unknown


def test_the_list_has_nothing_but_blocks_that_are_there() -> None:
    found: list[Block] = [block for page in pages() for block in blocks(page)]
    for page, part in BLOCKS:
        assert [block for block in found if block.page == page and part in block.text], (page, part)


def test_the_page_on_contributing_counts_the_blocks() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    found = re.search(r"at least (\d+) blocks run, (\d+) are parsed, and at most (\d+)\s+are listed", text)
    assert found is not None
    run, parsed, listed = map(int, found.groups())
    there = counts()
    assert there["run"] >= run and there["parsed"] >= parsed and there["listed"] <= listed, there
