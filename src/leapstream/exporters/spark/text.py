"""Texts: tokens and vectors of them (``pyspark.ml.feature``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from leapstream.bundle.types import BasicType, DataShape, ScalarType
from leapstream.errors import SchemaError
from leapstream.exporters.spark.encoding import FLOAT, LONG, STRING, VECTOR, array, write_parquet
from leapstream.exporters.spark.stage import (
    Columnwise,
    Data,
    Param,
    Reading,
    Stage,
    Writing,
)
from leapstream.ops import feature as ops
from leapstream.ops.base import Op

_INPUT, _OUTPUT = {"input": "inputCol"}, {"output": "outputCol"}

_OTHER_LOWER_CASE = ("az", "lt", "tr")
"""Languages in which Java's ``toLowerCase(locale)`` differs from the default."""


@dataclass(frozen=True)
class _StopWordsRemover(Columnwise):
    """Spark converts to lower case with a locale, MLeap without one."""

    def check(self, r: Reading) -> None:
        super().check(r)
        locale = str(r.saved.params.get("locale", "en"))
        if not r.saved.params.get("caseSensitive") and locale.split("_")[0] in _OTHER_LOWER_CASE:
            r.saved.reject(f"locale is {locale!r}, whose lower case MLeap does not know")

    def fill(self, w: Writing, op: Any) -> None:
        super().fill(w, op)
        w.draft.set(locale="en")


_SPARK_2, _SPARK_3 = 1, 2


@dataclass(frozen=True)
class _HashingTF(Stage):
    """Models that Spark 2 saved use the hash function of Spark 2, as in Spark."""

    def op_of(self, r: Reading) -> Op:
        version = _SPARK_3 if r.saved.spark_version >= (3, 0) else _SPARK_2
        return ops.HashingTermFrequency(**self.attributes(r), hash_version=version)

    def fill(self, w: Writing, op: Any) -> None:
        super().fill(w, op)
        if op.hash_version == _SPARK_2:
            w.draft.spark_version = "2.4.8"


@dataclass(frozen=True)
class _CountVectorizer(Stage):
    def fill(self, w: Writing, op: Any) -> None:
        w.require(
            len(set(op.vocabulary)) == len(op.vocabulary), "a word of its vocabulary repeats, which Spark rejects"
        )
        super().fill(w, op)


_WORD = {"word": STRING, "vector": array(FLOAT)}


@dataclass(frozen=True)
class _Word2Vec(Stage):
    """Spark saves a row for each word."""

    def op_of(self, r: Reading) -> Op:
        rows = r.saved.rows(_WORD)
        words = tuple(row["word"] for row in rows)
        vectors = tuple(value for row in rows for value in row["vector"])
        return ops.WordToVector(words, vectors, tuple(range(len(words))))

    def fill(self, w: Writing, op: Any) -> None:
        w.require(op.kernel in (None, "default"), f"its kernel is {op.kernel!r}, which Spark does not have")
        size, places = op.vector_size, op.places()
        vectors = np.array(op.word_vectors, dtype=np.float64)
        inside = all(place >= 0 and size * (place + 1) <= len(vectors) for place in places.values())
        w.require(inside, "a word has no whole vector, for which Spark has no place")
        with np.errstate(over="ignore"):
            exact = bool((vectors.astype(np.float32) == vectors).all())
        w.require(exact, "its vectors are of double precision, and Spark's are of single precision")
        values = [vectors[size * place : size * (place + 1)].tolist() for place in places.values()]
        w.draft.set(vectorSize=size)
        w.draft.folders["data"] = write_parquet(_WORD, {"word": list(places), "vector": values})


@dataclass(frozen=True)
class _FeatureHasher(Stage):
    """The types of the columns must be known, because texts are hashed and numbers are not."""

    def reads(self, r: Reading) -> dict[str, str]:
        return {f"input{i}": name for i, name in enumerate(r.saved.columns("inputCol"))}

    def op_of(self, r: Reading) -> Op:
        names = r.saved.columns("inputCol")
        shapes, types = [], []
        for name in names:
            column = r.columns.find(name)
            if column is None:
                raise SchemaError(
                    f"it hashes the column {name!r} by its type, which is not saved: say it with an input_schema"
                )
            if not isinstance(column.type, ScalarType) or column.type.base is BasicType.BYTE_STRING:
                raise SchemaError(f"the column {name!r} is {column.type}, and only scalars are hashed")
            shapes.append(DataShape("scalar", column.type.nullable))
            types.append(column.type.base)
        categorical = tuple(r.saved.params.get("categoricalCols") or ())
        size = int(r.saved.params["numFeatures"])
        return ops.FeatureHasher(size, categorical, tuple(shapes), tuple(types), tuple(names))

    def widths(self, r: Reading) -> dict[str, int]:
        return {}

    def write(self, w: Writing) -> None:
        op: Any = w.node.op
        columns = list(w.node.input_columns().values())
        w.require(
            columns == list(op.input_names), "it hashes other names than those of its columns, and Spark does not"
        )
        w.draft.set(
            inputCols=columns,
            outputCol=w.node.output_columns()["output"],
            numFeatures=op.num_features,
            categoricalCols=[name for name in op.categorical_cols if name in columns],
        )


STAGES: tuple[Stage, ...] = (
    Stage("feature.Tokenizer", ops.Tokenizer, _INPUT, _OUTPUT),
    Stage(
        "feature.RegexTokenizer",
        ops.RegexTokenizer,
        _INPUT,
        _OUTPUT,
        (
            Param("regex", "pattern"),
            Param("match_gaps", "gaps"),
            Param("token_min_length", "minTokenLength"),
            Param("lowercase_text", "toLowercase"),
        ),
    ),
    _StopWordsRemover(
        "feature.StopWordsRemover",
        ops.StopWordsRemover,
        _INPUT,
        _OUTPUT,
        (Param("stop_words", "stopWords", tuple), Param("case_sensitive", "caseSensitive")),
    ),
    Stage("feature.NGram", ops.NGram, _INPUT, _OUTPUT, (Param("n", "n", least=1),)),
    _HashingTF(
        "feature.HashingTF",
        ops.HashingTermFrequency,
        _INPUT,
        _OUTPUT,
        (Param("num_features", "numFeatures"), Param("binary", "binary")),
    ),
    _CountVectorizer(
        "feature.CountVectorizerModel",
        ops.CountVectorizer,
        _INPUT,
        _OUTPUT,
        (
            Data("vocabulary", "vocabulary", array(STRING)),
            Param("binary", "binary"),
            Param("min_tf", "minTF", float),
        ),
    ),
    Stage(
        "feature.IDFModel",
        ops.IDF,
        _INPUT,
        _OUTPUT,
        (
            Data("idf", "idf", VECTOR),
            Data("doc_freq", "docFreq", array(LONG), encode=lambda numbers: numbers or ()),
            Data("num_docs", "numDocs", LONG, encode=lambda number: number or 0),
        ),
    ),
    _Word2Vec("feature.Word2VecModel", ops.WordToVector, _INPUT, _OUTPUT),
    _FeatureHasher("feature.FeatureHasher", ops.FeatureHasher, {}, _OUTPUT),
)
"""The stages of this module."""
