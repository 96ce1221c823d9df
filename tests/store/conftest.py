from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from leapstream.sources import SourceOptions
from leapstream.store import ModelStore

BENCH = Path(__file__).parents[1] / "bench"
LINEAR = BENCH / "linear3.zip"
FOREST = BENCH / "forest3-20x5.zip"
RECORD = {"feature1": 1.0, "feature2": 2.0, "feature3": 3.0}


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ModelStore:
    """An empty store, in a directory and in fsspec's memory."""
    uri = str(tmp_path / "models") if request.param == "local" else f"memory://{uuid.uuid4().hex}/models"
    return ModelStore(uri, SourceOptions(cache_dir=tmp_path / "cache", timeout=5, retries=1))
