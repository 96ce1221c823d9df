"""Feature transformers (MLeap's ``core.feature``), a module for each family."""

from leapstream.ops.feature.categories import (
    Binarizer,
    Bucketizer,
    Imputer,
    OneHotEncoder,
    ReverseStringIndexer,
    SklearnBinarizer,
    StringIndexer,
)
from leapstream.ops.feature.maps import Coalesce, MapEntrySelector, MultinomialLabeler, RegexIndexer, StringMap
from leapstream.ops.feature.scaling import MaxAbsScaler, MinMaxScaler, Normalizer, StandardScaler, VectorAssembler
from leapstream.ops.feature.text import (
    IDF,
    CountVectorizer,
    FeatureHasher,
    HashingTermFrequency,
    NGram,
    RegexTokenizer,
    StopWordsRemover,
    Tokenizer,
    WordLengthFilter,
    WordToVector,
)

__all__ = [
    "Binarizer",
    "Bucketizer",
    "Coalesce",
    "CountVectorizer",
    "FeatureHasher",
    "HashingTermFrequency",
    "IDF",
    "Imputer",
    "MapEntrySelector",
    "MaxAbsScaler",
    "MinMaxScaler",
    "MultinomialLabeler",
    "NGram",
    "Normalizer",
    "OneHotEncoder",
    "RegexIndexer",
    "RegexTokenizer",
    "ReverseStringIndexer",
    "SklearnBinarizer",
    "StandardScaler",
    "StopWordsRemover",
    "StringIndexer",
    "StringMap",
    "Tokenizer",
    "VectorAssembler",
    "WordLengthFilter",
    "WordToVector",
]
