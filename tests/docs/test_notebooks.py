"""The notebooks of the documentation run, and give the outputs that they show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.docs.notebooks import cells, notebooks, run


@pytest.mark.flink
@pytest.mark.slow
@pytest.mark.parametrize("notebook", notebooks(), ids=lambda path: path.stem)
def test_a_notebook_gives_the_outputs_that_it_shows(
    notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "notebook"}
    for cell in cells(notebook):
        assert run(cell, names) == cell["outputs"], "".join(cell["source"])
