from __future__ import annotations

from leapstream import load
from leapstream.serving.registry import ServedModel
from leapstream.serving.scoring import LOOP_SECONDS, learn
from tests.serving.conftest import BENCH


def test_a_row_that_the_machine_held_up_does_not_make_a_model_slow() -> None:
    served = ServedModel("linear", "1", load(BENCH / "linear3.zip"), cost=3e-6)
    learn(served, 0.1)
    assert served.cost < LOOP_SECONDS / 10


def test_a_model_that_has_become_slow_is_known_after_some_rows() -> None:
    served = ServedModel("linear", "1", load(BENCH / "linear3.zip"), cost=3e-6)
    for _ in range(40):
        learn(served, 0.1)
    assert served.cost > LOOP_SECONDS
