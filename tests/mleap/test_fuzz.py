"""Drawn models and rows have the same answers in MLeap's JVM: values, failures and dropped rows."""

from __future__ import annotations

import warnings

import pytest

from tests.mleap.fuzzing import Comparison
from tests.mleap.jvm import MLeap, require_runner

require_runner()

CASES = 100


@pytest.mark.parametrize("seed", range(1, 4))
def test_mleap_answers_drawn_rows_as_leapstream_does(seed: int, mleap: MLeap) -> None:
    comparison = Comparison(mleap)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        comparison.run(seed, CASES)
    comparison.close()
    assert comparison.cases > CASES // 2
