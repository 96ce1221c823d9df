"""The command line as tests call it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from leapstream.cli import app

BENCH = Path(__file__).parents[1] / "bench"
LINEAR = str(BENCH / "linear3.zip")
FOREST = str(BENCH / "forest3-20x5.zip")
LINEAR_INPUT = str(BENCH / "linear3.input.json")


@pytest.fixture
def run() -> Callable[..., Result]:
    """Runs ``leapstream`` with some arguments in this process."""

    def invoke(*args: str | Path) -> Result:
        return CliRunner().invoke(app, [str(arg) for arg in args], catch_exceptions=False)

    return invoke
