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

from leapstream.plan.graph import DOUBLE, INT, Doubles, Expr, Origin, vector
from leapstream.plan.primitives.categories import Binarize, Bucketize, CategoryWeight, Label, Lookup, OneHot
from leapstream.plan.primitives.classes import (
    ExpNormalize,
    Greatest,
    NearestLeaf,
    Only,
    ScaledDistances,
    SquareSums,
    Switch,
    TopicMixture,
)
from leapstream.plan.primitives.external import Graph, TensorFlow
from leapstream.plan.primitives.functions import ArgMax, Greater, NormalizeSum, Softmax, Unary, UnaryFunction
from leapstream.plan.primitives.linear import Dot, LinearSum, MatVec, Nearest
from leapstream.plan.primitives.numbers import (
    Binary,
    BinaryFunction,
    Constant,
    CosineTransform,
    Expand,
    FactorProduct,
    Interact,
    Interpolate,
    MinHash,
    PowerProducts,
    Recode,
    Reshape,
    Take,
    Within,
)
from leapstream.plan.primitives.text import (
    AtLeast,
    Coalesce,
    FirstMatch,
    HashedCounts,
    HashedFeatures,
    LongTokens,
    Lower,
    MapEntry,
    NGrams,
    OtherTokens,
    Pick,
    Tokens,
    VocabularyCounts,
    WordVectors,
)
from leapstream.plan.primitives.trees import Trees
from leapstream.plan.primitives.values import Cast, Impute, Input, NotNull
from leapstream.plan.primitives.vectors import Affine, Clip, Concat, Item, Normalize, Pack
from leapstream.plan.primitives.xgboost import LinearSingles, Single, SingleFunction, Singles, TreeContributions

__all__ = [
    "Affine",
    "ArgMax",
    "AtLeast",
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
    "Expand",
    "ExpNormalize",
    "Expr",
    "FactorProduct",
    "FirstMatch",
    "Graph",
    "Greater",
    "Greatest",
    "HashedCounts",
    "HashedFeatures",
    "INT",
    "Impute",
    "Input",
    "Interact",
    "Interpolate",
    "Item",
    "Label",
    "LinearSingles",
    "LinearSum",
    "LongTokens",
    "Lookup",
    "Lower",
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
    "Only",
    "Origin",
    "OtherTokens",
    "Pack",
    "Pick",
    "PowerProducts",
    "Recode",
    "Reshape",
    "ScaledDistances",
    "Single",
    "SingleFunction",
    "Singles",
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
    "Within",
    "WordVectors",
    "vector",
]
