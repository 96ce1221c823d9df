"""The estimators of the exporter's own tests, exported, in MLeap's JVM."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from leapstream import from_sklearn
from tests.exporters.estimators import PREDICTORS, TRANSFORMERS
from tests.mleap.judging import frame_for, judge, settle
from tests.mleap.jvm import MLeap, require_runner

require_runner()

CASES = {**TRANSFORMERS, **PREDICTORS}


@pytest.mark.parametrize("name", CASES)
def test_mleap_answers_as_leapstream_does(name: str, mleap: MLeap, tmp_path: Path, record_property: Any) -> None:
    estimator, rows = CASES[name]()
    model = from_sklearn(estimator, rows)
    settle(judge(mleap, model, frame_for(model, rows), tmp_path), "sklearn", name, record_property)
