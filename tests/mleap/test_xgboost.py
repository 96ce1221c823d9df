"""XGBoost's boosters of every objective, exported, in MLeap's JVM."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from leapstream import from_xgboost
from tests import boosters
from tests.mleap.judging import frame_for, judge, settle
from tests.mleap.jvm import MLeap, require_runner

require_runner()


@pytest.mark.parametrize("objective", boosters.OBJECTIVES)
@pytest.mark.parametrize("kind", boosters.BOOSTERS)
def test_mleap_answers_as_leapstream_does(
    objective: str, kind: str, mleap: MLeap, tmp_path: Path, record_property: Any
) -> None:
    model = from_xgboost(boosters.train(objective, kind))
    verdict = judge(mleap, model, frame_for(model, boosters.features(10, 5)), tmp_path)
    settle(verdict, "xgboost", f"{objective} {kind}", record_property)
