"""Exceptions for some cases of :mod:`tests.exporters.spark.stages`; this module does not import Spark."""

from __future__ import annotations

from leapstream.contract import Tolerance

REJECTED = {
    "SQLTransformer": "MLeap has no op for this class",
    "FMClassifier": "MLeap has no op for this class",
    "FMRegressor": "MLeap has no op for this class",
    "LDA em": "MLeap has no op for this class",
    "DecisionTreeRegressor variance": "varianceCol is 'variance'",
    "ALS drop": "coldStartStrategy is 'drop'",
    "VectorAssembler skip": "handleInvalid is 'skip'",
}
"""Cases for which there is no op, with what the error says."""

DIFFERENT = {"LDA": Tolerance(1e-3, 1e-3)}
"""Cases in which MLeap's op gives other numbers than Spark, and how far they may be apart."""

OTHER_HASHES = "MinHashLSH"
"""The case whose numbers have nothing to do with Spark's."""

LEFT_OUT = {"RFormula": {"label"}, "RFormula text label": {"label"}}
"""Columns that Spark adds and a model does not: labels are not known when a model is used."""

EXACT = Tolerance(1e-9, 1e-9)


def tolerance(name: str) -> Tolerance:
    """The tolerance for differences between a model and Spark."""
    return DIFFERENT.get(name, EXACT)
