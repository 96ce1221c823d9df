"""Write the tables of scikit-learn's estimators in docs/exporters/sklearn.md: those that are exported, and why others are not.

With --check, exit with 1 if the page is out of date, and do not write it.
"""

from __future__ import annotations

import sys
import warnings
from collections import defaultdict
from pathlib import Path

import sklearn
from generated import with_part, write_or_check
from sklearn.utils import all_estimators

from leapstream.exporters.sklearn import DISPATCH

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "exporters" / "sklearn.md"

BEGIN, END = "<!-- estimators: make support -->\n", "<!-- end of estimators -->\n"

OWN_OPS = frozenset(
    (
        *("AdaBoostRegressor", "AdditiveChi2Sampler", "GaussianProcessClassifier", "GaussianProcessRegressor"),
        *(
            "KNeighborsClassifier",
            "KNeighborsRegressor",
            "KNeighborsTransformer",
            "KNNImputer",
            "KernelPCA",
            "KernelRidge",
        ),
        *("LabelPropagation", "LabelSpreading", "LocalOutlierFactor", "Nystroem", "OneClassSVM", "RBFSampler"),
        *("RadiusNeighborsClassifier", "RadiusNeighborsRegressor", "RadiusNeighborsTransformer"),
        *("HashingVectorizer", "SkewedChi2Sampler", "SplineTransformer"),
    )
)
"""The classes whose models always have an op of leapstream's own."""

NO_RESULT = "has neither `transform` nor `predict` for new rows"

REASONS = {
    "DictionaryLearning": "an iterative solver runs for each row",
    "Isomap": "it needs shortest paths from each row",
    "LatentDirichletAllocation": "its inference stops by other limits than that of MLeap's op",
    "LocallyLinearEmbedding": "it solves a system of equations for each row",
    "MiniBatchDictionaryLearning": "an iterative solver runs for each row",
    "MiniBatchNMF": "an iterative solver runs for each row",
    "MultiLabelBinarizer": "it reads sets of labels",
    "NMF": "an iterative solver runs for each row",
    "PatchExtractor": "it reads images",
    "SparseCoder": "an iterative solver runs for each row",
    "FeatureHasher": "it reads dicts of any keys, and a model reads columns",
}
"""The reasons for which a class is not exported."""

REJECTED = frozenset({"FeatureHasher"})
"""Classes whose converter only says why it cannot convert them."""


def tables() -> str:
    """The tables as text."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = dict(all_estimators())
    converted = ({*DISPATCH.transformers, *DISPATCH.predictors} & found.keys()) - REJECTED
    modules: dict[str, list[str]] = defaultdict(list)
    for name in sorted(converted):
        mark = "\\*" if name in OWN_OPS else ""
        modules[found[name].__module__.split(".")[1]].append(f"`{name}`{mark}")
    left: dict[str, list[str]] = defaultdict(list)
    for name in sorted(found.keys() - converted):
        gives = any(hasattr(found[name], method) for method in ("transform", "predict"))
        left[REASONS.get(name, "no converter has been written" if gives else NO_RESULT)].append(f"`{name}`")
    own = "A model of one with \\* has an op of leapstream's own, and so have models of others with some settings."
    lines = [
        f"{len(converted)} of the {len(found)} estimators of scikit-learn {sklearn.__version__} are exported.",
        *([own] if OWN_OPS else []),
        "",
        "| module | classes |",
        "| --- | --- |",
        *(f"| `{module}` | {', '.join(names)} |" for module, names in sorted(modules.items())),
        "",
        "| not exported | why |",
        "| --- | --- |",
        *(f"| {', '.join(names)} | {reason} |" for reason, names in sorted(left.items())),
        "",
    ]
    return "\n".join(lines)


def page() -> str:
    """The page with its tables as they should be."""
    return with_part(TARGET, BEGIN, END, tables())


if __name__ == "__main__":
    sys.exit(write_or_check(TARGET, page(), "make support"))
