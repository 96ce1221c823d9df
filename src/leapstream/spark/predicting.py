"""``predict``: a model over a DataFrame of Spark."""

from __future__ import annotations

import hashlib
import os
import pickle
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pyspark.sql import functions as f
from pyspark.sql import types as t

from leapstream.bundle.types import BasicType, Field, ScalarType, Schema
from leapstream.errors import SchemaError
from leapstream.model import Model, load
from leapstream.sources import SourceOptions
from leapstream.spark.task import ERROR, OnErrorInSpark, Source, Task
from leapstream.spark.types import VectorsAs, is_time, is_vector_of_doubles, leap_type, spark_type

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def predict(
    df: DataFrame,
    model: Model | str | os.PathLike[str],
    *,
    outputs: Sequence[str] | None = None,
    on_error: OnErrorInSpark = "raise",
    vectors: VectorsAs = "vectors",
    load_on: Literal["driver", "executor"] = "driver",
    sha256: str | None = None,
    options: SourceOptions | None = None,
) -> DataFrame:
    """The DataFrame with the outputs of a model, which the vectorized executor computes in Spark's Python workers.

    Each input is read from the column of its name: numbers, decimals, booleans, strings, binaries, arrays, maps, and dense or
    sparse vectors of Spark ML. An input of strings takes dates and timestamps as the text that Spark's cast gives. Rows that the
    model drops (``handle_invalid`` = skip) are not in the result.

    Args:
        df: the rows; a streaming DataFrame, too.
        model: a model, or the path or URI of its bundle.
        outputs: columns to add; by default the final outputs.
        on_error: ``raise`` fails the job at a row that fails; ``null`` gives that row missing values; ``row`` also gives it the
            reason in an added column ``error``, which is missing for all other rows.
        vectors: vectors of doubles among the outputs are ``vectors`` of Spark ML or ``arrays``; other tensors are arrays.
        load_on: send the model to the executors from the ``driver``, or load it on each ``executor``; the latter needs a path or
            URI that the executors can read. The driver reads it as well.
        sha256: the checksum of the bundle's file; it is verified when the model is loaded.
        options: settings for bundles that are fetched.

    Raises:
        SchemaError: the columns do not fit the model, an output has the name of a column, or an argument is malformed.
        SourceError: the bundle cannot be fetched.
        BundleError: it cannot be read.
    """
    _check("on_error", on_error, ("raise", "null", "row"))
    _check("vectors", vectors, ("vectors", "arrays"))
    _check("load_on", load_on, ("driver", "executor"))
    loaded = model if isinstance(model, Model) else load(model, sha256=sha256, options=options)
    wanted = loaded.schema.outputs.names if outputs is None else tuple(outputs)
    added = (*wanted, *((ERROR,) if on_error == "row" else ()))
    _check_names(df, loaded, added)
    given = {x.name: x.dataType for x in df.schema.fields if x.name in loaded.schema.inputs}
    texts = [name for name, kind in given.items() if is_time(kind) and _is_text(loaded.schema.inputs[name])]
    fields = loaded.plan(_schema(loaded, given, texts), wanted).output_schema
    places = {name: df.columns.index(name) for name in given}
    places |= {name: len(df.columns) + n for n, name in enumerate(texts)}
    task = Task(
        source=_source(model, loaded, load_on, sha256, options),
        given=len(df.columns),
        inputs=places,
        outputs=fields,
        vectors=frozenset(x.name for x in fields if vectors == "vectors" and is_vector_of_doubles(x.type)),
        on_error=on_error,
    )
    result = [*df.schema.fields, *(t.StructField(x.name, spark_type(x.type, vectors)) for x in fields)]
    if on_error == "row":
        result.append(t.StructField(ERROR, t.StringType()))
    casts = [f.col(_quoted(name)).cast("string").alias(f"{name} as text") for name in texts]
    return (df.select("*", *casts) if casts else df).mapInArrow(task.__call__, t.StructType(result))


def _check(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise SchemaError(f"{name} is {value!r}, and has to be {' or '.join(map(repr, known))}")


def _check_names(df: DataFrame, model: Model, added: Sequence[str]) -> None:
    times = Counter(df.columns)
    for name in model.schema.inputs.names:
        if times[name] > 1:
            raise SchemaError(f"column {name!r} is there {times[name]} times")
    clash = [name for name in added if times[name]]
    if clash:
        raise SchemaError(f"model {model.name!r}: the DataFrame has a column {clash[0]!r} already")


def _is_text(field: Field) -> bool:
    return isinstance(field.type, ScalarType) and field.type.base is BasicType.STRING


def _schema(model: Model, given: dict[str, t.DataType], texts: Sequence[str]) -> Schema:
    """The columns that the model reads, with their leap types."""
    fields = []
    for name, kind in given.items():
        found = ScalarType(BasicType.STRING) if name in texts else leap_type(kind)
        if found is None:
            wanted = model.schema.inputs[name].type
            raise SchemaError(f"model {model.name!r}: column {name!r} is {kind.simpleString()}, and has to be {wanted}")
        fields.append(Field(name, found))
    return Schema(tuple(fields))


def _source(
    model: Model | str | os.PathLike[str],
    loaded: Model,
    load_on: str,
    sha256: str | None,
    options: SourceOptions | None,
) -> Source:
    if load_on == "executor":
        if isinstance(model, Model):
            raise SchemaError("load_on 'executor' needs the path or URI of a bundle, not a model")
        uri = os.fspath(model)
        return Source(repr((uri, sha256, loaded.definition.uid)), uri=uri, sha256=sha256, options=options)
    pickled = pickle.dumps(loaded, pickle.HIGHEST_PROTOCOL)
    return Source(hashlib.sha256(pickled).hexdigest(), pickled)


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
