"""Converts TensorFlow's SavedModels and frozen graphs to MLeap's ``tensorflow`` op."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from leapstream.bundle.types import BasicType, DataShape
from leapstream.errors import BackendError, BundleError, SchemaError, UnsupportedExportError
from leapstream.executors.registry import DEFAULT, executor
from leapstream.exporters.frame import features_of
from leapstream.exporters.graph import Graph
from leapstream.model import Model
from leapstream.ops.tensorflow import TensorFlowModel

_TYPES = {
    "bool": BasicType.BOOLEAN,
    "uint8": BasicType.BYTE,
    "int16": BasicType.SHORT,
    "int32": BasicType.INT,
    "int64": BasicType.LONG,
    "float32": BasicType.FLOAT,
    "float64": BasicType.DOUBLE,
    "string": BasicType.STRING,
}
_SAVED = ("saved_model.pb", "variables", "assets")
_VARIABLES = ("Variable", "VariableV2", "VarHandleOp")

Dimensions = tuple[int, ...] | None
"""Sizes of the dimensions, -1 for any size; ``None`` for any shape."""


def from_tensorflow(
    source: str | os.PathLike[str] | bytes,
    sample: Any = None,
    *,
    inputs: Mapping[str, str] | Sequence[str] | None = None,
    outputs: Mapping[str, str] | Sequence[str] | None = None,
    signature: str = "serving_default",
    name: str | None = None,
) -> Model:
    """Convert a SavedModel or a frozen graph to a model that runs it with TensorFlow.

    Most graphs take batches: if the first dimension of all inputs is unknown, each row is run as a batch of one, and the model's
    columns do not have that dimension. An input with one number per row becomes a column of numbers.

    Args:
        source: the directory of a SavedModel; or a frozen graph: a ``.pb`` file, or its bytes.
        sample: some rows of the data, or a :class:`~leapstream.bundle.types.Schema`, for the names of the columns; only for
            graphs that take one vector of numbers.
        inputs, outputs: for a frozen graph, the names of the tensors, or a mapping from columns to tensors; by default all
            placeholders, and all results that no operation of the graph takes. Columns have the names of the operations.
        signature: for a SavedModel, the signature; columns have the names of its inputs and outputs.
        name: the model's name.

    Raises:
        BundleError: ``source`` is neither a SavedModel nor a frozen graph.
        SchemaError: there is no such signature or tensor, or the graph takes other columns.
        UnsupportedExportError: MLeap has no type for a tensor, or the graph has variables, so it is not frozen.
        BackendError: TensorFlow is not installed or cannot load the graph, or the graph has operations with side effects.
    """
    if isinstance(source, bytes):
        return _frozen(source, "graph", inputs, outputs).model(sample, name or "tensorflow")
    path = Path(source)
    if path.is_dir():
        if inputs is not None or outputs is not None:
            raise SchemaError(
                f"{path}: inputs and outputs are those of the signature; name them for frozen graphs only"
            )
        return saved_model(path, signature).model(sample, name or path.resolve().name)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path}: {error.strerror or error}") from error
    return _frozen(data, str(path), inputs, outputs).model(sample, name or path.stem)


@dataclass(frozen=True)
class _Tensor:
    """A tensor of a graph: its name, such as ``name:0``, its type and its dimensions."""

    name: str
    type: BasicType
    dimensions: Dimensions


@dataclass(frozen=True)
class GraphModel:
    """A graph, and the tensors that become columns.

    Attributes:
        where: the graph's name in error messages.
        data: the graph, or the zip of a SavedModel.
        format: the format of ``data``.
        inputs, outputs: the tensors by column.
    """

    where: str
    data: bytes
    format: Literal["graph", "saved_model"]
    inputs: dict[str, _Tensor]
    outputs: dict[str, _Tensor]

    def with_inputs(self, columns: Mapping[str, str]) -> GraphModel:
        """A copy whose inputs have other names: ``columns`` maps old names to new ones."""
        return replace(self, inputs={columns[name]: tensor for name, tensor in self.inputs.items()})

    def with_outputs(self, columns: Mapping[str, str]) -> GraphModel:
        """A copy whose outputs have other names: ``columns`` maps old names to new ones."""
        return replace(self, outputs={columns[name]: tensor for name, tensor in self.outputs.items()})

    def model(self, sample: Any, name: str) -> Model:
        """A model with the graph as its only computation."""
        graph, columns = self.add_to(sample)
        return checked(graph.model(name, columns))

    def add_to(self, sample: Any) -> tuple[Graph, list[str]]:
        """Make a graph with this node; ``sample`` gives the columns of its vector. Returns it and the output columns."""
        if sample is None:
            graph, columns = Graph(list(self.inputs)), list(self.inputs)
        else:
            features = features_of(sample, None, self._vector())
            graph = Graph([block.column for block in features])
            columns = [graph.vector(features).column]
        wanted = {tensor.name: column for column, tensor in self.outputs.items()}
        given = graph.add(self._op(), columns, wanted)
        return graph, list(given.values())

    def _vector(self) -> int:
        (tensor, *others) = self.inputs.values()
        dimensions = tensor.dimensions
        if others or tensor.type is BasicType.STRING or dimensions is None or len(dimensions) > 1 or -1 in dimensions:
            raise SchemaError(
                f"{self.where}: a sample names the columns of one vector of numbers, which this does not take"
            )
        return dimensions[0] if dimensions else 1

    def _op(self) -> TensorFlowModel:
        def parts(tensors: Mapping[str, _Tensor]) -> tuple[Any, Any, Any]:
            shapes = tuple(DataShape("tensor", True, tensor.dimensions) for tensor in tensors.values())
            return tuple(t.name for t in tensors.values()), tuple(t.type for t in tensors.values()), shapes

        return TensorFlowModel(*parts(self.inputs), *parts(self.outputs), self.data, format=self.format)


def checked(model: Model) -> Model:
    """Return the model after TensorFlow has loaded its graph.

    Raises:
        BackendError: TensorFlow is not installed or cannot load the graph, or the graph has operations with side effects.
    """
    executor(DEFAULT).prepare(model.plan())
    return model


# ---- SavedModels ------------------------------------------------------------------------------------------------------


def saved_model(path: Path, signature: str) -> GraphModel:
    """Read a SavedModel, and change its graph to take one row."""
    _tensorflow()
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import saved_model_pb2

    try:
        content = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    except FileNotFoundError:
        raise BundleError(f"{path}: it is not a SavedModel: there is no saved_model.pb") from None
    except (OSError, DecodeError) as error:
        raise BundleError(f"{path}: its saved_model.pb cannot be read: {error}") from error
    serving = [meta for meta in content.meta_graphs if "serve" in meta.meta_info_def.tags]
    if not serving:
        raise SchemaError(f"{path}: it has no graph with the tag 'serve'")
    (meta, *_) = serving
    if signature not in meta.signature_def:
        known = ", ".join(sorted(name for name in meta.signature_def if not name.startswith("__")))
        raise SchemaError(f"{path}: there is no signature {signature!r}; there are: {known}")
    chosen = meta.signature_def[signature]
    inputs = {name: _described(path, name, chosen.inputs[name]) for name in sorted(chosen.inputs)}
    outputs = {name: _described(path, name, chosen.outputs[name]) for name in sorted(chosen.outputs)}
    inputs, outputs = _per_row(str(path), meta.graph_def, inputs, outputs)
    # MLeap loads the only graph that is in the file.
    for other in [other for other in content.meta_graphs if other is not meta]:
        content.meta_graphs.remove(other)
    return GraphModel(str(path), _zipped(path, content.SerializeToString()), "saved_model", inputs, outputs)


def _described(path: Path, name: str, info: Any) -> _Tensor:
    if not info.name:
        raise UnsupportedExportError(
            f"{path}: the tensor {name!r} is sparse or of another kind that MLeap does not have"
        )
    shape = info.tensor_shape
    dimensions = None if shape.unknown_rank else tuple(int(dimension.size) for dimension in shape.dim)
    return _Tensor(info.name, _type(str(path), name, info.dtype), dimensions)


def _zipped(path: Path, content: bytes) -> bytes:
    """Zip the files that TensorFlow loads. Each folder gets an entry before its files, because MLeap does not make folders."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for part in (path / name for name in _SAVED):
            for file in sorted([part, *part.rglob("*")]):
                name = file.relative_to(path).as_posix()
                if file.is_dir():
                    archive.writestr(zipfile.ZipInfo(f"{name}/"), b"")
                elif file.is_file():
                    archive.writestr(zipfile.ZipInfo(name), content if name == _SAVED[0] else file.read_bytes())
    return buffer.getvalue()


# ---- frozen graphs ----------------------------------------------------------------------------------------------------


def _frozen(
    data: bytes,
    where: str,
    inputs: Mapping[str, str] | Sequence[str] | None,
    outputs: Mapping[str, str] | Sequence[str] | None,
) -> GraphModel:
    tf = _tensorflow()
    from google.protobuf.message import DecodeError

    try:
        definition = tf.compat.v1.GraphDef.FromString(data)
    except DecodeError as error:
        raise BundleError(f"{where}: it is not a frozen graph: {error}") from error
    variable = next((node.name for node in definition.node if node.op in _VARIABLES), None)
    if variable is not None:
        raise UnsupportedExportError(
            f"{where}: it has the variable {variable!r}: freeze the graph, or save a SavedModel"
        )
    graph = tf.Graph()
    try:
        with graph.as_default():
            tf.graph_util.import_graph_def(definition, name="")
    except (ValueError, tf.errors.OpError) as error:
        raise BackendError(f"{where}: TensorFlow cannot load the graph: {error}") from error
    operations = graph.get_operations()
    if inputs is None:
        inputs = [op.name for op in operations if op.type == "Placeholder"]
    if outputs is None:
        found = [op for op in operations if op.outputs and op.type not in ("Const", "Placeholder")]
        outputs = [t.name for op in found for t in op.outputs if not t.consumers()]
    given, asked = _looked_up(where, graph, inputs), _looked_up(where, graph, outputs)
    if not asked:
        raise SchemaError(f"{where}: it has no results")
    given, asked = _per_row(where, definition, given, asked)
    return GraphModel(where, bytes(definition.SerializeToString()), "graph", given, asked)


def _looked_up(where: str, graph: Any, names: Mapping[str, str] | Sequence[str]) -> dict[str, _Tensor]:
    columns = names if isinstance(names, Mapping) else {name.removesuffix(":0"): name for name in names}
    tensors = {}
    for column, name in columns.items():
        try:
            tensor = graph.get_tensor_by_name(name if ":" in name else f"{name}:0")
        except (KeyError, ValueError):
            raise SchemaError(f"{where}: there is no tensor {name!r}") from None
        rank = tensor.shape.rank
        dimensions = None if rank is None else tuple(-1 if n is None else int(n) for n in tensor.shape)
        tensors[column] = _Tensor(tensor.name, _type(where, column, tensor.dtype.as_datatype_enum), dimensions)
    return tensors


# ---- rows and batches -------------------------------------------------------------------------------------------------


def _per_row(
    where: str, definition: Any, inputs: dict[str, _Tensor], outputs: dict[str, _Tensor]
) -> tuple[dict[str, _Tensor], dict[str, _Tensor]]:
    """The tensors of one row. If the graph takes batches, it is changed to make a batch of the row that it gets."""
    if not inputs or not all(tensor.dimensions and tensor.dimensions[0] == -1 for tensor in inputs.values()):
        return inputs, outputs
    names = {node.name for node in definition.node}
    rows = {column: _row_given(definition, names, tensor) for column, tensor in inputs.items()}
    return rows, {column: _row_taken(where, column, definition, names, tensor) for column, tensor in outputs.items()}


def _row_given(definition: Any, names: set[str], tensor: _Tensor) -> _Tensor:
    """Turn an input into a batch of one row; a new placeholder takes the row in any shape."""
    node = next(node for node in definition.node if node.name == tensor.name.partition(":")[0])
    kind = _enum(tensor.type)
    assert tensor.dimensions is not None
    row = tensor.dimensions[1:]
    placeholder, constant = _unused(names, f"{node.name}/row"), _unused(names, f"{node.name}/batch")
    node.ClearField("input")
    node.attr.clear()
    node.input.extend([placeholder, constant])
    node.attr["T"].type = kind
    # A row whose shape is known may come as a flat vector.
    node.op = "ExpandDims" if -1 in row else "Reshape"
    node.attr["Tdim" if -1 in row else "Tshape"].type = _enum(BasicType.INT)
    given = definition.node.add(name=placeholder, op="Placeholder")
    given.attr["dtype"].type = kind
    given.attr["shape"].shape.unknown_rank = True
    value = definition.node.add(name=constant, op="Const")
    value.attr["dtype"].type = _enum(BasicType.INT)
    numbers = np.array(0 if -1 in row else (1, *row), dtype=np.int32)
    value.attr["value"].tensor.CopyFrom(_tensorflow().make_tensor_proto(numbers))
    # A vector of one element is declared as a number, so that a column of numbers fits.
    return _Tensor(f"{placeholder}:0", tensor.type, () if row == (1,) else row)


def _row_taken(where: str, column: str, definition: Any, names: set[str], tensor: _Tensor) -> _Tensor:
    """Add a node that takes the only row of a result."""
    dimensions = tensor.dimensions
    if dimensions is not None and (not dimensions or dimensions[0] not in (-1, 1)):
        raise UnsupportedExportError(
            f"{where}: the result {column!r} has the shape {dimensions}, which is not a row for each row"
        )
    operation, _, index = tensor.name.partition(":")
    name = _unused(names, f"{operation}/row" if index in ("", "0") else f"{operation}/row_{index}")
    node = definition.node.add(name=name, op="Squeeze", input=[tensor.name])
    node.attr["T"].type = _enum(tensor.type)
    node.attr["squeeze_dims"].list.i.append(0)
    return _Tensor(f"{name}:0", tensor.type, None if dimensions is None else dimensions[1:])


def _unused(names: set[str], wanted: str) -> str:
    name, number = wanted, 1
    while name in names:
        number += 1
        name = f"{wanted}_{number}"
    names.add(name)
    return name


def _tensorflow() -> Any:
    try:
        import tensorflow
    except ImportError as error:
        raise BackendError(
            f"reading graphs needs TensorFlow; pip install 'leapstream[tensorflow]' adds it ({error})"
        ) from error
    return tensorflow


def _type(where: str, name: str, enum: int) -> BasicType:
    kind = _tensorflow().dtypes.as_dtype(enum).name
    if kind not in _TYPES:
        raise UnsupportedExportError(f"{where}: the tensor {name!r} is of {kind}, which MLeap does not have")
    return _TYPES[kind]


def _enum(basic: BasicType) -> int:
    """TensorFlow's enum value of a type."""
    (kind,) = (kind for kind, known in _TYPES.items() if known is basic)
    return int(_tensorflow().dtypes.as_dtype(kind).as_datatype_enum)
