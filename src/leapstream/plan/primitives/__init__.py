"""The primitives that ops lower to: a typed expression graph over one row.

A primitive is a frozen dataclass that says what is computed from its operands (fields of type :class:`Expr`) and its
parameters (all others). Each executor has one table from primitive to implementation; a primitive that a table lacks raises
an error that names it. A primitive never says how many rows there are.

The modules here are the families. An executor implements a primitive in its own module of the family's name.

Errors belong to rows: where a docstring says *fails*, that row gets a :class:`~leapstream.errors.PredictionError` and nothing
else of that row is computed; where it says *drops*, the row leaves the frame. Of several failures and drops of one row the
first in plan order counts, as in MLeap, where a row's nodes run one after the other.

A vector's element may be *stored* or not: a sparse vector stores some elements, a dense one all of them. Elements that are
not stored are 0. Few primitives look at the difference: those with :attr:`Expr.needs_stored`.
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
