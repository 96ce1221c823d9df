"""Writes a model as a directory that Spark ML loads: :func:`to_spark`."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from leapstream.bundle.definition import Socket
from leapstream.bundle.types import ScalarType, TensorType
from leapstream.bundle.writer import write_directory
from leapstream.errors import BundleError
from leapstream.exporters.spark.columns import Columns, unused
from leapstream.exporters.spark.saved import dump, is_spark_directory
from leapstream.exporters.spark.stage import Draft, Writing
from leapstream.exporters.spark.stages import PIPELINES, stage_for
from leapstream.model import Model
from leapstream.ops.feature import Binarizer, Interaction, RegexIndexer, ReverseStringIndexer, StandardScaler
from leapstream.ops.linear import LinearRegression
from leapstream.ops.pipeline import Node, Pipeline, Root, only_used
from leapstream.ops.regression import IsotonicRegression


def to_spark(model: Model | Root, directory: str | os.PathLike[str]) -> None:
    """Write a model as a directory that ``PipelineModel.load`` of Spark 3.5 and Spark 4 reads.

    Statistics of the training, which a model does not need for predictions, are written as 0. A predicted class that is an int in
    the model is a double in Spark, as with Spark's own classifiers.

    Args:
        model: a model, or a node or pipeline built in Python.
        directory: the directory to write; one that Spark or this function wrote is replaced.

    Raises:
        UnsupportedExportError: Spark ML has no stage for an op, or for an attribute of it. The message names the node.
        BundleError: the directory cannot be written.
    """
    root = only_used(model.root if isinstance(model, Model) else model)
    whole = root if isinstance(root, Pipeline) else Pipeline("pipeline", (root,))
    whole = _with_classes_as_doubles(whole)
    columns = [{**node.input_columns(), **node.output_columns()} for node in whole.steps()]
    names = frozenset(name for ports in columns for name in ports.values())
    draft = _Writer(_dense_columns(whole), names).pipeline(whole)
    files: dict[str, bytes] = {}
    _encode(draft, "", files)
    target = Path(directory)
    try:
        write_directory(target, files, is_spark_directory, "a pipeline of Spark")
    except OSError as error:
        raise BundleError(f"{target}: cannot be written: {error.strerror or error}") from None


@dataclass
class _Writer:
    """Converts the nodes of a model to stages, one after the other.

    Attributes:
        dense: for columns that nodes made dense (see :meth:`Reading.dense`), the original column, which the stages read.
        names: all columns of the model.
        columns: the columns that the nodes so far write.
        uids: the names of the stages so far.
    """

    dense: dict[str, str]
    names: frozenset[str]
    columns: Columns = field(default_factory=Columns)
    uids: set[str] = field(default_factory=set)

    def pipeline(self, pipeline: Pipeline) -> Draft:
        stages: list[Draft] = []
        for node in pipeline.nodes:
            if isinstance(node, Pipeline):
                stages.append(self.pipeline(node))
            elif not self._is_dense(node):
                stages += self._stages(node)
        # The stages choose their names before the pipeline does, because a node may have the name of its pipeline.
        draft = Draft(PIPELINES[0], self._uid(pipeline.name))
        draft.set(stageUids=[stage.uid for stage in stages])
        digits = len(str(len(stages)))
        draft.children = {f"stages/{i:0{digits}}_{stage.uid}": stage for i, stage in enumerate(stages)}
        return draft

    def _stages(self, node: Node) -> list[Draft]:
        """The stage of a node, after the stages that convert its input columns to the types that Spark's stage takes."""
        sockets = tuple(Socket(port, self.dense.get(name, name)) for port, name in node.input_columns().items())
        adapters, node = self._numbers(replace(node, inputs=sockets))
        stage = stage_for(node)
        writing = Writing(node, Draft(stage.name, self._uid(node.name)), self.columns, self.names)
        stage.write(writing)
        self.columns.after(node.op, node.input_columns(), node.output_columns())
        return [*adapters, *writing.before, writing.draft]

    def _is_dense(self, node: Node) -> bool:
        return any(column in self.dense for column in node.output_columns().values())

    def _numbers(self, node: Node) -> tuple[list[Draft], Node]:
        """Convert vectors of one element to numbers where the op takes numbers: MLeap does so itself, Spark needs a stage."""
        types = node.op.inputs()
        made: list[Draft] = []
        sockets = []
        for port, name in node.input_columns().items():
            column = self.columns.find(name)
            if isinstance(types[port], ScalarType) and column is not None and isinstance(column.type, TensorType):
                number = f"{name}_number"
                if number not in self.columns.known:
                    op = LinearRegression(np.ones(1), 0.0)
                    ports = (Socket("features", name),), (Socket("prediction", number),)
                    made += self._stages(Node(number, op, *ports))
                name = number
            sockets.append(Socket(port, name))
        return made, replace(node, inputs=tuple(sockets))

    def _uid(self, name: str) -> str:
        """Reserve a name for a stage: usable in a path, and different from all others."""
        uid = unused(re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip(".") or "stage", self.uids)
        self.uids.add(uid)
        return uid


def _dense_columns(pipeline: Pipeline) -> dict[str, str]:
    """The columns that :meth:`Reading.dense` added, each with the original column, which Spark's stages read instead."""
    readers: dict[str, list[Node]] = {}
    for node in pipeline.steps():
        for column in node.input_columns().values():
            readers.setdefault(column, []).append(node)
    found: dict[str, str] = {}
    for node in pipeline.steps():
        op = node.op
        if isinstance(op, StandardScaler) and op.std is None and op.mean is not None and not op.mean.any():
            (source,), (made,) = node.input_columns().values(), node.output_columns().values()
            reading = readers.get(made, [])
            if reading and all(isinstance(reader.op, (Binarizer, Interaction)) for reader in reading):
                found[made] = found.get(source, source)
    return found


def _with_classes_as_doubles(pipeline: Pipeline) -> Pipeline:
    """The pipeline with other nodes where the exporters for scikit-learn look up a class that is an int.

    They use ``reverse_string_indexer`` and ``regex_indexer``, for which Spark has no stage. ``isotonic_regression`` gives the
    same number as a double.
    """
    readers = Counter(name for node in pipeline.steps() for name in node.input_columns().values())
    texts = {
        name: node
        for node in pipeline.nodes
        if isinstance(node, Node) and isinstance(node.op, ReverseStringIndexer)
        for name in node.output_columns().values()
        if readers[name] == 1
    }
    replaced: dict[int, Node | None] = {}
    for node in pipeline.nodes:
        if isinstance(node, Node) and isinstance(node.op, RegexIndexer):
            (text,), (column,) = node.input_columns().values(), node.output_columns().values()
            source = texts.get(text)
            numbers = None if source is None else node.op.numbers(source.op.labels)  # type: ignore[attr-defined]
            if source is not None and numbers is not None:
                op = IsotonicRegression(tuple(map(float, range(len(numbers)))), tuple(numbers.tolist()), True)
                (index,) = source.input_columns().values()
                replaced[id(source)] = None
                replaced[id(node)] = Node(node.name, op, (Socket("features", index),), (Socket("prediction", column),))
    if not replaced:
        return pipeline
    kept = (replaced.get(id(node), node) for node in pipeline.nodes)
    return Pipeline(pipeline.name, tuple(node for node in kept if node is not None))


def _encode(draft: Draft, path: str, files: dict[str, bytes]) -> None:
    """Add the files of a stage and of its inner stages to ``files``."""
    if draft.plain:
        metadata = draft.extra
    else:
        metadata = {
            "class": f"org.apache.spark.ml.{draft.name}",
            "timestamp": 0,
            "sparkVersion": draft.spark_version,
            "uid": draft.uid,
            "paramMap": draft.params,
            "defaultParamMap": {},
            **draft.extra,
        }
    files[f"{path}metadata/part-00000"] = dump(metadata)
    files[f"{path}metadata/_SUCCESS"] = b""
    for folder, data in draft.folders.items():
        files[f"{path}{folder}/part-00000.snappy.parquet"] = data
        files[f"{path}{folder}/_SUCCESS"] = b""
    for folder, child in draft.children.items():
        _encode(child, f"{path}{folder}/", files)
