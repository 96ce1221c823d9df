"""Categories and missing values: indexers, encoders, buckets, imputers (``pyspark.ml.feature``)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from leapstream.exporters.spark.encoding import DOUBLE, INT, STRING, array, number_of, write_parquet
from leapstream.exporters.spark.stage import (
    Columnwise,
    Data,
    Param,
    Reading,
    Stage,
    Writing,
    scalar_or_known,
)
from leapstream.ops import feature as ops
from leapstream.ops.base import Op

_INPUT, _OUTPUT = {"input": "inputCol"}, {"output": "outputCol"}
_HANDLER = Param("handle_invalid", "handleInvalid")


@dataclass(frozen=True)
class _Several(Stage):
    """A stage on one or several columns, for an op that also works on one or several."""

    single_port: bool = False

    def _ports(self, reading: Reading, legacy: str, param: str) -> dict[str, str]:
        columns = reading.saved.columns(param)
        if self.single_port and not reading.saved.is_set(f"{param}s"):
            return {legacy: columns[0]}
        return {f"{legacy}{i}": column for i, column in enumerate(columns)}

    def reads(self, reading: Reading) -> dict[str, str]:
        return self._ports(reading, "input", "inputCol")

    def writes(self, reading: Reading) -> dict[str, str]:
        return self._ports(reading, "output", "outputCol")

    def widths(self, reading: Reading) -> dict[str, int]:
        return {}

    def write(self, writing: Writing) -> None:
        inputs, outputs = writing.node.input_columns(), writing.node.output_columns()
        writing.require(len(inputs) == len(outputs), "not all of its outputs are connected, and Spark writes all")
        if len(inputs) == 1:
            writing.draft.set(inputCol=inputs["input0"], outputCol=outputs["output0"])
        else:
            writing.draft.set(inputCols=list(inputs.values()), outputCols=list(outputs.values()))
        self.fill(writing, writing.node.op)


@dataclass(frozen=True)
class _StringIndexer(_Several):
    """Spark saves a list of labels for each column; before 3.0, there is one column."""

    def op_of(self, reading: Reading) -> Op:
        if reading.saved.lacks("labelsArray"):
            labels = reading.saved.row({"labels": array(STRING)})["labels"]
            return ops.StringIndexer((labels,), _HANDLER.read(reading))
        return super().op_of(reading)


@dataclass(frozen=True)
class _EncoderOfSpark2(Stage):
    """The encoder that is not fitted, which Spark 3 does not have: the column's metadata has the number of categories.

    Numbers that are not among the categories, and with ``dropLast`` the last category, give the zero vector.
    """

    def op_of(self, reading: Reading) -> Op:
        if reading.saved.spark_version >= (3, 0):
            reading.saved.reject("it is an estimator, which was not fitted")
        name = reading.saved.columns("inputCol")[0]
        categories = reading.column(name).categories
        if categories is None:
            reading.saved.reject(
                f"it takes the number of categories from the data, because the column {name!r} is not that of an indexer"
            )
        size = categories[0] - bool(reading.saved.params.get("dropLast", True))
        return ops.OneHotEncoder((size,), "keep", drop_last=True)

    def widths(self, reading: Reading) -> dict[str, int]:
        return {}


@dataclass(frozen=True)
class _IndexToString(Stage):
    """If the stage has no labels, the labels in the column's metadata apply, as in Spark."""

    def op_of(self, reading: Reading) -> Op:
        name = reading.saved.columns("inputCol")[0]
        column = scalar_or_known(reading, name)
        labels = reading.saved.params.get("labels") or column.labels
        if not labels:
            reading.saved.reject(
                f"it has no labels, and it is not known which ones the column {name!r} has: set its labels"
            )
        return ops.ReverseStringIndexer(tuple(labels))

    def widths(self, reading: Reading) -> dict[str, int]:
        return {}

    def fill(self, writing: Writing, op: Any) -> None:
        writing.require(
            op.input_shape.base == "scalar", "it takes several indices at once, and Spark's stage a single one"
        )
        writing.draft.set(labels=list(op.labels))


_NAN_TOO = "it fills in what is {}: in MLeap NaN too, which Spark keeps"


@dataclass(frozen=True)
class _Imputer(Columnwise):
    """Spark saves a row of surrogates. Few models have a ``missingValue`` other than NaN; those give a warning."""

    def op_at(self, reading: Reading, position: int, column: str) -> Op:
        surrogate = reading.saved.row({column: DOUBLE})[column]
        missing = number_of(reading.saved.params.get("missingValue", math.nan))
        if missing == missing:
            reading.saved.warn(_NAN_TOO.format(missing))
        return ops.Imputer(surrogate, missing, str(reading.saved.params.get("strategy", "mean")))

    def fill(self, writing: Writing, op: Any) -> None:
        if op.missing_value == op.missing_value:
            writing.warn(_NAN_TOO.format(op.missing_value))
        column = writing.node.input_columns()["input"]
        strategy = op.strategy if op.strategy in ("mean", "median", "mode") else "mean"
        # A single column is written like several, as a list.
        output = writing.draft.params.pop("outputCol")
        del writing.draft.params["inputCol"]
        writing.draft.set(inputCols=[column], outputCols=[output], strategy=strategy, missingValue=op.missing_value)
        writing.draft.folders["data"] = write_parquet({column: DOUBLE}, {column: [op.surrogate_value]})


@dataclass(frozen=True)
class _Bucketizer(Columnwise):
    def op_at(self, reading: Reading, position: int, column: str) -> Op:
        several = reading.saved.is_set("inputCols")
        splits = reading.saved.params["splitsArray"][position] if several else reading.saved.params["splits"]
        return ops.Bucketizer(tuple(map(number_of, splits)), reading.saved.params["handleInvalid"])

    def fill(self, writing: Writing, op: Any) -> None:
        writing.require(len(op.splits) >= 3, "it has a single bucket, and Spark's have two or more")
        writing.draft.set(splits=list(op.splits), handleInvalid=op.handle_invalid)


@dataclass(frozen=True)
class _Binarizer(Columnwise):
    """With a negative threshold a vector is made dense first: MLeap's op gives 0, not 1, for elements that are not stored."""

    def read(self, reading: Reading) -> None:
        pairs = self.pairs(reading)
        for i, (source, target) in enumerate(pairs):
            several = reading.saved.is_set("inputCols") and reading.saved.is_set("thresholds")
            threshold = number_of(
                reading.saved.params["thresholds"][i] if several else reading.saved.params["threshold"]
            )
            column = scalar_or_known(reading, source)
            if column.is_vector and threshold < 0.0:
                source = reading.dense(source)
            op = ops.Binarizer(threshold, column.shape)
            reading.add(op, {"input": source}, {"output": target}, f"_{i}" if len(pairs) > 1 else "")

    def widths(self, reading: Reading) -> dict[str, int]:
        found = {}
        for source, target in self.pairs(reading):
            if target in reading.columns.widths:
                found[source] = reading.columns.widths[target]
        return found

    def fill(self, writing: Writing, op: Any) -> None:
        writing.draft.set(threshold=op.threshold)


STAGES: tuple[Stage, ...] = (
    _StringIndexer(
        "feature.StringIndexerModel",
        ops.StringIndexer,
        {},
        {},
        (Data("labels_array", "labelsArray", array(array(STRING))), _HANDLER),
        single_port=True,
    ),
    _IndexToString("feature.IndexToString", ops.ReverseStringIndexer, _INPUT, _OUTPUT),
    _Several(
        "feature.OneHotEncoderModel",
        ops.OneHotEncoder,
        {},
        {},
        (Data("category_sizes", "categorySizes", array(INT)), Param("drop_last", "dropLast"), _HANDLER),
    ),
    _EncoderOfSpark2("feature.OneHotEncoder", ops.OneHotEncoder, {"input0": "inputCol"}, {"output0": "outputCol"}),
    _Imputer("feature.ImputerModel", ops.Imputer, _INPUT, _OUTPUT),
    _Bucketizer("feature.Bucketizer", ops.Bucketizer, _INPUT, _OUTPUT),
    _Binarizer("feature.Binarizer", ops.Binarizer, _INPUT, _OUTPUT),
    _Binarizer("feature.Binarizer", ops.SklearnBinarizer, _INPUT, _OUTPUT),
)
"""The stages of this module."""
