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
from leapstream.ops.feature.scaling import MaxAbsScaler, MinMaxScaler, Normalizer, StandardScaler, VectorAssembler

__all__ = [
    "Binarizer",
    "Bucketizer",
    "Imputer",
    "MaxAbsScaler",
    "MinMaxScaler",
    "Normalizer",
    "OneHotEncoder",
    "ReverseStringIndexer",
    "SklearnBinarizer",
    "StandardScaler",
    "StringIndexer",
    "VectorAssembler",
]
