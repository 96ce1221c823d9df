"""Keras's nets that become MLeap's own ops, exported, in MLeap's JVM."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leapstream import from_keras
from leapstream.exporters.tensorflow.activations import ACTIVATIONS
from tests.exporters.tensorflow.test_keras import LAYERS, X, layers, sequential
from tests.mleap.judging import frame_for, judge, settle
from tests.mleap.jvm import MLeap, require_runner

require_runner()

# NumPy 2 warns of the variables of some of Keras's backends.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

NETS: dict[str, Callable[[], list[Any]]] = {
    **LAYERS,
    **{
        f"activation {name}": lambda name=name: [layers.Activation(name), layers.Dense(3, name), layers.Dense(2)]
        for name in sorted(ACTIVATIONS)
    },
    "two classes": lambda: [layers.Dense(5, "relu"), layers.Dense(1, "sigmoid")],
    "three classes": lambda: [layers.Dense(5, "tanh"), layers.Dense(3, "softmax")],
    "logistic regression": lambda: [layers.Dense(1, "sigmoid")],
}


@pytest.mark.parametrize("name", NETS)
def test_mleap_answers_as_leapstream_does(name: str, mleap: MLeap, tmp_path: Path, record_property: Any) -> None:
    model = from_keras(sequential(*NETS[name]()), X, native=True)
    settle(judge(mleap, model, frame_for(model, X), tmp_path), "keras", name, record_property)
