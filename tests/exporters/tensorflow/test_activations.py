"""Keras's activations, made of MLeap's ops, compute their formulas; without Keras, on both executors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leapstream.exporters.graph import Block, Graph
from leapstream.exporters.tensorflow.activations import ACTIVATIONS
from leapstream.exporters.tensorflow.network import Network
from leapstream.model import Model
from tests.exporters.agreement import reloaded

Doubles = npt.NDArray[np.float64]

X = np.array(
    [[-700.0, -30.0, -3.0], [-2.5, -1.0, -0.5], [-0.1, 0.0, 0.1], [0.5, 1.0, 2.0], [3.0, 6.0, 7.5], [20.0, 40.0, 90.0]]
)


def sigmoid(x: Doubles) -> Doubles:
    with np.errstate(over="ignore"):
        return np.asarray(1.0 / (1.0 + np.exp(-x)))


def softmax(x: Doubles) -> Doubles:
    raised = np.exp(x - x.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


FORMULAS: dict[str, Callable[[Doubles], Any]] = {
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0.0))),
    "exponential": np.exp,
    "hard_sigmoid": lambda x: np.clip(x / 6.0 + 0.5, 0.0, 1.0),
    "hard_silu": lambda x: x * np.clip(x / 6.0 + 0.5, 0.0, 1.0),
    "hard_tanh": lambda x: np.clip(x, -1.0, 1.0),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "linear": lambda x: x,
    "log_sigmoid": lambda x: -np.logaddexp(0.0, -x),
    "relu": lambda x: np.maximum(x, 0.0),
    "relu6": lambda x: np.clip(x, 0.0, 6.0),
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0.0))),
    "sigmoid": sigmoid,
    "silu": lambda x: x * sigmoid(x),
    "soft_shrink": lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0.0),
    "softmax": softmax,
    "softplus": lambda x: np.logaddexp(0.0, x),
    "softsign": lambda x: x / (1.0 + np.abs(x)),
    "tanh": np.tanh,
}


def model_of(width: int, *actions: Callable[[Network], None]) -> tuple[Model, str]:
    """A model of what is done to a vector, and the column of the result."""
    graph = Graph(["features"])
    network = Network(graph, Block("features", width))
    for action in actions:
        action(network)
    block = network.graph.multiply((network.vector(),), "result", np.ones(network.width))
    return graph.model("network", [block.column]), block.column


def test_each_activation_has_a_formula_here() -> None:
    assert set(FORMULAS) == set(ACTIVATIONS)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_computes_its_formula(name: str, tmp_path: Path) -> None:
    model, column = model_of(3, ACTIVATIONS[name])
    found = reloaded(model, tmp_path, "json").predict({"features": X})[column]
    np.testing.assert_allclose(found, FORMULAS[name](X), rtol=1e-12, atol=1e-15)


@pytest.mark.flink
def test_the_jvm_computes_the_same() -> None:
    graph, columns = Graph(["features"]), {}
    for name, activation in ACTIVATIONS.items():
        network = Network(graph, Block("features", 3))
        activation(network)
        columns[name] = graph.multiply((network.vector(),), name, np.ones(3)).column
    model = graph.model("activations", list(columns.values()))
    result = model.predict({"features": X}, backend="jvm")
    for name, column in columns.items():
        found = np.stack(list(result[column]))
        np.testing.assert_allclose(found, FORMULAS[name](X), rtol=1e-12, atol=1e-15, err_msg=name)


@pytest.mark.slow
@given(names=st.lists(st.sampled_from(sorted(set(FORMULAS) - {"exponential"})), max_size=4), seed=st.integers(0, 1000))
def test_activations_between_layers_compute_what_numpy_does(names: list[str], seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(5, 3))
    actions: list[Callable[[Network], None]] = []
    wanted, width = x, 3
    for name in names:
        following = int(rng.integers(1, 5))
        diagonal, matrix = rng.normal(size=width), rng.normal(size=(width, following))
        offsets = rng.normal(size=width), rng.normal(size=following)
        actions += [
            lambda network, factors=diagonal, offset=offsets[0]: network.affine(factors, offset),
            lambda network, factors=matrix, offset=offsets[1]: network.affine(factors, offset),
            ACTIVATIONS[name],
        ]
        wanted = FORMULAS[name]((wanted * diagonal + offsets[0]) @ matrix + offsets[1])
        width = following
    model, column = model_of(3, *actions)
    np.testing.assert_allclose(model.predict({"features": x})[column], wanted, rtol=1e-9, atol=1e-9)
