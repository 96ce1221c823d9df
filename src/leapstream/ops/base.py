"""The base class of ops: an op declares its attributes and ports, and lowers itself to primitives."""

from __future__ import annotations

import dataclasses
import difflib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass
from importlib.metadata import entry_points
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from leapstream.bundle import values
from leapstream.bundle.definition import ModelDef, Tree, Value
from leapstream.bundle.tensor import Tensor
from leapstream.bundle.types import BasicType, DataShape, DataType
from leapstream.errors import BundleError, UnsupportedOpError
from leapstream.ops.lowering import Lowering
from leapstream.plan.primitives import DOUBLE, Expr
from leapstream.plan.primitives import vector as doubles

REGISTRY: dict[str, type[Op]] = {}
"""The op classes by the names that bundles use."""

ENTRY_POINTS = "leapstream.ops"
"""The group of entry points through which packages add ops; an entry point has the op's name and refers to its class."""

T = TypeVar("T", bound="type[Op]")


def register(cls: T) -> T:
    """Class decorator that adds an op to :data:`REGISTRY`."""
    REGISTRY[cls.op] = cls
    return cls


def find_op(name: str, where: str) -> type[Op]:
    """The op class for a name.

    Raises:
        UnsupportedOpError: neither leapstream nor an installed package has the op. The message begins with ``where`` and
            names the nearest known op.
    """
    if name not in REGISTRY:
        _load_entry_point(name, where)
    try:
        return REGISTRY[name]
    except KeyError:
        near = difflib.get_close_matches(name, [*REGISTRY, *entry_points(group=ENTRY_POINTS).names], n=1)
        hint = f"; the nearest known op is {near[0]!r}" if near else ""
        raise UnsupportedOpError(f"{where}: unknown op {name!r}{hint}") from None


def _load_entry_point(name: str, where: str) -> None:
    """Register the op that an installed package provides under a name, if there is one."""
    offered = tuple(entry_points(group=ENTRY_POINTS, name=name))
    if not offered:
        return
    found = offered[0]
    package = found.dist.name if found.dist is not None else found.value
    try:
        op = found.load()
    # The package's module may raise any exception when it is imported.
    except Exception as error:
        raise UnsupportedOpError(f"{where}: op {name!r} of package {package!r} cannot be loaded: {error}") from error
    if not (isinstance(op, type) and issubclass(op, Op) and getattr(op, "op", None) == name):
        raise UnsupportedOpError(f"{where}: {found.value} of package {package!r} is not an Op with op = {name!r}")
    register(op)


# ---- attributes -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Codec:
    """A pair of functions that read an attribute's Python value from a bundle and write it."""

    decode: Callable[[Value], Any]
    encode: Callable[[Any], Value]


def _scalar(base: str) -> Codec:
    return Codec(lambda value: values.get_scalar(value, base), lambda data: values.scalar(base, data))


def _list(base: str) -> Codec:
    return Codec(lambda value: tuple(values.get_list(value, base)), lambda data: values.list_of(base, data))


def _tensor_doubles(value: Value | Tensor | None) -> npt.NDArray[np.float64]:
    tensor = values.get_tensor(value) if isinstance(value, Value) else value
    if tensor is None or not tensor.base.is_numeric:
        raise BundleError("a tensor of numbers is expected")
    array = np.ascontiguousarray(tensor.to_dense(), dtype=np.float64)
    array.setflags(write=False)
    return array


def _float_vectors(value: Value) -> tuple[npt.NDArray[np.float32], ...]:
    vectors = [_tensor_doubles(tensor).reshape(-1) for tensor in values.get_list(value, "tensor")]
    with np.errstate(over="ignore"):
        return tuple(vector.astype(np.float32) for vector in vectors)


def _vector(value: Value) -> npt.NDArray[np.float64]:
    return _tensor_doubles(value).reshape(-1)


def _column_major(array: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The matrix that MLeap reads from a tensor: its dimensions are (rows, columns), its values in column-major order."""
    if array.ndim != 2:
        raise BundleError(f"a matrix is expected, and this has {array.ndim} dimensions")
    return array.reshape(-1).reshape(array.shape, order="F")


def _column_major_tensor(matrix: npt.NDArray[np.float64]) -> Tensor:
    return Tensor(BasicType.DOUBLE, matrix.ravel(order="F"), matrix.shape)


CODECS: dict[str, Codec] = {
    "list<float vector>": Codec(
        _float_vectors,
        lambda data: values.list_of("tensor", [Tensor.dense(v, BasicType.FLOAT) for v in data]),
    ),
    **{
        base: _scalar(base)
        for base in ("boolean", "int", "long", "float", "double", "string", "basic_type", "data_shape")
    },
    **{
        f"list<{base}>": _list(base)
        for base in ("boolean", "int", "long", "double", "string", "basic_type", "data_shape")
    },
    "vector": Codec(_vector, lambda data: values.tensor(Tensor.dense(data))),
    "matrix": Codec(
        lambda value: _column_major(_tensor_doubles(value)), lambda data: values.tensor(_column_major_tensor(data))
    ),
    "list<matrix>": Codec(
        lambda value: tuple(_column_major(_tensor_doubles(t)) for t in values.get_list(value, "tensor")),
        lambda data: values.list_of("tensor", [_column_major_tensor(m) for m in data]),
    ),
    "list<vector>": Codec(
        lambda value: tuple(_tensor_doubles(t).reshape(-1) for t in values.get_list(value, "tensor")),
        lambda data: values.list_of("tensor", [Tensor.dense(v) for v in data]),
    ),
}


def attribute(kind: str, *, name: str | None = None, default: Any = MISSING) -> Any:
    """Declare an attribute of an op: a dataclass field, read and written by ``CODECS[kind]``.

    Args:
        kind: a key of :data:`CODECS`; ``"tree"`` or ``"cluster_tree"`` for the tree beside the model; ``"file"`` for the file
            with the attribute's name beside the model; ``"trees"`` for nested models whose names are the attribute's value;
            ``"models"`` for nested models ``model0``, ``model1``, … whose number is the attribute's value.
        name: the attribute's name in a bundle, if it differs from the field's.
        default: the value for a bundle without the attribute; the value ``None`` is not written.
    """
    return dataclasses.field(default=default, metadata={"kind": kind, "name": name})


@dataclass(frozen=True, eq=False)
class Op(ABC):
    """An MLeap op with its attributes, which a bundle calls a model.

    A subclass sets :attr:`op`, declares its attributes with :func:`attribute`, returns the types of its ports, and lowers itself
    to primitives. Two ops are equal when their attributes are equal; NaN equals NaN.
    """

    op: ClassVar[str]

    @abstractmethod
    def inputs(self) -> dict[str, DataType]:
        """The types of the input ports, to which the given columns are cast.

        A port with a nullable type accepts missing values; at any other port a row with a missing value fails.
        """

    @abstractmethod
    def outputs(self) -> dict[str, DataType]:
        """The types of the output ports."""

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
            return tuple(read_nested(model, name, where) for name in values.get_list(value, "string"))
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


def same(a: Any, b: Any) -> bool:
    """True if two attributes are equal: arrays and floats are compared by value, and NaN equals NaN."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return a is not None and b is not None and np.array_equal(a, b, equal_nan=True)
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (a != a and b != b)
    return bool(a == b)


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
