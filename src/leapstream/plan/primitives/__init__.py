"""The primitives that ops lower to: a typed expression graph over one row.

A primitive is a frozen dataclass. Its fields of type :class:`Expr` are its operands, all other fields are parameters; its
docstring defines the value that it has for one row.

Each module of this package is a family of primitives. An executor implements a primitive in its own module of the family's
name, and has one table from primitive to implementation. A primitive that an executor lacks raises an error that names it.

Errors belong to rows. Where a docstring says *fails*, the row gets a :class:`~leapstream.errors.PredictionError`, and nothing
else is computed for it. Where it says *drops*, the row is left out of the result. If a row fails or is dropped several times,
the first time in plan order counts, as in MLeap, where a row passes the nodes one after the other.

A dense vector *stores* all of its elements, a sparse vector some of them; elements that are not stored are 0. Only primitives
with :attr:`Expr.needs_stored` distinguish an element that is not stored from a stored 0.
"""

import warnings
from typing import Any

from leapstream.plan.graph import *
from leapstream.plan.primitives.categories import *
from leapstream.plan.primitives.choices import *
from leapstream.plan.primitives.classes import *
from leapstream.plan.primitives.clusters import *
from leapstream.plan.primitives.external import *
from leapstream.plan.primitives.functions import *
from leapstream.plan.primitives.hashing import *
from leapstream.plan.primitives.linear import *
from leapstream.plan.primitives.numbers import *
from leapstream.plan.primitives.products import *
from leapstream.plan.primitives.selection import *
from leapstream.plan.primitives.text import *
from leapstream.plan.primitives.trees import *
from leapstream.plan.primitives.values import *
from leapstream.plan.primitives.vectors import *
from leapstream.plan.primitives.words import *
from leapstream.plan.primitives.xgboost import *

_RENAMED = {
    "AtLeast": "ElementsAtLeast",
    "BinaryFunction": "FunctionName",
    "Expand": "PolynomialExpansion",
    "FloatFunctionName": "FunctionName",
    "Greater": "Binarize",
    "Interact": "Interaction",
    "LinearSingles": "FloatLinear",
    "LongTokens": "TokensOfLength",
    "Lower": "LowerCase",
    "Only": "RequireElements",
    "OtherTokens": "WithoutWords",
    "Pick": "ValueAt",
    "Single": "FloatFunction",
    "SingleFunction": "FunctionName",
    "Singles": "FloatFeatures",
    "UnaryFunction": "FunctionName",
    "Within": "RequireWithin",
}


def __getattr__(name: str) -> Any:
    """The primitives by the names that they had up to version 0.1."""
    if name not in _RENAMED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn(f"{__name__}.{name} is now {_RENAMED[name]}", DeprecationWarning, stacklevel=2)
    return globals()[_RENAMED[name]]
