"""Pipelines as people write them: MLeap's JVM, leapstream and scikit-learn give the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from leapstream import from_sklearn
from tests.exporters.agreement import assert_agrees
from tests.mleap.judging import frame_for, judge, settle
from tests.mleap.jvm import MLeap, require_runner
from tests.mleap.pipelines import PIPELINES

require_runner()


@pytest.mark.parametrize("name", PIPELINES)
def test_mleap_answers_as_leapstream_and_scikit_learn_do(
    name: str, mleap: MLeap, tmp_path: Path, record_property: Any
) -> None:
    estimator, rows = PIPELINES[name]()
    model = from_sklearn(estimator, rows)
    assert_agrees(model, estimator, rows)
    settle(judge(mleap, model, frame_for(model, rows), tmp_path), "pipelines", name, record_property)
