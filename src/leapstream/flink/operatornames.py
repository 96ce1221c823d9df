"""Names of the operators that run a model, as Flink's UI and metrics show them."""

from __future__ import annotations

from leapstream.escaping import printable
from leapstream.executors.jvm.jar import CompiledModel
from leapstream.flink.stored import StoredModel
from leapstream.model import Model

_LONGEST_NAME = 30
_LONGEST = 80
"""The most characters of a name that Flink's metrics keep."""


def operator_name(model: Model | StoredModel | CompiledModel) -> str:
    """``predict``, the model and its version: the uid of a bundle, or the version or alias in a store."""
    if isinstance(model, StoredModel):
        name, version = model.name, model.reference
    elif isinstance(model, CompiledModel):
        name, version = model.bundle, model.uid
    else:
        name, version = model.name, model.definition.uid
    return f"predict {printable(name)[:_LONGEST_NAME]} {printable(version)}"[:_LONGEST]
