"""The results of fitted models of PySpark, with which their exports are compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from leapstream.exporters.proof import Answers

_ROW = "leapstream_row"


def answers(fitted: Any, outputs: Sequence[str], rows: Any) -> Answers:
    """The results of a fitted model by column, for the columns that it adds.

    Args:
        fitted: the model of PySpark.
        outputs: the columns that the model of MLeap's ops has.
        rows: rows of the sample: a dict of arrays or a DataFrame.
    """
    from pyspark.sql import SparkSession

    names = [str(name) for name in (rows if isinstance(rows, Mapping) else rows.columns)]
    columns = [_values(rows[name]) for name in names]
    given = [(*row, number) for number, row in enumerate(zip(*columns, strict=True))]
    frame = SparkSession.builder.getOrCreate().createDataFrame(given, [*names, _ROW])
    result = fitted.transform(frame).orderBy(_ROW)
    added = [name for name in result.columns if name in outputs]
    found = result.select([f"`{name}`" for name in added]).collect()
    return {name: [_plain(row[name]) for row in found] for name in added}


def _values(column: Any) -> list[Any]:
    """The values of a column as PySpark takes them: arrays as vectors of Spark ML."""
    from pyspark.ml.linalg import Vectors

    values = np.asarray(column)
    found = values.tolist()
    if values.ndim == 2:
        return [Vectors.dense(row) for row in found]
    return [Vectors.dense(value.tolist()) if isinstance(value, np.ndarray) else value for value in found]


def _plain(value: Any) -> Any:
    return value.toArray() if hasattr(value, "toArray") else value
