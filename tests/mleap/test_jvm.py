"""The process with MLeap's runtime."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from leapstream import LeapFrame, load, save
from leapstream.bundle.types import BasicType, Field, ScalarType, Schema
from tests.mleap.jvm import VARIABLE, LoadError, MLeap, require_runner

require_runner()

LINEAR = Path(__file__).parents[1] / "bench" / "linear3.zip"
FIELDS = tuple(Field(f"feature{i}", ScalarType(BasicType.DOUBLE)) for i in (1, 2, 3))
FRAME = LeapFrame(Schema(FIELDS), [(1.0, 2.0, 3.0)])


def test_mleap_that_is_late_is_stopped_and_started_again(tmp_path: Path) -> None:
    runner = MLeap(Path(os.environ[VARIABLE]).absolute(), limit=0.001)
    bundle = tmp_path / "late.zip"
    save(load(LINEAR), bundle)
    with pytest.raises(RuntimeError, match=r"did not answer 1 rows of .*late\.zip within 0\.001 seconds"):
        runner.ask(bundle, FRAME)
    runner.limit = 60.0
    assert [answer.kind for answer in runner.ask(bundle, FRAME)] == ["values"]
    runner.close()


def test_mleap_says_that_it_does_not_load_a_bundle(mleap: MLeap, tmp_path: Path) -> None:
    with pytest.raises(LoadError):
        mleap.ask(tmp_path / "none.zip", FRAME)
