"""The base class of ops: an op declares its attributes and ports, and lowers itself to primitives."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass
from typing import Any, ClassVar

from leapstream.bundle import values
from leapstream.bundle.definition import ModelDef, Tree, Value
from leapstream.bundle.malformed import first_repeated
from leapstream.bundle.types import BasicType, DataShape, DataType
from leapstream.errors import BundleError, UnsupportedOpError
from leapstream.ops.attributes import CODECS, Codec, attribute, same
from leapstream.ops.lowering import Lowering, MissingTexts
from leapstream.ops.registry import Registry
from leapstream.plan.primitives import DOUBLE, Expr
from leapstream.plan.primitives import vector as doubles


@dataclass(frozen=True, eq=False)
class Op(ABC):
    """An MLeap op with its attributes, which a bundle calls a model.

    A subclass sets :attr:`op`, declares its attributes with :func:`attribute`, returns the types of its ports, and lowers itself
    to primitives. Two ops are equal when their attributes are equal; NaN equals NaN.
    """

    op: ClassVar[str]
    keeps_dimensions: ClassVar[bool] = False
    """True if a tensor of several dimensions comes to the op as it is; to other ops it comes as a vector of its elements."""
    missing_texts: ClassVar[MissingTexts] = "zero"
    """Meaning of the texts ``""`` and ``"null"`` at a port for numbers."""

    @abstractmethod
    def inputs(self) -> dict[str, DataType]:
        """The types of the input ports, to which the given columns are cast.

        A port with a nullable type accepts missing values; at any other port a row with a missing value fails.
        """

    @abstractmethod
    def outputs(self) -> dict[str, DataType]:
        """The types of the output ports."""

    def computed_ports(self) -> tuple[str, ...]:
        """The output ports whose values MLeap's runtime puts into a row even if they are not connected.

        It assigns the values to the connected ports by position, so these ports have to be connected.
        """
        return tuple(port for port in self.outputs() if port == "prediction")

    def bundle_ports(self) -> dict[str, str]:
        """The names that bundles have for some ports, by the names here; all versions of MLeap read them."""
        return {}

    def mleap_gap(self) -> str | None:
        """The reason for which a version of MLeap's runtime cannot run the op; ``None`` if all from 0.20.0 on run it."""
        return None

    @abstractmethod
    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        """Add the op's primitives to a plan; returns the expression of each output port.

        Args:
            lowering: the plan that is being built; its ``add`` adds a primitive.
            inputs: an expression per input port, already cast to the port's type.
            wanted: the output ports that the node connects; the result may leave out the others.
        """

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(same(getattr(self, f.name), getattr(other, f.name)) for f in dataclasses.fields(self))

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def from_model(cls, model: ModelDef, where: str) -> Op:
        """Read the op from a bundle's model.

        Args:
            model: a model of this op.
            where: the bundle's and the node's name, for error messages.

        Raises:
            BundleError: an attribute is missing, of another type, or out of range.
            UnsupportedOpError: the model uses a variant of the op that MLeap does not support either.
        """
        try:
            return cls.read(model, where)
        except (UnsupportedOpError, BundleError) as error:
            if str(error).startswith(where):
                raise
            raise type(error)(f"{where}: op {model.op!r}: {error}") from error
        except (ValueError, TypeError, OverflowError, IndexError, AttributeError) as error:
            raise BundleError(f"{where}: op {model.op!r}: {error}") from error

    @classmethod
    def read(cls, model: ModelDef, where: str) -> Op:
        """Make the op from a model's attributes; an op whose attributes depend on each other overrides this method."""
        given: dict[str, Any] = {}
        for f in dataclasses.fields(cls):
            kind, name = f.metadata["kind"], f.metadata["name"] or f.name
            if kind == "file":
                require(name in model.files, f"its file {name!r} is missing")
                given[f.name] = model.files[name]
            elif kind in ("tree", "cluster_tree"):
                given[f.name] = getattr(model, kind)
                if given[f.name] is None:
                    raise BundleError("its tree is missing (tree.json or tree.pb)")
            elif name in model.attributes:
                value = model.attributes[name]
                try:
                    given[f.name] = cls._read_attribute(kind, model, value, where)
                except BundleError as error:
                    raise BundleError(f"attribute {name!r}: {error}") from error
            elif f.default is MISSING:
                raise BundleError(f"attribute {name!r} is missing")
        return cls(**given)

    @staticmethod
    def _read_attribute(kind: str, model: ModelDef, value: Value, where: str) -> Any:
        if kind == "trees":
            names = values.get_list(value, "string")
            repeated = first_repeated(names)
            require(repeated is None, f"the model {repeated!r} is named twice")
            return tuple(read_nested(model, name, where) for name in names)
        if kind == "models":
            return read_models(model, values.get_scalar(value, "long"), where)
        return CODECS[kind].decode(value)

    def to_model(self) -> ModelDef:
        """The model that represents this op in a bundle."""
        model = ModelDef(self.op)
        for f in dataclasses.fields(self):
            kind, name = f.metadata["kind"], f.metadata["name"] or f.name
            data = getattr(self, f.name)
            if data is None:
                continue
            if kind == "file":
                model.files[name] = data
            elif kind in ("tree", "cluster_tree"):
                setattr(model, kind, data)
            elif kind == "models":
                model.attributes[name] = values.scalar("long", len(data))
                model.models.update(write_models(data))
            elif kind == "trees":
                names = [f"tree{i}" for i in range(len(data))]
                model.models.update((n, tree.to_model()) for n, tree in zip(names, data, strict=True))
                model.attributes[name] = values.list_of("string", names)
            else:
                model.attributes[name] = CODECS[kind].encode(data)
        return model


REGISTRY: Registry[Op] = Registry(Op)  # type: ignore[type-abstract]
"""The op classes by the names that bundles use."""

register = REGISTRY.register
find_op = REGISTRY.find


def read_nested(model: ModelDef, name: str, where: str) -> Op:
    """Read the op of a nested model.

    Raises:
        BundleError, UnsupportedOpError: there is no such model, or it cannot be read.
    """
    if name not in model.models:
        raise BundleError(f"the nested model {name!r} is missing")
    nested = model.models[name]
    here = f"{where}, model {name!r}"
    return find_op(nested.op, here).from_model(nested, here)


def read_models(model: ModelDef, count: int, where: str) -> tuple[Op, ...]:
    """Read the ops of the nested models ``model0``, ``model1``, …"""
    return tuple(read_nested(model, f"model{i}", where) for i in range(count))


def write_models(ops: Iterable[Op]) -> dict[str, ModelDef]:
    """The inverse of :func:`read_models`."""
    return {f"model{i}": op.to_model() for i, op in enumerate(ops)}


# ---- types that ops share ---------------------------------------------------------------------------------------------


def not_null(shape: DataShape, base: BasicType = BasicType.DOUBLE) -> DataType:
    """The data type of ``shape`` with elements of type ``base``, for a port at which missing values fail."""
    return DataShape(shape.base, False, shape.dimensions).of(base)


def require(condition: bool, message: str) -> None:
    """Raise :class:`BundleError` with ``message`` unless ``condition`` is true; ops check their attributes with it."""
    if not condition:
        raise BundleError(message)


__all__ = [
    "DOUBLE",
    "REGISTRY",
    "Codec",
    "Op",
    "Tree",
    "attribute",
    "doubles",
    "find_op",
    "not_null",
    "read_models",
    "register",
    "require",
    "write_models",
]
