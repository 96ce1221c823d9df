"""The results of Spark's own models, fitted or saved, with which their exports are compared."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from leapstream.exporters.child import ChildError, call
from leapstream.exporters.proof import Answers
from leapstream.exporters.spark.saved import Saved

_ROW = "leapstream_row"

_SECONDS = 300.0
"""The time limit of a local session; its Java process sets a limit on memory itself."""


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


def saved_answers(saved: Saved, outputs: Sequence[str], rows: Any) -> Answers:
    """Like :func:`answers`, for a saved stage, in a local session of a process of its own.

    Raises:
        ChildError: Spark does not start, load the stage or predict the rows.
    """
    # The process gets the files that were read, and their classes are all Spark's own.
    found: Answers = call(
        transform, dict(saved.files), saved.spark_version, outputs, rows, seconds=_SECONDS, memory=None
    )
    return found


def transform(files: Mapping[str, bytes], version: tuple[int, int], outputs: Sequence[str], rows: Any) -> Any:
    """Load a saved stage in a local session, and give its results by column.

    Raises:
        ChildError: this version of Spark is older than the one that saved the stage.
    """
    import pyspark
    from pyspark.ml.util import DefaultParamsReader
    from pyspark.sql import SparkSession

    if version > tuple(map(int, pyspark.__version__.split(".")[:2])):
        raise ChildError(f"the stage is of version {version[0]}.{version[1]}, and {pyspark.__version__} is installed")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    with tempfile.TemporaryDirectory() as folder:
        for path, data in files.items():
            (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / path).write_bytes(data)
        session = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
        try:
            fitted = DefaultParamsReader.loadParamsInstance(Path(folder).as_uri(), session.sparkContext)
            found = answers(fitted, outputs, rows)
        finally:
            session.stop()
    return {name: [_json(value) for value in values] for name, values in found.items()}


def _json(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


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
