"""The benchmark of reloads, scaled down: no request fails, and no answer is from two versions."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = [pytest.mark.network, pytest.mark.slow]


def _load_benchmark() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "reloads.py"
    spec = importlib.util.spec_from_file_location("reloads", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


reloads = _load_benchmark()


def test_no_request_fails_and_no_answer_is_mixed_while_versions_change(tmp_path: Path) -> None:
    found = reloads.reload_often(tmp_path, 10)
    assert not found.seen.failures and not found.seen.mixed
    assert found.seen.requests > 20 and len(found.seen.versions) > 2
    assert len(found.seconds) == 10


def test_killed_workers_lose_the_requests_that_they_were_answering_alone(tmp_path: Path) -> None:
    seen, _ = reloads.kill_each_worker(tmp_path)
    assert not seen.mixed and len(seen.versions) == 3
    # A connection of each client may have been with the worker that was killed.
    assert sum(seen.failures.values()) <= 8
