"""Lookups: the value of a string, a key or a vector's element, and the first value that is not missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from leapstream.bundle import values
from leapstream.bundle.definition import ModelDef
from leapstream.bundle.types import BasicType, DataType, ListType, MapType, ScalarType, TensorType
from leapstream.errors import UnsupportedOpError
from leapstream.javalike import regex as javaregex
from leapstream.ops.base import DOUBLE, Op, attribute, doubles, require
from leapstream.ops.feature.categories import HandleInvalid, check_handler
from leapstream.ops.lowering import Lowering, MissingTexts
from leapstream.plan import primitives as p
from leapstream.plan.primitives import INT, Expr

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StringMap(Op):
    """The number for a string (MLeap ``StringMapModel``).

    A missing string, or one that is not among the labels, fails, or gives ``default_value`` with ``handle_invalid`` = keep. For a
    label that repeats, the last value is used.

    Attributes:
        labels: the strings.
        values: the number for each label.
        handle_invalid: ``error`` or ``keep``.
        default_value: the number for other strings; 0 if a bundle lacks it.
    """

    op: ClassVar[str] = "string_map"
    labels: tuple[str, ...] = attribute("list<string>")
    values: tuple[float, ...] = attribute("list<double>")
    handle_invalid: HandleInvalid = attribute("string", default="error")
    default_value: float = attribute("double", default=0.0)

    def __post_init__(self) -> None:
        check_handler(self.handle_invalid, ("error", "keep"))

    def inputs(self) -> dict[str, DataType]:
        return {"input": ScalarType(BasicType.STRING)}

    def outputs(self) -> dict[str, DataType]:
        return {"output": DOUBLE}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        # If there are more labels than values, or more values than labels, the surplus is ignored.
        count = min(len(self.labels), len(self.values))
        index = lowering.add(
            p.Lookup(x=inputs[0], labels=self.labels[:count], invalid=self.handle_invalid, type=DOUBLE)
        )
        numbers = np.array([*self.values[:count], self.default_value], dtype=np.float64)
        return {"output": lowering.add(p.ValueAt(x=index, values=numbers, type=DOUBLE))}


@dataclass(frozen=True, eq=False)
class RegexIndexer(Op):
    """The number for the first Java regular expression that matches a part of a string (MLeap ``RegexIndexerModel``).

    If none matches, the result is ``default_value``, or the row fails if there is none. A missing string fails.

    Attributes:
        regexes: the patterns.
        indices: the number for each pattern.
        default_value: the number for strings that no pattern matches, or ``None``.
    """

    op: ClassVar[str] = "regex_indexer"
    regexes: tuple[str, ...] = attribute("list<string>")
    indices: tuple[int, ...] = attribute("list<int>")
    default_value: int | None = attribute("int", default=None)

    def __post_init__(self) -> None:
        for pattern in self.regexes:
            javaregex.check(pattern)

    def inputs(self) -> dict[str, DataType]:
        count = min(len(self.regexes), len(self.indices))
        return {"input": ScalarType(BasicType.STRING, nullable=count == 0)}

    def outputs(self) -> dict[str, DataType]:
        return {"output": INT}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        count = min(len(self.regexes), len(self.indices))
        label = _predicted_label(inputs[0])
        numbers = None if label is None else self.numbers(label.labels)
        if label is not None and numbers is not None:
            number = lowering.add(p.ValueAt(x=label.x, values=numbers, type=DOUBLE))
            return {"output": lowering.add(p.Cast(x=number, type=INT))}
        match = p.FirstMatch(
            x=inputs[0],
            patterns=self.regexes[:count],
            values=self.indices[:count],
            default=self.default_value,
            type=INT,
        )
        return {"output": lowering.add(match)}

    def numbers(self, labels: tuple[str, ...]) -> Doubles | None:
        """The number of each label, if all labels are words and all patterns are words between ``^`` and ``$``."""
        words = [_WHOLE_WORD.fullmatch(pattern) for pattern in self.regexes]
        known: dict[str, int] = {}
        for word, index in zip(words, self.indices, strict=False):
            if word is None:
                return None
            known.setdefault(word[1], index)
        numbers = [known.get(label, self.default_value) if _WORD.fullmatch(label) else None for label in labels]
        return None if None in numbers else np.array(numbers, dtype=np.float64)


_WORD = re.compile(r"[\w-]+", re.ASCII)
_WHOLE_WORD = re.compile(r"\^([\w-]+)\$", re.ASCII)


def _predicted_label(expr: Expr) -> p.Label | None:
    """The expression of the label of a predicted class, which no row lacks; ``None`` if ``expr`` is anything else."""
    if isinstance(expr, p.NotNull):
        expr = expr.x
    if not isinstance(expr, p.Label):
        return None
    index, classes = expr.x, 2
    if isinstance(index, p.ArgMax):
        size = index.x.type.size if isinstance(index.x.type, TensorType) else None
        if size is None:
            return None
        classes = size
    elif not isinstance(index, p.Binarize) or not isinstance(index.type, ScalarType):
        return None
    return expr if 0 < classes <= len(expr.labels) else None


_MEMBERS: dict[BasicType, str] = {
    BasicType.BOOLEAN: "boolean",
    BasicType.BYTE: "int",
    BasicType.SHORT: "int",
    BasicType.INT: "int",
    BasicType.LONG: "long",
    BasicType.FLOAT: "float",
    BasicType.DOUBLE: "double",
    BasicType.STRING: "string",
}
"""For each type of defaults, the member of an attribute that stores it."""

_BITS = {BasicType.BYTE: 8, BasicType.SHORT: 16}


@dataclass(frozen=True, eq=False)
class MapEntrySelector(Op):
    """The value of a key in a map, or a default (MLeap ``MapEntrySelectorModel``); a missing map or key fails.

    Attributes:
        key_type: string.
        value_type: any but byte string.
        default_value: the value if the map lacks the key.
    """

    op: ClassVar[str] = "map_entry_selector"
    key_type: BasicType = attribute("basic_type")
    value_type: BasicType = attribute("basic_type")
    default_value: Any = attribute("any")

    def __post_init__(self) -> None:
        if self.key_type is not BasicType.STRING or self.value_type not in _MEMBERS:
            raise UnsupportedOpError(
                f"maps from {self.key_type} to {self.value_type} are not supported, neither by MLeap"
            )
        plain = values.element(_MEMBERS[self.value_type], self.default_value)
        # MLeap takes the low bits.
        bits = _BITS.get(self.value_type)
        if bits is not None:
            plain = (plain + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1)
        object.__setattr__(self, "default_value", plain)

    @classmethod
    def read(cls, model: ModelDef, where: str) -> Op:
        """Read the default as a value of the type ``value_type``."""
        for name in ("key_type", "value_type", "default_value"):
            require(name in model.attributes, f"attribute {name!r} is missing")
        key, value = (values.get_scalar(model.attributes[name], "basic_type") for name in ("key_type", "value_type"))
        require(key is not None and value is not None, "key_type and value_type have to name types")
        default = values.get_scalar(model.attributes["default_value"], _MEMBERS.get(value, "string"))
        return cls(key, value, default)

    def to_model(self) -> ModelDef:
        """Write the default as the member of its type."""
        return ModelDef(
            self.op,
            {
                "key_type": values.scalar("basic_type", self.key_type),
                "value_type": values.scalar("basic_type", self.value_type),
                "default_value": values.scalar(_MEMBERS[self.value_type], self.default_value),
            },
        )

    def inputs(self) -> dict[str, DataType]:
        return {
            "input": MapType(self.key_type, self.value_type, nullable=False),
            "key": ScalarType(self.key_type, nullable=False),
        }

    def outputs(self) -> dict[str, DataType]:
        return {"output": ScalarType(self.value_type, nullable=self.value_type is BasicType.STRING)}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        x, key = inputs
        return {
            "output": lowering.add(p.MapEntry(x=x, key=key, default=self.default_value, type=self.outputs()["output"]))
        }


@dataclass(frozen=True, eq=False)
class Coalesce(Op):
    """The first number that is not missing (MLeap ``CoalesceModel``); NaN is not missing.

    Attributes:
        nullable_inputs: for each input, true if it may be missing; otherwise a missing value fails, even after a present one.
    """

    op: ClassVar[str] = "coalesce"
    missing_texts: ClassVar[MissingTexts] = "missing"
    nullable_inputs: tuple[bool, ...] = attribute("list<boolean>")

    def inputs(self) -> dict[str, DataType]:
        return {f"input{i}": ScalarType(BasicType.DOUBLE, nullable) for i, nullable in enumerate(self.nullable_inputs)}

    def outputs(self) -> dict[str, DataType]:
        return {"output": ScalarType(BasicType.DOUBLE)}

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        return {"output": lowering.add(p.Coalesce(xs=inputs, type=self.outputs()["output"]))}


@dataclass(frozen=True, eq=False)
class MultinomialLabeler(Op):
    """The elements of a vector that are at least a threshold, and their labels (MLeap ``MultinomialLabelerModel``).

    Fails where such an element has no label.

    Attributes:
        threshold: the least value of an element in the result.
        labels: label of each element.
    """

    op: ClassVar[str] = "multinomial_labeler"
    keeps_dimensions: ClassVar[bool] = True
    threshold: float = attribute("double")
    labels: tuple[str, ...] = attribute("list<string>")

    def inputs(self) -> dict[str, DataType]:
        return {"features": doubles(None)}

    def outputs(self) -> dict[str, DataType]:
        return {
            "probabilities": ListType(BasicType.DOUBLE, nullable=False),
            "labels": ListType(BasicType.STRING, nullable=False),
        }

    def computed_ports(self) -> tuple[str, ...]:
        return tuple(self.outputs())

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        types = self.outputs()
        given: dict[str, Any] = {"x": inputs[0], "threshold": self.threshold, "limit": len(self.labels)}
        numbers = types["probabilities"]
        results: dict[str, Expr] = {}
        if "probabilities" in wanted:
            results["probabilities"] = lowering.add(p.ElementsAtLeast(**given, gives="elements", type=numbers))
        if "labels" in wanted:
            positions = lowering.add(p.ElementsAtLeast(**given, gives="positions", type=numbers))
            results["labels"] = lowering.add(p.Label(x=positions, labels=self.labels, type=types["labels"]))
        return results
