"""Models of a store as functions of Flink follow them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from leapstream.bundle.types import BasicType, Field, MapType, ScalarType, Schema
from leapstream.errors import ConfigError, SchemaError, StoreError
from leapstream.fetching.uri import display, local_path
from leapstream.flink.signature import FunctionSignature, sql_type
from leapstream.model import Model
from leapstream.sources import SourceOptions
from leapstream.store import ModelStore, Version

DEFAULT_ALIAS = "live"
DEFAULT_INTERVAL = "60 s"
MODEL_VERSION = "model_version"
"""The output with the version that computed the row."""

SHADOW = "shadow_"
"""The beginning of the names of a shadow's outputs."""

SHADOW_VERSION = f"{SHADOW}version"
SHADOW_ERROR = f"{SHADOW}error"
_STRING = ScalarType(BasicType.STRING, True)
_UNITS = {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000}
_INTERVAL = re.compile(r"(\d{1,9}) *(ms|s|min|h)")


@dataclass(frozen=True)
class StoredModel:
    """A model of a store, which a function follows while its job runs.

    Attributes:
        store: ``STORE/NAME``.
        alias: the alias to follow; ``live`` by default.
        version: a version, to which the function is pinned, in place of an alias.
        reload_interval: the time between two looks at the alias, such as ``60 s``.
        split_key: the argument by which rows are split among the versions of an alias with weights.
        shadow: a version, or several, to compute beside, before the shadows of the alias.

    Raises:
        ConfigError: alias and version are both given, or the interval is malformed.
        StoreError: ``store`` names no model.
    """

    store: str
    _: KW_ONLY
    alias: str | None = None
    version: str | None = None
    reload_interval: str = DEFAULT_INTERVAL
    split_key: str | None = None
    shadow: str | Sequence[str] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "shadow", (self.shadow,) if isinstance(self.shadow, str) else tuple(self.shadow))
        place, _, name = self.store.rstrip("/").rpartition("/")
        if not place or not name:
            raise StoreError(f"store {display(self.store)!r}: give STORE/NAME")
        if self.alias is not None and self.version is not None:
            raise ConfigError(f"model {self.name!r}: give an alias or a version, not both")
        if self.milliseconds <= 0:
            raise ConfigError(f"model {self.name!r}: the reload interval has to be positive")

    @property
    def name(self) -> str:
        """The model's name in its store."""
        return self.store.rstrip("/").rpartition("/")[2]

    @property
    def reference(self) -> str:
        """The alias or the version."""
        return self.version or self.alias or DEFAULT_ALIAS

    @property
    def milliseconds(self) -> int:
        """The reload interval in milliseconds."""
        match = _INTERVAL.fullmatch(self.reload_interval.strip())
        if match is None:
            raise ConfigError(
                f"model {self.name!r}: the reload interval is a number with ms, s, min or h, not {self.reload_interval!r}"
            )
        return int(match[1]) * _UNITS[match[2]]

    @property
    def uri(self) -> str:
        """The place of the model as Flink's file systems read it on any machine."""
        path = local_path(self.store)
        return self.store.rstrip("/") if path is None else f"file://{Path(path).absolute()}"

    def opened(self, options: SourceOptions | None = None) -> ModelStore:
        """The store."""
        return ModelStore(self.store.rstrip("/").rpartition("/")[0], options)

    def found(self, options: SourceOptions | None = None) -> tuple[Version, Model]:
        """The version of now, verified; the main one of an alias with weights.

        Raises:
            StoreError: there is none, or no version of a shadow, or its model has not the columns of its manifest.
            SourceError: the store cannot be read.
        """
        store = self.opened(options)
        for shadow in self.shadow:
            if store.version(self.name, shadow).version != shadow:
                raise StoreError(f"model {self.name!r}: a shadow is a version, and {shadow!r} is an alias")
        version = store.version(self.name, self.reference)
        return version, store.load(self.name, version.version)


def stored_signature(model: Model) -> FunctionSignature:
    """The signature of a model in ``model.jar``: all inputs, and the final outputs except maps.

    Raises:
        SchemaError: all outputs are maps, which no function gives.
    """
    outputs = tuple(f.name for f in model.schema.outputs if not isinstance(f.type, MapType))
    if not outputs:
        raise SchemaError(f"model {model.name!r}: all of its outputs are maps, which no function gives")
    return FunctionSignature.of("Stored", model, outputs=outputs)


def signature_text(signature: FunctionSignature) -> str:
    """A signature as ``leapstream.flink.live.LiveFunction`` writes it."""
    inputs, outputs = (
        ", ".join(f"{f.name} {sql_type(f.type)}" for f in columns) for columns in (signature.inputs, signature.outputs)
    )
    return f"({inputs}) -> ({outputs})"


def live_signature(
    name: str,
    stored: StoredModel,
    model: Model,
    *,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    error: str | None = None,
) -> FunctionSignature:
    """The signature of a function that follows a model.

    Args:
        name: the function's name.
        stored: the model.
        model: a version of it.
        inputs: the arguments in their order; by default the model's inputs in order of first use, and the split key.
        outputs: columns to give: final outputs, ``model_version``, and those of shadows; by default the prediction.
        error: the name of a further column for the error of a row that fails; by default there is none.

    Raises:
        SchemaError: an input or output is not known, or an input is missing.
        ConfigError: an output has the name of the column for errors.
    """
    whole = stored_signature(model)
    fields = {field.name: field for field in whole.inputs}
    if stored.split_key is not None:
        fields.setdefault(stored.split_key, Field(stored.split_key, _STRING))
    names = tuple(fields) if inputs is None else tuple(inputs)
    wrong = [n for n in names if n not in fields] or [n for n in fields if n not in names]
    if wrong:
        raise SchemaError(
            f"model {stored.name!r} {'has no' if wrong[0] in names else 'needs the'} input {wrong[0]!r}; its inputs are "
            f"{', '.join(fields)}, inputs are {list(names)}"
        )
    known = {field.name: field for field in whole.outputs}
    for extra in (MODEL_VERSION, SHADOW_VERSION, SHADOW_ERROR):
        known.setdefault(extra, Field(extra, _STRING))
    for field in whole.outputs:
        shadow = Field(f"{SHADOW}{field.name}", field.type)
        known.setdefault(shadow.name, shadow)
    wanted = model.prediction_columns() if outputs is None else tuple(outputs)
    unknown = [n for n in wanted if n not in known]
    if unknown:
        raise SchemaError(
            f"model {stored.name!r} gives no column {unknown[0]!r} from a store; it gives {', '.join(known)}"
        )
    return FunctionSignature(
        name, stored.name, Schema(tuple(fields[n] for n in names)), Schema(tuple(known[n] for n in wanted))
    ).with_error(error)
