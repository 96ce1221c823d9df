"""The primitives that ops lower to: a typed expression graph over one row.

A primitive is a frozen dataclass that says what is computed from its operands (fields of type :class:`Expr`) and its
parameters (all others). Each executor has one table from primitive to implementation; a primitive that a table lacks raises
an error that names it. A primitive never says how many rows there are.

Errors belong to rows: where a docstring says *fails*, that row gets a :class:`~leapstream.errors.PredictionError` and nothing
else of that row is computed; where it says *drops*, the row leaves the frame. Of several failures and drops of one row the
first in plan order counts, as in MLeap, where a row's nodes run one after the other.

A vector's element may be *stored* or not: a sparse vector stores some elements, a dense one all of them. Elements that are
not stored are 0. Few primitives look at the difference: those with :attr:`Expr.needs_stored`.
"""

import warnings
from typing import Any

from leapstream.plan.graph import DOUBLE, INT, Doubles, Expr, Origin, vector
from leapstream.plan.primitives.categories import Binarize, Bucketize, CategoryWeight, Label, Lookup, OneHot
from leapstream.plan.primitives.classes import (
    ExpNormalize,
    Greatest,
    NearestLeaf,
    RequireElements,
    ScaledDistances,
    SquareSums,
    Switch,
    TopicMixture,
)
from leapstream.plan.primitives.external import Graph, TensorFlow
from leapstream.plan.primitives.functions import ArgMax, NormalizeSum, Softmax, Unary, UnaryFunction
from leapstream.plan.primitives.linear import Dot, LinearSum, MatVec, Nearest
from leapstream.plan.primitives.numbers import (
    Binary,
    BinaryFunction,
    Constant,
    CosineTransform,
    FactorProduct,
    Interaction,
    Interpolate,
    MinHash,
    PolynomialExpansion,
    PowerProducts,
    Recode,
    RequireWithin,
    Reshape,
    Take,
)
from leapstream.plan.primitives.text import (
    Coalesce,
    ElementsAtLeast,
    FirstMatch,
    HashedCounts,
    HashedFeatures,
    LowerCase,
    MapEntry,
    NGrams,
    Tokens,
    TokensOfLength,
    ValueAt,
    VocabularyCounts,
    WithoutWords,
    WordVectors,
)
from leapstream.plan.primitives.trees import Trees
from leapstream.plan.primitives.values import Cast, Impute, Input, NotNull
from leapstream.plan.primitives.vectors import Affine, Clip, Concat, Item, Normalize, Pack
from leapstream.plan.primitives.xgboost import (
    FloatFeatures,
    FloatFunction,
    FloatFunctionName,
    FloatLinear,
    TreeContributions,
)

__all__ = [
    "Affine",
    "ArgMax",
    "ElementsAtLeast",
    "Binarize",
    "Binary",
    "BinaryFunction",
    "Bucketize",
    "Cast",
    "CategoryWeight",
    "Clip",
    "Coalesce",
    "Concat",
    "Constant",
    "CosineTransform",
    "DOUBLE",
    "Dot",
    "Doubles",
    "PolynomialExpansion",
    "ExpNormalize",
    "Expr",
    "FactorProduct",
    "FirstMatch",
    "Graph",
    "Greatest",
    "HashedCounts",
    "HashedFeatures",
    "INT",
    "Impute",
    "Input",
    "Interaction",
    "Interpolate",
    "Item",
    "Label",
    "FloatLinear",
    "LinearSum",
    "TokensOfLength",
    "Lookup",
    "LowerCase",
    "MapEntry",
    "MatVec",
    "MinHash",
    "NearestLeaf",
    "NGrams",
    "Nearest",
    "Normalize",
    "NormalizeSum",
    "NotNull",
    "OneHot",
    "RequireElements",
    "Origin",
    "WithoutWords",
    "Pack",
    "ValueAt",
    "PowerProducts",
    "Recode",
    "Reshape",
    "ScaledDistances",
    "FloatFunction",
    "FloatFunctionName",
    "FloatFeatures",
    "Softmax",
    "SquareSums",
    "Switch",
    "Take",
    "TensorFlow",
    "Tokens",
    "TopicMixture",
    "TreeContributions",
    "Trees",
    "Unary",
    "UnaryFunction",
    "VocabularyCounts",
    "RequireWithin",
    "WordVectors",
    "vector",
]

_RENAMED = {
    "AtLeast": "ElementsAtLeast",
    "Expand": "PolynomialExpansion",
    "Greater": "Binarize",
    "Interact": "Interaction",
    "LinearSingles": "FloatLinear",
    "LongTokens": "TokensOfLength",
    "Lower": "LowerCase",
    "Only": "RequireElements",
    "OtherTokens": "WithoutWords",
    "Pick": "ValueAt",
    "Single": "FloatFunction",
    "SingleFunction": "FloatFunctionName",
    "Singles": "FloatFeatures",
    "Within": "RequireWithin",
}


def __getattr__(name: str) -> Any:
    """The primitives by the names that they had up to version 0.1."""
    if name not in _RENAMED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn(f"{__name__}.{name} is now {_RENAMED[name]}", DeprecationWarning, stacklevel=2)
    return globals()[_RENAMED[name]]
