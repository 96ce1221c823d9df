"""Tokens of texts, their selection, and vectors of tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from leapstream.bundle.types import BasicType, DataShape, DataType, ListType, ScalarType
from leapstream.errors import UnsupportedOpError
from leapstream.javalike import regex as javaregex
from leapstream.ops.base import Op, attribute, doubles, require
from leapstream.ops.lowering import Lowering, MissingTexts
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Expr

STRING = ScalarType(BasicType.STRING, nullable=False)
STRINGS = ListType(BasicType.STRING, nullable=False)


# ---- from texts to tokens ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Tokenizer(Op):
    """A text in lower case, split at each ASCII whitespace character (MLeap ``TokenizerModel``).

    Two consecutive blanks give an empty token, and so does a blank at the start; empty tokens at the end are left out.
    """

    op: ClassVar[str] = "tokenizer"

    def inputs(self) -> dict[str, DataType]:
        return {"input": STRING}

    def outputs(self) -> dict[str, DataType]:
        return {"output": STRINGS}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        text = lowering.add(p.LowerCase(x=inputs[0], type=STRING))
        return {"output": lowering.add(p.Tokens(x=text, pattern=r"\s", gaps=True, type=STRINGS))}


@dataclass(frozen=True, eq=False)
class RegexTokenizer(Op):
    """The parts of a text that match a Java regular expression, or the parts between (MLeap ``RegexTokenizerModel``).

    The vectorized executor does not support patterns with constructs that have another meaning in Python, such as back
    references.

    Attributes:
        regex: the pattern.
        match_gaps: true if the tokens are the parts between the matches.
        token_min_length: least length of a token, in UTF-16 code units.
        lowercase_text: true if the text is converted to lower case first.
    """

    op: ClassVar[str] = "regex_tokenizer"
    regex: str = attribute("string")
    match_gaps: bool = attribute("boolean")
    token_min_length: int = attribute("int")
    lowercase_text: bool = attribute("boolean")

    def __post_init__(self) -> None:
        javaregex.check(self.regex)

    def inputs(self) -> dict[str, DataType]:
        return {"input": STRING}

    def outputs(self) -> dict[str, DataType]:
        return {"output": STRINGS}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        text = lowering.add(p.LowerCase(x=inputs[0], type=STRING)) if self.lowercase_text else inputs[0]
        tokens: Expr = lowering.add(p.Tokens(x=text, pattern=self.regex, gaps=self.match_gaps, type=STRINGS))
        if self.token_min_length > 0:
            tokens = lowering.add(
                p.TokensOfLength(x=tokens, min_length=self.token_min_length, letters=False, type=STRINGS)
            )
        return {"output": tokens}


# ---- from tokens to tokens --------------------------------------------------------------------------------------------


class _TokensOp(Op):
    """An op from tokens to tokens."""

    def inputs(self) -> dict[str, DataType]:
        return {"input": STRINGS}

    def outputs(self) -> dict[str, DataType]:
        return {"output": STRINGS}


@dataclass(frozen=True, eq=False)
class StopWordsRemover(_TokensOp):
    """Tokens without stop words (MLeap ``StopWordsRemoverModel``).

    Lower case is that of the root locale. Spark has a param for the locale, which a bundle does not hold. Several columns are not
    supported, as in MLeap's runtime.

    Attributes:
        stop_words: the stop words.
        case_sensitive: true if upper and lower case are distinguished.
    """

    op: ClassVar[str] = "stopwords_remover"
    stop_words: tuple[str, ...] = attribute("list<string>")
    case_sensitive: bool = attribute("boolean")

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        left = p.WithoutWords(x=inputs[0], words=self.stop_words, case_sensitive=self.case_sensitive, type=STRINGS)
        return {"output": lowering.add(left)}


@dataclass(frozen=True, eq=False)
class WordLengthFilter(_TokensOp):
    """The tokens that consist of letters and are longer than ``length`` (MLeap ``WordLengthFilterModel``).

    Attributes:
        length: greatest length of tokens that are left out, in UTF-16 code units.
    """

    op: ClassVar[str] = "word_filter"
    length: int = attribute("int")

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        return {
            "output": lowering.add(
                p.TokensOfLength(x=inputs[0], min_length=self.length + 1, letters=True, type=STRINGS)
            )
        }


@dataclass(frozen=True, eq=False)
class NGram(_TokensOp):
    """The sequences of ``n`` consecutive tokens, joined by blanks (MLeap ``NGramModel``); every row fails if ``n`` < 1.

    Attributes:
        n: the number of tokens that are joined.
    """

    op: ClassVar[str] = "ngram"
    n: int = attribute("long")

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        return {"output": lowering.add(p.NGrams(x=inputs[0], n=self.n, type=STRINGS))}


# ---- from tokens to vectors -------------------------------------------------------------------------------------------


def _check_size(num_features: int) -> None:
    require(0 < num_features < 2**31, f"num_features {num_features} is not a valid size of a vector")


@dataclass(frozen=True, eq=False)
class HashingTermFrequency(Op):
    """The number of occurrences of each token's hash, as a sparse vector (MLeap ``HashingTermFrequencyModel``).

    Attributes:
        num_features: number of elements.
        binary: true if the result has 1 for each hash that occurs, in place of its number.
        hash_version: 2 for Spark's hash since 3.0, 1 for the one before (``hashUnsafeBytesVersion`` in a bundle; 1 by default).
    """

    op: ClassVar[str] = "hashing_term_frequency"
    num_features: int = attribute("long")
    binary: bool = attribute("boolean", default=False)
    hash_version: int = attribute("int", name="hashUnsafeBytesVersion", default=1)

    def __post_init__(self) -> None:
        _check_size(self.num_features)

    def inputs(self) -> dict[str, DataType]:
        return {"input": STRINGS}

    def outputs(self) -> dict[str, DataType]:
        return {"output": doubles(self.num_features)}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        counts = p.HashedCounts(
            x=inputs[0],
            size=self.num_features,
            binary=self.binary,
            legacy_tail=self.hash_version == 1,
            type=doubles(self.num_features),
        )
        return {"output": lowering.add(counts)}


@dataclass(frozen=True, eq=False)
class CountVectorizer(Op):
    """The number of occurrences of each word of a vocabulary, as a sparse vector (MLeap ``CountVectorizerModel``).

    Attributes:
        vocabulary: the words.
        binary: true if the result has 1 for each word that occurs, in place of its number.
        min_tf: the least count that is kept; if it is below 1, a fraction of the number of tokens. MLeap's exporter for
            scikit-learn writes an integer, which MLeap reads as 0.
    """

    op: ClassVar[str] = "count_vectorizer"
    vocabulary: tuple[str, ...] = attribute("list<string>")
    binary: bool = attribute("boolean")
    min_tf: float = attribute("double")

    def inputs(self) -> dict[str, DataType]:
        return {"input": STRINGS}

    def outputs(self) -> dict[str, DataType]:
        return {"output": doubles(len(set(self.vocabulary)))}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        counts = p.VocabularyCounts(
            x=inputs[0],
            vocabulary=self.vocabulary,
            binary=self.binary,
            min_count=self.min_tf,
            type=self.outputs()["output"],
        )
        return {"output": lowering.add(counts)}


@dataclass(frozen=True, eq=False)
class IDF(Op):
    """A vector times the inverse document frequencies, element by element (MLeap ``IDFModel``); a sparse one stays sparse.

    Attributes:
        idf: float64 (features,).
        doc_freq: number of documents with each feature (``docFreq``), which Spark writes; not used.
        num_docs: number of documents (``numDocs``), which Spark writes; not used.
    """

    op: ClassVar[str] = "idf"
    idf: npt.NDArray[np.float64] = attribute("vector")
    doc_freq: tuple[int, ...] | None = attribute("list<long>", name="docFreq", default=None)
    num_docs: int | None = attribute("long", name="numDocs", default=None)

    def inputs(self) -> dict[str, DataType]:
        return {"input": doubles(None)}

    def outputs(self) -> dict[str, DataType]:
        return {"output": doubles(None)}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        return {"output": lowering.add(p.Affine(x=inputs[0], size=len(self.idf), factor=self.idf, type=inputs[0].type))}


@dataclass(frozen=True, eq=False)
class WordToVector(Op):
    """The mean of the vectors of a sentence's words (MLeap ``WordToVectorModel``).

    Words without a vector count in the number of words. The kernel ``sqrt`` divides the sum by its 2-norm instead, which gives
    NaN where no word is known. The result is zeros if there are no tokens.

    Attributes:
        words: the words.
        indices: the index of each word's vector; if a bundle lacks it, the vectors are in the order of the words.
        word_vectors: the concatenated vectors. MLeap's exporter for Python writes a tensor, which MLeap reads as an empty list,
            so that the result has no elements.
        kernel: ``default`` or ``sqrt``; ``default`` if a bundle lacks it.
    """

    op: ClassVar[str] = "word_to_vector"
    words: tuple[str, ...] = attribute("list<string>")
    word_vectors: tuple[float, ...] = attribute("list<double>")
    indices: tuple[int, ...] | None = attribute("list<long>", default=None)
    kernel: str | None = attribute("string", default=None)

    def __post_init__(self) -> None:
        require(self.kernel in (None, "default", "sqrt"), f"kernel {self.kernel!r} is none of default, sqrt")
        require(len(self.places()) > 0, "there are no words")

    def places(self) -> dict[str, int]:
        """The index of each word's vector; for a word that repeats, that of the last one."""
        indices = range(len(self.words)) if self.indices is None else self.indices
        return dict(zip(self.words, indices, strict=False))

    @property
    def vector_size(self) -> int:
        """Number of elements of a vector."""
        return len(self.word_vectors) // len(self.places())

    def inputs(self) -> dict[str, DataType]:
        return {"input": STRINGS}

    def outputs(self) -> dict[str, DataType]:
        return {"output": doubles(self.vector_size)}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        places, size = self.places(), self.vector_size
        all_vectors = np.array(self.word_vectors, dtype=np.float64)
        vectors = np.zeros((len(places), size))
        complete = []
        for row, place in zip(vectors, places.values(), strict=True):
            found = all_vectors[max(size * place, 0) : max(size * (place + 1), 0)]
            complete.append(len(found) == size)
            row[: len(found)] = found
        mean = p.WordVectors(
            x=inputs[0],
            words=tuple(places),
            vectors=vectors,
            complete=tuple(complete),
            normalize=self.kernel == "sqrt",
            type=doubles(size),
        )
        return {"output": lowering.add(mean)}


_NUMBERS = (BasicType.SHORT, BasicType.INT, BasicType.LONG, BasicType.FLOAT, BasicType.DOUBLE)


@dataclass(frozen=True, eq=False)
class FeatureHasher(Op):
    """Scalars hashed into a sparse vector (MLeap ``FeatureHasherModel``).

    A number is added to the element at the hash of its column's name. For a string, a boolean, a byte, and a number in
    ``categorical_cols``, 1 is added to the element at the hash of ``name=value``. Missing values are left out.

    Attributes:
        num_features: number of elements.
        categorical_cols: names of the numbers that are categories.
        input_shapes: shape of each input, always scalar.
        basic_types: type of each input.
        input_names: the name of each input, which is hashed.
    """

    op: ClassVar[str] = "feature_hasher"
    missing_texts: ClassVar[MissingTexts] = "missing"
    num_features: int = attribute("long")
    categorical_cols: tuple[str, ...] = attribute("list<string>")
    input_shapes: tuple[DataShape, ...] = attribute("list<data_shape>")
    basic_types: tuple[BasicType, ...] = attribute("list<basic_type>")
    input_names: tuple[str, ...] = attribute("list<string>")

    def __post_init__(self) -> None:
        _check_size(self.num_features)
        require(all(shape.base == "scalar" for shape in self.input_shapes), "input_shapes has to hold scalars")
        same = len(self.input_shapes) == len(self.basic_types) == len(self.input_names)
        require(same, "there is not one shape, type and name per input")
        require(None not in self.basic_types, "a basic type is missing")
        if BasicType.BYTE_STRING in self.basic_types:
            raise UnsupportedOpError("byte strings cannot be hashed")
        numbers = self._numbers()
        texts = {n for n, t in zip(self.input_names, self.basic_types, strict=True) if not t.is_numeric}
        require(not numbers & texts, "two inputs of one name are a number and none")

    def _numbers(self) -> set[str]:
        """Names of the inputs that are numbers."""
        named = zip(self.input_names, self.basic_types, strict=True)
        return {name for name, base in named if base in _NUMBERS and name not in self.categorical_cols}

    def inputs(self) -> dict[str, DataType]:
        types = zip(self.input_shapes, self.basic_types, strict=True)
        return {f"input{i}": shape.of(base) for i, (shape, base) in enumerate(types)}

    def outputs(self) -> dict[str, DataType]:
        return {"output": doubles(self.num_features)}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        numbers = self._numbers()
        hashed = p.HashedFeatures(
            xs=inputs,
            names=self.input_names,
            categories=tuple(name not in numbers for name in self.input_names),
            size=self.num_features,
            type=doubles(self.num_features),
        )
        return {"output": lowering.add(hashed)}
