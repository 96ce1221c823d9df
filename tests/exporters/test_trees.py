"""Thresholds of trees that compare the inputs of a function in place of its results."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leapstream.exporters.trees import greatest_inputs

Doubles = npt.NDArray[np.float64]

NUMBERS = st.floats(allow_nan=False)


@given(NUMBERS, st.floats(-1e3, 1e3), st.floats(1e-3, 1e3))
def test_the_greatest_input_is_the_last_that_is_at_most_the_threshold(
    threshold: float, shift: float, divisor: float
) -> None:
    def scaled(x: Doubles) -> Doubles:
        return (x - shift) / divisor

    with np.errstate(over="ignore"):
        (found,) = greatest_inputs(scaled, np.array([threshold]))
        after = np.nextafter(found, np.inf)
        if np.isfinite(found):
            assert scaled(found) <= threshold
        if np.isfinite(after):
            assert scaled(after) > threshold


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [(-0.5, -np.inf), (0.0, 0.0), (0.5, 0.5), (1.0, np.inf), (np.inf, np.inf)],
)
def test_a_function_that_is_constant_beyond_a_range_has_inputs_without_end(threshold: float, expected: float) -> None:
    assert greatest_inputs(lambda x: np.clip(x, 0.0, 1.0), np.array([threshold])).tolist() == [expected]


def test_inputs_without_a_result_count_as_the_least() -> None:
    found = greatest_inputs(np.log1p, np.log1p(np.array([-0.9, 0.0, 7.25])))
    assert np.log1p(found).tolist() == np.log1p([-0.9, 0.0, 7.25]).tolist()


def test_the_greatest_input_is_never_negative_zero() -> None:
    (found,) = greatest_inputs(lambda x: x - 0.0, np.array([-0.0]))
    assert not np.signbit(found)
