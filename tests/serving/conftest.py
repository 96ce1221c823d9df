from __future__ import annotations

from pathlib import Path

import pytest

from leapstream import load
from leapstream.serving import Application, app

BENCH = Path(__file__).parents[1] / "bench"
RECORD: dict[str, float | None] = {"feature1": 1.0, "feature2": 2.0, "feature3": 3.0}
FAILING: dict[str, float | None] = {"feature1": None, "feature2": 2.0, "feature3": 3.0}


@pytest.fixture(scope="session")
def application() -> Application:
    """An application with a linear model of three numbers, and a forest over a vector."""
    return app({"linear": load(BENCH / "linear3.zip"), "forest": load(BENCH / "forest3-20x5.zip")})
