"""The examples of the documentation do what they say."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pytest

PAGES = Path(__file__).resolve().parents[2] / "docs" / "exporters"


@pytest.mark.parametrize("page", ["sklearn", "xgboost", "lightgbm", "spark"])
def test_the_example_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (PAGES / f"{page}.md").read_text("utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec(compile(code, page, "exec"), {})
    assert list(tmp_path.glob("*.zip"))
