"""LightGBM's boosters of every objective, exported, in MLeap's JVM."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from leapstream import from_lightgbm
from tests.exporters.test_lightgbm import BOOSTERS, asked, train
from tests.mleap.judging import frame_for, judge, settle
from tests.mleap.jvm import MLeap, require_runner

require_runner()


def shown(booster: tuple[str, str, dict[str, Any]]) -> str:
    """The name of a case: the objective and the options."""
    objective, _, options = booster
    return " ".join([objective, *(f"{name}={value}" for name, value in options.items())])


@pytest.mark.parametrize("booster", BOOSTERS, ids=shown)
def test_mleap_answers_as_leapstream_does(
    booster: tuple[str, str, dict[str, Any]], mleap: MLeap, tmp_path: Path, record_property: Any
) -> None:
    objective, label, options = booster
    model = from_lightgbm(train(objective, label, **options))
    verdict = judge(mleap, model, frame_for(model, asked()), tmp_path)
    settle(verdict, "lightgbm", shown(booster), record_property)
