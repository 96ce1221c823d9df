"""Keras's models, as MLeap's ops and as graphs; runs where TensorFlow is installed (``make test-tensorflow``)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import leapstream
from leapstream import ExportError, Model, SchemaError, UnsupportedOpError, from_keras
from leapstream.exporters.tensorflow.activations import ACTIVATIONS

keras = pytest.importorskip("keras")
layers: Any = keras.layers

SINGLE: Any = {"rtol": 1e-5, "atol": 1e-6}
"""Keras computes in single precision: what a few layers of it may differ by."""
X = np.random.default_rng(0).normal(size=(40, 4))


@pytest.fixture(autouse=True)
def _seed() -> None:
    keras.utils.set_random_seed(1)


def sequential(*parts: Any, shape: tuple[int, ...] = (4,)) -> Any:
    """A model whose weights are all random, those that begin as 0 or 1 too."""
    model = keras.Sequential([layers.Input(shape), *parts])
    return shaken(model)


def shaken(model: Any) -> Any:
    rng = np.random.default_rng(2)
    for weight in model.weights:
        if "normalization" not in weight.path or "variance" not in weight.path:
            weight.assign(weight.numpy() + rng.normal(size=weight.shape) * 0.3)
        else:
            weight.assign(rng.uniform(0.5, 2.0, size=weight.shape))
    return model


def ops(model: Model) -> set[str]:
    return {node.op.op for node in model.nodes}


def predicted(model: Model, x: Any = X, column: str = "prediction", backend: Any = "vectorized") -> npt.NDArray[Any]:
    return np.stack(list(model.predict({"features": x}, outputs=[column], backend=backend)[column]))


def expected(network: Any, x: Any = X) -> npt.NDArray[Any]:
    result = network.predict(np.asarray(x, dtype=np.float32), verbose=0)
    return np.asarray(result[:, 0] if result.shape[1:] == (1,) else result)


# ---- dense networks as ops --------------------------------------------------------------------------------------------

LAYERS: dict[str, Callable[[], list[Any]]] = {
    "several dense": lambda: [layers.Dense(5, "relu"), layers.Dense(3, "tanh"), layers.Dense(2)],
    "without bias": lambda: [layers.Dense(5, "sigmoid", use_bias=False), layers.Dense(2, use_bias=False)],
    "one unit": lambda: [layers.Dense(5, "sigmoid"), layers.Dense(1)],
    "one unit behind relu": lambda: [layers.Dense(5, "relu"), layers.Dense(1)],
    "several sigmoids": lambda: [layers.Dense(5, "sigmoid"), layers.Dense(3, "sigmoid")],
    "softmax within": lambda: [layers.Dense(5, "softmax"), layers.Dense(3)],
    "batch normalization": lambda: [
        layers.Dense(5),
        layers.BatchNormalization(),
        layers.Activation("relu"),
        layers.Dense(2),
    ],
    "plain batch normalization": lambda: [layers.BatchNormalization(center=False, scale=False), layers.Dense(2)],
    "normalization": lambda: [layers.Normalization(mean=[1.0, 0.0, -1.0, 5.0], variance=[2.0, 1.0, 0.5, 0.0])],
    "one normalization": lambda: [layers.Normalization(axis=None, mean=1.0, variance=4.0), layers.Dense(2)],
    "inverse normalization": lambda: [
        layers.Normalization(mean=[1.0, 0.0, -1.0, 5.0], variance=[2.0] * 4, invert=True)
    ],
    "rescaling": lambda: [layers.Rescaling(0.5, -1.0), layers.Dense(2)],
    "training alone": lambda: [
        layers.GaussianNoise(0.5),
        layers.Dense(3),
        layers.Dropout(0.5),
        layers.AlphaDropout(0.5),
    ],
    "relu layer": lambda: [layers.ReLU(max_value=1.0, negative_slope=0.1)],
    "leaky relu": lambda: [layers.Dense(3), layers.LeakyReLU(0.4), layers.Dense(2)],
    "parametric relu": lambda: [layers.Dense(3), layers.PReLU(), layers.Dense(2)],
    "elu layer": lambda: [layers.ELU(0.5)],
    "activation that is a layer": lambda: [layers.Dense(3, layers.LeakyReLU(0.1))],
    "nested": lambda: [keras.Sequential([layers.Dense(3, "relu"), layers.Dropout(0.1)]), layers.Dense(2)],
}


@pytest.mark.parametrize("name", LAYERS)
def test_dense_networks_become_ops_that_compute_the_same(name: str, tmp_path: Path) -> None:
    network = sequential(*LAYERS[name]())
    model = from_keras(network, native=True)
    assert "tensorflow" not in ops(model)
    leapstream.save(model, tmp_path / "b.zip", format="protobuf")
    np.testing.assert_allclose(predicted(leapstream.load(tmp_path / "b.zip")), expected(network), **SINGLE)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_each_activation_computes_what_that_of_keras_does(name: str) -> None:
    network = sequential(layers.Activation(name), layers.Dense(3, name), layers.Dense(2))
    np.testing.assert_allclose(predicted(from_keras(network, native=True)), expected(network), **SINGLE)


@settings(max_examples=15)
@given(
    units=st.lists(st.integers(1, 5), min_size=1, max_size=3),
    names=st.lists(
        st.sampled_from(["relu", "tanh", "sigmoid", "silu", "elu", "softplus", None]), min_size=3, max_size=3
    ),
    normalized=st.booleans(),
)
def test_networks_of_any_layers_compute_what_keras_does(units: list[int], names: list[Any], normalized: bool) -> None:
    parts = [part for n, name in zip(units, names, strict=False) for part in (layers.Dense(n), layers.Activation(name))]
    network = sequential(*([layers.BatchNormalization()] if normalized else []), *parts, layers.Dense(2))
    np.testing.assert_allclose(predicted(from_keras(network, native=True)), expected(network), **SINGLE)


def test_a_trained_network_computes_the_same() -> None:
    scale = layers.Normalization()
    scale.adapt(X)
    network = keras.Sequential([layers.Input((4,)), scale, layers.Dense(8, "relu"), layers.BatchNormalization()])
    network.add(layers.Dense(1))
    network.compile("adam", "mse")
    network.fit(X, X.sum(axis=1), epochs=2, verbose=0)
    np.testing.assert_allclose(predicted(from_keras(network)), expected(network), **SINGLE)


def test_what_is_flattened_is_given_as_a_tensor_or_flat() -> None:
    network = sequential(layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(3, "relu"), shape=(2, 5, 1))
    model = from_keras(network, native=True)
    images = np.random.default_rng(0).integers(0, 256, (6, 2, 5, 1)).astype(np.float64)
    for given_images in (images, images.reshape(6, 10)):
        np.testing.assert_allclose(predicted(model, given_images), expected(network, images), **SINGLE)


def test_a_functional_chain_is_taken_too() -> None:
    start = keras.Input((4,), name="start")
    end = layers.Dense(2, name="end")(layers.Dropout(0.1)(layers.Dense(3, "relu")(start)))
    network = shaken(keras.Model(start, end))
    np.testing.assert_allclose(predicted(from_keras(network, native=True)), expected(network), **SINGLE)


@pytest.mark.flink
def test_the_jvm_computes_the_same() -> None:
    network = sequential(
        layers.BatchNormalization(), layers.Dense(5, "relu"), layers.Dense(4, "tanh"), layers.Dense(3, "softmax")
    )
    model = from_keras(network, native=True)
    found = predicted(model, column="probability", backend="jvm")
    np.testing.assert_allclose(found, expected(network), **SINGLE)


# ---- columns ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("native", [True, False])
def test_a_softmax_gives_probabilities_and_the_greatest(native: bool) -> None:
    for last in ([layers.Dense(3, "softmax"), layers.Dropout(0.1)], [layers.Dense(3), layers.Softmax()]):
        network = sequential(layers.Dense(5, "relu"), *last)
        model = from_keras(network, native=native)
        assert ("tensorflow" in ops(model)) is not native
        assert model.schema.outputs.names == (*(["raw_prediction"] if native else []), "probability", "prediction")
        np.testing.assert_allclose(predicted(model, column="probability"), expected(network), **SINGLE)
        assert predicted(model).tolist() == expected(network).argmax(axis=1).tolist()


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("hidden", ["relu", "sigmoid"])
def test_a_sigmoid_of_one_unit_gives_two_classes(native: bool, hidden: str) -> None:
    network = sequential(layers.Dense(5, hidden), layers.Dense(1, "sigmoid"))
    model = from_keras(network, native=native)
    second = expected(network)
    np.testing.assert_allclose(predicted(model, column="probability"), np.stack([1 - second, second], axis=1), **SINGLE)
    assert predicted(model).tolist() == (second > 0.5).tolist()


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("units", [1, 3])
def test_other_models_give_a_number_or_a_vector(native: bool, units: int) -> None:
    network = sequential(layers.Dense(units))
    model = from_keras(network, native=native)
    assert model.schema.outputs.names == ("prediction",)
    np.testing.assert_allclose(predicted(model), expected(network), **SINGLE)


@pytest.mark.parametrize("native", [True, False])
def test_a_sample_names_the_columns(native: bool) -> None:
    network = sequential(layers.Dense(2))
    people = pd.DataFrame(X, columns=["age", "income", "debt", "rooms"])
    model = from_keras(network, people.head(3), native=native, name="loans")
    assert (model.name, model.schema.inputs.names) == ("loans", ("age", "income", "debt", "rooms"))
    np.testing.assert_allclose(np.stack(model.predict(people)["prediction"]), expected(network), **SINGLE)


def test_a_sample_of_another_size_is_rejected() -> None:
    with pytest.raises(SchemaError, match="3 features"):
        from_keras(sequential(layers.Dense(2)), X[:, :3])


# ---- graphs -----------------------------------------------------------------------------------------------------------


def branched() -> Any:
    start = keras.Input((4,))
    return keras.Model(start, layers.Add(name="sum")([layers.Dense(2)(start), layers.Dense(2)(start)]))


class Custom(layers.Dense):  # type: ignore[misc]
    """A layer of one's own."""


REJECTED: list[tuple[Callable[[], Any], str]] = [
    (lambda: sequential(layers.Dense(2, "gelu", name="odd")), "Dense 'odd'.*activation is 'gelu'; supported: elu"),
    (lambda: sequential(layers.Dense(2, keras.ops.sin, name="odd")), "Dense 'odd'.*activation is 'sin'"),
    (lambda: sequential(layers.LayerNormalization(name="odd")), "LayerNormalization 'odd'.*supported: Activation"),
    (lambda: sequential(Custom(2, name="odd")), "Custom 'odd'.*package 'tests'"),
    (lambda: sequential(layers.ReLU(threshold=1.0, name="odd")), "ReLU 'odd'.*threshold"),
    (
        lambda: sequential(
            layers.Dense(2, dtype="mixed_float16", name="odd"), layers.Activation("linear", dtype="float32")
        ),
        "Dense 'odd'.*computes in float16",
    ),
    (lambda: keras.Sequential([layers.Input((4,), dtype="int32"), layers.Dense(2)]), "Sequential.*takes int32"),
    (lambda: sequential(layers.Dense(2, name="odd"), shape=(3, 4)), r"Dense 'odd'.*shape \(None, 3, 4\)"),
    (branched, "Add 'sum'|Dense 'dense.*does not take what"),
]


@pytest.mark.parametrize(("build", "message"), REJECTED)
def test_what_ops_cannot_compute_is_rejected_by_its_layer_and_becomes_a_graph(
    build: Callable[[], Any], message: str
) -> None:
    network = build()
    with pytest.raises(UnsupportedOpError, match=message):
        from_keras(network, native=True)
    model = from_keras(network)
    assert "tensorflow" in ops(model)
    x = X[:, None, :].repeat(3, axis=1) if len(network.input_shape) == 3 else X.astype(network.inputs[0].dtype)
    found, wanted = predicted(model, x), expected(network, x)
    np.testing.assert_allclose(found.reshape(wanted.shape), wanted, **SINGLE)


def test_several_inputs_and_outputs_are_columns_of_their_names() -> None:
    age, city = keras.Input((1,), name="age"), keras.Input((2,), name="city")
    both = layers.Concatenate()([age, city])
    network = keras.Model([age, city], [layers.Dense(1, name="price")(both), layers.Dense(3, name="kind")(both)])
    with pytest.raises(UnsupportedOpError, match="several inputs or outputs"):
        from_keras(network, native=True)
    model = from_keras(network)
    assert set(model.schema.inputs.names) == {"age", "city"}
    price, kind = network.predict({"age": X[:, :1], "city": X[:, 1:3]}, verbose=0)
    found = model.predict(pd.DataFrame({"age": X[:, 0], "city": list(X[:, 1:3])}))
    np.testing.assert_allclose(np.stack(found["price"]), price, **SINGLE)
    np.testing.assert_allclose(np.stack(found["kind"]), kind, **SINGLE)


class Subclassed(keras.Model):  # type: ignore[misc, name-defined]
    """A model that is neither Sequential nor functional."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = layers.Dense(2)

    def call(self, x: Any) -> Any:
        return self.inner(x) * 2.0


def test_a_model_of_ones_own_becomes_a_graph_once_it_was_called() -> None:
    network = Subclassed()
    with pytest.raises(UnsupportedOpError, match="Keras cannot export the Subclassed"):
        from_keras(network)
    network(X)
    np.testing.assert_allclose(predicted(from_keras(network)), expected(network), **SINGLE)


def test_a_model_without_inputs_is_told_so() -> None:
    with pytest.raises(SchemaError, match="has no inputs yet"):
        from_keras(keras.Sequential([layers.Dense(2)]))


# ---- the comparison with Keras ----------------------------------------------------------------------------------------

ENDS = {"number": ("linear", 1), "vector": ("linear", 3), "two classes": ("sigmoid", 1), "classes": ("softmax", 3)}


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("end", ENDS)
def test_a_model_is_compared_with_keras_over_the_sample(end: str, native: bool) -> None:
    activation, units = ENDS[end]
    network = sequential(layers.Dense(5, "tanh"), layers.Dense(units, activation))
    assert from_keras(network, X, native=native).nodes

    class Other(type(network)):  # type: ignore[misc]
        def predict(self, *args: Any, **options: Any) -> Any:
            return super().predict(*args, **options) + 0.25

    network.__class__ = Other
    Other.__name__, Other.__module__ = "Sequential", "keras.models"
    with pytest.raises(ExportError, match=r"row 0.* is .* on vectorized, and .* in Keras; 40 of 40 rows differ"):
        from_keras(network, X, native=native)
    assert from_keras(network, X, native=native, check=False).nodes
