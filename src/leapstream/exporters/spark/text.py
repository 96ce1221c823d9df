"""Texts: tokens and vectors of them (``pyspark.ml.feature``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from leapstream.bundle.types import BasicType, DataShape, ScalarType
from leapstream.errors import SchemaError
from leapstream.exporters.spark.encoding import FLOAT, INT, LONG, STRING, VECTOR, array, mapping, write_parquet
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

    def check(self, reading: Reading) -> None:
        super().check(reading)
        locale = str(reading.saved.params.get("locale", "en"))
        if not reading.saved.params.get("caseSensitive") and locale.split("_")[0] in _OTHER_LOWER_CASE:
            reading.saved.reject(f"locale is {locale!r}, whose lower case MLeap does not know")

    def fill(self, writing: Writing, op: Any) -> None:
        super().fill(writing, op)
        writing.draft.set(locale="en")


_SPARK_2, _SPARK_3 = 1, 2


@dataclass(frozen=True)
class _HashingTF(Stage):
    """Models that Spark 2 saved use the hash function of Spark 2, as in Spark."""

    def op_of(self, reading: Reading) -> Op:
        version = _SPARK_3 if reading.saved.spark_version >= (3, 0) else _SPARK_2
        return ops.HashingTermFrequency(**self.attributes(reading), hash_version=version)

    def fill(self, writing: Writing, op: Any) -> None:
        super().fill(writing, op)
        if op.hash_version == _SPARK_2:
            writing.draft.spark_version = "2.4.8"


@dataclass(frozen=True)
class _CountVectorizer(Stage):
    def fill(self, writing: Writing, op: Any) -> None:
        writing.require(
            len(set(op.vocabulary)) == len(op.vocabulary), "a word of its vocabulary repeats, which Spark rejects"
        )
        super().fill(writing, op)


_WORD = {"word": STRING, "vector": array(FLOAT)}
_WORDS = {"wordIndex": mapping(STRING, INT), "wordVectors": array(FLOAT)}


@dataclass(frozen=True)
class _Word2Vec(Stage):
    """Spark saves a row for each word; before 2.2, one row with all words."""

    def op_of(self, reading: Reading) -> Op:
        if reading.saved.lacks("word"):
            places, vectors = reading.saved.row(_WORDS).values()
            ordered = tuple(sorted(places, key=lambda word: int(places[word])))
            return ops.WordToVector(ordered, vectors, tuple(places[word] for word in ordered))
        rows = reading.saved.rows(_WORD)
        words = tuple(row["word"] for row in rows)
        vectors = tuple(value for row in rows for value in row["vector"])
        return ops.WordToVector(words, vectors, tuple(range(len(words))))

    def fill(self, writing: Writing, op: Any) -> None:
        writing.require(op.kernel in (None, "default"), f"its kernel is {op.kernel!r}, which Spark does not have")
        size, places = op.vector_size, op.places()
        vectors = np.array(op.word_vectors, dtype=np.float64)
        inside = all(place >= 0 and size * (place + 1) <= len(vectors) for place in places.values())
        writing.require(inside, "a word has no whole vector, for which Spark has no place")
        with np.errstate(over="ignore"):
            exact = bool((vectors.astype(np.float32) == vectors).all())
        writing.require(exact, "its vectors are of double precision, and Spark's are of single precision")
        values = [vectors[size * place : size * (place + 1)].tolist() for place in places.values()]
        writing.draft.set(vectorSize=size)
        writing.draft.folders["data"] = write_parquet(_WORD, {"word": list(places), "vector": values})


@dataclass(frozen=True)
class _FeatureHasher(Stage):
    """The types of the columns must be known, because texts are hashed and numbers are not."""

    def reads(self, reading: Reading) -> dict[str, str]:
        return {f"input{i}": name for i, name in enumerate(reading.saved.columns("inputCol"))}

    def op_of(self, reading: Reading) -> Op:
        names = reading.saved.columns("inputCol")
        shapes, types = [], []
        for name in names:
            column = reading.columns.find(name)
            if column is None:
                raise SchemaError(
                    f"it hashes the column {name!r} by its type, which is not saved: give it with a sample"
                )
            if not isinstance(column.type, ScalarType) or column.type.base is BasicType.BYTE_STRING:
                raise SchemaError(f"the column {name!r} is {column.type}, and only scalars are hashed")
            shapes.append(DataShape("scalar", column.type.nullable))
            types.append(column.type.base)
        categorical = tuple(reading.saved.params.get("categoricalCols") or ())
        size = int(reading.saved.params["numFeatures"])
        return ops.FeatureHasher(size, categorical, tuple(shapes), tuple(types), tuple(names))

    def widths(self, reading: Reading) -> dict[str, int]:
        return {}

    def write(self, writing: Writing) -> None:
        op: Any = writing.node.op
        columns = list(writing.node.input_columns().values())
        writing.require(
            columns == list(op.input_names), "it hashes other names than those of its columns, and Spark does not"
        )
        writing.draft.set(
            inputCols=columns,
            outputCol=writing.node.output_columns()["output"],
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
            Data("doc_freq", "docFreq", array(LONG), encode=lambda numbers: numbers or (), absent=()),
            Data("num_docs", "numDocs", LONG, encode=lambda number: number or 0, absent=0),
        ),
    ),
    _Word2Vec("feature.Word2VecModel", ops.WordToVector, _INPUT, _OUTPUT),
    _FeatureHasher("feature.FeatureHasher", ops.FeatureHasher, {}, _OUTPUT),
)
"""The stages of this module."""
