"""Reads a saved stage or pipeline of Spark ML as a model: :func:`from_spark`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from leapstream.bundle.limits import Limits
from leapstream.bundle.types import BasicType, DataType, Field, ListType, ScalarType, Schema, TensorType
from leapstream.deprecation import renamed_argument
from leapstream.errors import SchemaError, UnsupportedExportError
from leapstream.exporters.portable import accept
from leapstream.exporters.proof import Check, not_compared, prove
from leapstream.exporters.spark.columns import Columns, UnknownColumnError, unused
from leapstream.exporters.spark.encoding import STRING
from leapstream.exporters.spark.live import answers, saved_answers
from leapstream.exporters.spark.saved import Saved
from leapstream.exporters.spark.stage import Reading
from leapstream.exporters.spark.stages import FORMULA, PIPELINES, SILENT, SIZE_HINT, STAGES, TUNED, stage_of
from leapstream.model import Model
from leapstream.ops.pipeline import Node, Pipeline, Root


@renamed_argument("input_schema", "sample")
def from_spark(
    source: Any,
    sample: Any = None,
    *,
    name: str | None = None,
    limits: Limits | None = None,
    check: Check | None = None,
    portable: bool = False,
) -> Model:
    """Convert a fitted pipeline or stage of Spark ML to a model with the same results.

    Nodes have the names of the stages. Ops, attributes and columns are those of MLeap's exporter for Spark, except where
    MLeap's op gives other results than Spark's stage. Reading a directory needs neither Spark nor Java.

    Args:
        source: a directory (or a zip of one) to which Spark saved a ``PipelineModel`` or a single fitted stage; or a fitted model
            of PySpark, which is saved to a temporary directory.
        sample: the types of those input columns that matter and do not follow from the stages: the sizes of vectors, and
            the columns that are hashed. A :class:`~leapstream.bundle.types.Schema`, or some rows of the data: a DataFrame, or a
            dict of arrays. By default an assembler's columns are numbers.
        name: the model's name; by default that of the outermost stage.
        limits: the limits on the size of the directory's files; the default ones if ``None``.
        check: compares the model with Spark over the first 1000 rows of a sample that has all input columns: ``True`` on the
            executors that run in this process, the names of executors on those, ``False`` not at all. By default a fitted model
            of PySpark is compared and a directory is not: that starts a local Spark session in a process of its own, which takes
            about ten seconds, and needs PySpark and Java. Models with an op that differs from Spark's stage, of which a warning
            tells, are not compared.
        portable: fails if a version of MLeap from 0.20.0 on cannot run the model in its own runtime; otherwise that is a warning.

    Raises:
        BundleError: the directory is corrupt or exceeds a limit, or Spark did not write it.
        UnsupportedExportError: MLeap has no op for a stage, or for a setting of it. The message names both.
        ExportError: the model gives other results than Spark for a row of the sample.
        SchemaError: the type of a column is needed and not known.
    """
    schema = sample if sample is None or isinstance(sample, Schema) else _schema_of(sample)
    if isinstance(source, (str, os.PathLike)):
        saved = Saved.read(source, limits or Limits())
        model = accept(_model(saved, schema, name), portable)
        if not check:
            return model
        reason = "PySpark is not installed" if find_spec("pyspark") is None else _incomparable(model, sample, schema)
        if reason:
            not_compared("Spark", reason)
            return model
        return prove(model, sample, "Spark", partial(saved_answers, saved, _columns(model)), check=check)
    if not hasattr(source, "write") and not hasattr(source, "save"):
        raise SchemaError(f"a {type(source).__name__} is neither a directory nor a fitted model of PySpark")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        # Spark takes a path without a scheme for one of the cluster's file system.
        if hasattr(source, "write"):
            source.write().overwrite().save(path.as_uri())
        else:
            source.save(path.as_uri())
        model = accept(_model(Saved.read(path, limits or Limits()), schema, name), portable)
    if _incomparable(model, sample, schema):
        return model
    compared = partial(answers, source, _columns(model))
    return prove(model, sample, "Spark", compared, check=True if check is None else check)


def _incomparable(model: Model, sample: Any, schema: Schema | None) -> str:
    """The reason for which the model is not compared with Spark; an empty text if there is none."""
    if schema is None or isinstance(sample, Schema):
        return "there is no sample"
    missing = [name for name in model.schema.inputs.names if name not in schema.names]
    if missing:
        return f"the sample lacks the column {missing[0]!r}"
    different = next((node for node in model.nodes if isinstance(node.op, _DIFFERENT)), None)
    return "" if different is None else f"the op {different.op.op!r} differs from Spark's stage"


def _columns(model: Model) -> tuple[str, ...]:
    return (*model.schema.intermediate.names, *model.schema.outputs.names)


_DIFFERENT = tuple(stage.op for stage in STAGES if stage.differs is not None)
"""Ops that give other results than Spark's stages."""


# ---- the stages of a pipeline -----------------------------------------------------------------------------------------


@dataclass
class _Group:
    """A pipeline whose stages are being read."""

    saved: Saved
    members: list[_Part]

    def leaves(self) -> Iterator[Reading]:
        for member in self.members:
            if isinstance(member, _Group):
                yield from member.leaves()
            else:
                yield member

    def root(self) -> Pipeline:
        """The pipeline of the nodes that have been read."""
        nodes: list[Root] = []
        names: set[str] = set()
        for member in self.members:
            for node in [member.root()] if isinstance(member, _Group) else member.nodes:
                # Several stages of an RFormula may have equal names.
                name = unused(node.name, names)
                names.add(name)
                node = replace(node, name=name)
                if isinstance(member, Reading) and isinstance(node, Node) and len(member.nodes) > 1:
                    node = replace(node, step=f"{member.saved.name} {member.saved.uid}")
                nodes.append(node)
        return Pipeline(self.saved.uid, tuple(nodes))


_Part: TypeAlias = "_Group | Reading"


def _parts(saved: Saved, columns: Columns) -> _Part:
    if saved.name in TUNED:
        # MLeap gives the best model the name of the tuning model that found it.
        return _parts(saved.child("bestModel", saved.uid), columns)
    if saved.name in PIPELINES:
        return _Group(saved, _members(_stages(saved), columns))
    if saved.name == FORMULA:
        inner = saved.child("pipelineModel")
        label = str(saved.row({"label": STRING})["label"]), saved.column("labelCol")
        stages = [
            stage for stage in _stages(inner) if (stage.params.get("inputCol"), stage.params.get("outputCol")) != label
        ]
        return _Group(saved, _members(stages, columns))
    reading = Reading(saved, stage_of(saved), columns)
    reading.stage.check(reading)
    return reading


def _members(stages: Sequence[Saved], columns: Columns) -> list[_Part]:
    for stage in stages:
        if stage.name == SIZE_HINT:
            size = stage.params.get("size")
            stage.require(isinstance(size, int), "its param 'size' is missing")
            if stage.params.get("handleInvalid") == "skip":
                stage.reject("handleInvalid is 'skip': no op drops rows by the size of a vector")
            columns.widths[stage.columns("inputCol")[0]] = int(size or 0)
    return [_parts(stage, columns) for stage in stages if stage.name not in SILENT]


def _stages(saved: Saved) -> list[Saved]:
    uids = saved.params.get("stageUids")
    saved.require(isinstance(uids, list), "its param 'stageUids' is missing")
    assert isinstance(uids, list)
    digits = len(str(len(uids)))
    return [saved.child(f"stages/{i:0{digits}}_{uid}") for i, uid in enumerate(uids)]


def _model(saved: Saved, schema: Schema | None, name: str | None) -> Model:
    columns = Columns.of(schema)
    whole = _parts(saved, columns)
    leaves = [whole] if isinstance(whole, Reading) else list(whole.leaves())
    for reading in reversed(leaves):
        for column, width in reading.widths().items():
            columns.widths.setdefault(column, width)
    for reading in leaves:
        try:
            reading.read()
        except UnknownColumnError as error:
            raise SchemaError(
                f"{reading.saved.where}: the type of the column {str(error)!r} is not saved: give it with a sample"
            ) from None
    root: Root
    if isinstance(whole, _Group):
        root = whole.root()
    elif len(whole.nodes) == 1:
        root = whole.nodes[0]
    else:
        root = Pipeline(saved.uid, tuple(whole.nodes))
    if isinstance(root, Pipeline) and not any(isinstance(node, Node) for node in root.steps()):
        raise UnsupportedExportError(f"{saved.where}: it has no stages, so there is nothing to compute")
    return Model.from_node(root, name=name or saved.uid)


# ---- a sample of the data ---------------------------------------------------------------------------------------------

_BASES = {
    "bool": BasicType.BOOLEAN,
    "int8": BasicType.BYTE,
    "int16": BasicType.SHORT,
    "int32": BasicType.INT,
    "int64": BasicType.LONG,
    "float32": BasicType.FLOAT,
    "float64": BasicType.DOUBLE,
}


def _schema_of(sample: Any) -> Schema:
    if isinstance(sample, Mapping):
        named = {str(name): values for name, values in sample.items()}
    elif hasattr(sample, "columns") and hasattr(sample, "__getitem__"):
        named = {str(name): sample[name] for name in sample.columns}
    else:
        raise SchemaError(f"a {type(sample).__name__} is neither a Schema, nor a DataFrame or a dict of arrays")
    return Schema(tuple(Field(name, _type_of(name, values)) for name, values in named.items()))


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value)


def _type_of(name: str, values: Any) -> DataType:
    array = np.asarray(values)
    base = _BASES.get(array.dtype.name)
    if base is not None and array.ndim in (1, 2):
        return ScalarType(base) if array.ndim == 1 else TensorType(BasicType.DOUBLE, (array.shape[1],))
    there = [value for value in array.tolist() if not _missing(value)] if array.ndim == 1 else []
    if there and all(isinstance(value, str) for value in there):
        return ScalarType(BasicType.STRING)
    lists = [list(value) for value in there if isinstance(value, (list, tuple, np.ndarray))]
    if there and len(lists) == len(there):
        if all(isinstance(item, str) for part in lists for item in part):
            return ListType(BasicType.STRING)
        if len({len(part) for part in lists}) == 1:
            return TensorType(BasicType.DOUBLE, (len(lists[0]),))
    raise SchemaError(f"column {name!r} holds neither numbers, texts, lists of texts, nor vectors of one size")
