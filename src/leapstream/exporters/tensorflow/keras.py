"""Converts Keras's models: dense networks to MLeap's own ops, all others to TensorFlow graphs."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from leapstream.errors import SchemaError, UnsupportedExportError
from leapstream.exporters import network as layers_of
from leapstream.exporters.dispatch import Dispatch
from leapstream.exporters.frame import VECTOR, features_of
from leapstream.exporters.graph import Block, Graph
from leapstream.exporters.portable import accept
from leapstream.exporters.predictors import add_labels, most_probable, renamed
from leapstream.exporters.proof import SINGLE, Answers, Check, matrix_of, prove
from leapstream.exporters.step import PredictorColumns, Step
from leapstream.exporters.tensorflow import activations
from leapstream.exporters.tensorflow.activations import Activation
from leapstream.exporters.tensorflow.graphs import GraphModel, checked, saved_model
from leapstream.exporters.tensorflow.layers import TRAINING_ALONE, convert, reject
from leapstream.exporters.tensorflow.network import Network
from leapstream.model import Model


def from_keras(
    model: Any,
    sample: Any = None,
    *,
    native: bool | None = None,
    name: str | None = None,
    check: Check = True,
    portable: bool = False,
) -> Model:
    """Convert a Keras model to a model with the same predictions.

    A chain of dense layers, activations, normalizations and layers that act only in training becomes a pipeline of MLeap's own
    ops, which every backend runs, in double precision. Any other model becomes MLeap's ``tensorflow`` op, which needs TensorFlow.

    A model that ends in a softmax has the columns ``probability`` and ``prediction``, the index of the greatest probability. So
    has a model that ends in a sigmoid with one unit, as a classifier of two classes. Any other model has ``prediction``: a
    number, or a vector if there are several units. Classifiers of MLeap's own ops also have ``raw_prediction``. If a model has
    several outputs, each is a column.

    Args:
        model: a ``Sequential`` or functional model.
        sample: some rows of the data, or a :class:`~leapstream.bundle.types.Schema`, for the names of the columns; only for
            models that take one vector. Without it the vector is the column ``features``, and several inputs are columns with
            the names of the inputs.
        native: ``True`` for MLeap's own ops, ``False`` for the ``tensorflow`` op; by default MLeap's ops if they can compute it.
        name: the model's name; by default the name of the Keras model.
        check: compares the model with Keras over the first 1000 rows of the sample: ``True`` on the executors that run in this
            process, the names of executors on those, ``False`` not at all.
        portable: fails if a version of MLeap from 0.20.0 on cannot run the model in its own runtime; otherwise that is a warning.

    Raises:
        UnsupportedExportError: ``native`` is true and MLeap's ops cannot compute a layer, which the message names; or Keras
            cannot export the model, for example because it was not called yet.
        ExportError: the model gives other results than Keras for a row of the sample.
        SchemaError: the model has no inputs yet, or it takes other columns.
        BackendError: TensorFlow is needed and is not installed or cannot load the graph.
    """
    made = _made(model, sample, native, name or str(model.name))
    return prove(accept(made, portable), sample, "Keras", partial(answers, model, made), check=check, tolerance=SINGLE)


def _made(model: Any, sample: Any, native: bool | None, name: str) -> Model:
    if native is not False:
        try:
            return _native(model, sample, name)
        except UnsupportedExportError:
            if native:
                raise
    return _as_graph(model, sample, name)


def answers(model: Any, made: Model, rows: Any) -> Answers:
    """Keras's results by the column of the model that was made."""
    given = rows if len(model.inputs) > 1 else matrix_of(None, rows)
    values = model.predict(given, verbose=0)
    if not isinstance(values, np.ndarray):
        return dict(values) if isinstance(values, Mapping) else dict(zip(model.output_names, values, strict=True))
    if "probability" not in made.schema.outputs.names:
        return {"prediction": values}
    return {"probability": values if values.shape[1] > 1 else np.column_stack([1.0 - values, values])}


def _step(model: Any, graph: Graph, width: int) -> Step:
    where = f"Keras's {type(model).__name__} {model.name!r}"
    return Step(model, graph, where, "", Dispatch({}, {}), given_classes=np.arange(max(width, 2.0)))


# ---- as ops -----------------------------------------------------------------------------------------------------------


def _native(model: Any, sample: Any, name: str) -> Model:
    actions = [action for layer in _chain(model) for action in convert(layer)]
    shape, kind = model.inputs[0].shape, model.inputs[0].dtype
    if not kind.startswith("float"):
        reject(model, f"it takes {kind}, to which Keras casts")
    width = math.prod(size or 0 for size in shape[1:])
    if not width:
        reject(model, f"it takes what has the shape {tuple(shape)}, whose size is not known")
    features = features_of(sample, None, width)
    graph = Graph([block.column for block in features])
    network = Network(graph, graph.dense(features))
    *before, last = actions or [activations.linear]
    ends = last if last in _CLASSIFIES else activations.linear
    for action in actions if ends is activations.linear else before:
        action(network)
    step = _step(model, graph, network.width)
    return graph.model(name, add_labels(step, _outcome(step, network, ends)))


_CLASSIFIES = (activations.softmax, activations.sigmoid)


def _outcome(step: Step, network: Network, last: Activation) -> PredictorColumns:
    if last is activations.softmax and network.width > 1:
        return layers_of.softmax(step, network.block, network.full())
    if last is activations.sigmoid and network.width == 1:
        return layers_of.logistic(step, network.block, network.full())
    last(network)
    if network.width == 1:
        return layers_of.number(step, network.block, network.full())
    return PredictorColumns(renamed(step, network.vector(), "prediction"))


def _chain(model: Any) -> list[Any]:
    """The layers of a model in which each layer takes the output of the layer before."""
    kind = type(model).__name__
    if type(model).__module__.partition(".")[0] != "keras" or kind not in ("Sequential", "Functional"):
        reject(model, "it is neither Sequential nor functional")
    if not model.built or not model.inputs:
        raise SchemaError(f"the {kind} {model.name!r} has no inputs yet: give it an Input, or call it on some data")
    layers = list(model.layers)
    if kind == "Sequential":
        return [inner for layer in layers for inner in (_chain(layer) if _is_sequential(layer) else [layer])]
    first, *rest = layers
    if type(first).__name__ != "InputLayer" or len(model.inputs) != 1 or len(model.outputs) != 1:
        reject(model, "it has several inputs or outputs")
    for before, layer in zip(layers, rest, strict=False):
        if _given(layer) is not before.output:
            reject(layer, f"it does not take what the layer {before.name!r} gives, and nothing else")
    if layers[-1].output is not model.outputs[0]:
        reject(model, "its output is not that of its last layer")
    return rest


def _is_sequential(layer: Any) -> bool:
    return type(layer).__name__ == "Sequential"


def _given(layer: Any) -> Any:
    """The input tensor of a layer; ``None`` if it has several, or if the layer is used more than once."""
    try:
        return layer.input
    except (AttributeError, ValueError):
        return None


# ---- as a graph -------------------------------------------------------------------------------------------------------


def _as_graph(model: Any, sample: Any, name: str) -> Model:
    found = _exported(model)
    if len(found.inputs) == 1:
        found = found.with_inputs(dict.fromkeys(found.inputs, VECTOR))
    if len(found.outputs) > 1:
        names = getattr(model, "output_names", None) or sorted(found.outputs)
        return found.with_outputs(dict(zip(_in_order(found.outputs), names, strict=True))).model(sample, name)
    ((column, output),) = found.outputs.items()
    if output.dimensions is None or len(output.dimensions) != 1 or output.dimensions[0] < 1:
        return found.with_outputs({column: "prediction"}).model(sample, name)
    graph, (column,) = found.add_to(sample)
    width = output.dimensions[0]
    step = _step(model, graph, width)
    return checked(
        graph.model(name, add_labels(step, _graph_outcome(step, Block(column, width), _last_activation(model))))
    )


def _exported(model: Any) -> GraphModel:
    with tempfile.TemporaryDirectory(prefix="leapstream-") as folder:
        try:
            # Keras prints the path to which it exports.
            with redirect_stdout(StringIO()):
                model.export(folder)
        # Keras, and the model's own code, may raise any exception.
        except Exception as error:
            raise UnsupportedExportError(
                f"Keras cannot export the {type(model).__name__} {model.name!r}: {error}"
            ) from error
        return saved_model(Path(folder), "serving_default")


def _in_order(outputs: Iterable[str]) -> list[str]:
    """Sort ``output_0``, ``output_1``, … by their numbers."""
    return sorted(outputs, key=lambda name: (len(name), name))


def _graph_outcome(step: Step, block: Block, last: str | None) -> PredictorColumns:
    if last == "softmax" and block.size > 1:
        return most_probable(step, block)
    if last == "sigmoid" and block.size == 1:
        both = step.graph.matrix((block,), "classes", np.array([[-1.0, 1.0]]), np.array([1.0, 0.0]))
        return most_probable(step, both)
    if block.size == 1:
        return layers_of.number(step, block, [(np.ones((1, 1)), np.zeros(1))])
    return PredictorColumns(renamed(step, block, "prediction"))


def _last_activation(model: Any) -> str | None:
    """The name of a model's last activation; layers after it that act only in training are skipped."""
    acting = [layer for layer in getattr(model, "layers", ()) if type(layer).__name__ not in TRAINING_ALONE]
    layer = acting[-1] if acting else None
    if type(layer).__name__ == "Softmax":
        return "softmax"
    return getattr(getattr(layer, "activation", None), "__name__", None)
