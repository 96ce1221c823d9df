"""TensorFlow graphs (``mleap-tensorflow``); running them needs the ``tensorflow`` extra."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from leapstream.bundle import values
from leapstream.bundle.definition import ModelDef
from leapstream.bundle.types import BasicType, DataShape, DataType, TensorType
from leapstream.errors import UnsupportedOpError
from leapstream.ops.base import Op, attribute, require
from leapstream.ops.lowering import Lowering
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Expr

_FILES = {"graph": "graph.pb", "saved_model": "saved_model.zip"}


@dataclass(frozen=True, eq=False)
class TensorFlowModel(Op):
    """A TensorFlow graph (MLeap ``TensorflowModel``); only the vectorized executor has it.

    It runs row by row; or with many rows in one call, where the first dimension of all of its inputs is free, and it consists of
    operations that are known to compute each row by itself.

    Ports have the names of the graph's tensors, ``name`` or ``name:0``. A tensor of MLeap's type byte is ``uint8`` in TensorFlow.

    Attributes:
        input_names, input_types, input_shapes: the tensors that are fed.
        output_names, output_types, output_shapes: the tensors that are fetched.
        nodes: names of further operations to run.
        format: ``graph``, a frozen graph, which is the default; or ``saved_model``, a zipped directory.
        graph: the frozen graph, or the zip.
    """

    op: ClassVar[str] = "tensorflow"
    input_names: tuple[str, ...] = attribute("list<string>")
    input_types: tuple[BasicType, ...] = attribute("list<basic_type>")
    input_shapes: tuple[DataShape, ...] = attribute("list<data_shape>")
    output_names: tuple[str, ...] = attribute("list<string>")
    output_types: tuple[BasicType, ...] = attribute("list<basic_type>")
    output_shapes: tuple[DataShape, ...] = attribute("list<data_shape>")
    graph: bytes = attribute("file")
    nodes: tuple[str, ...] | None = attribute("list<string>", default=None)
    format: Literal["graph", "saved_model"] | None = attribute("string", default=None)

    @classmethod
    def read(cls, model: ModelDef, where: str) -> Op:
        """Read the attributes as declared, and the graph from the file that ``format`` determines."""
        given = model.attributes.get("format")
        form = "graph" if given is None else values.get_scalar(given, "string")
        if form not in _FILES:
            raise UnsupportedOpError(f"format {form!r} is none of {', '.join(_FILES)}, the only ones that MLeap has")
        require(_FILES[form] in model.files, f"its file {_FILES[form]!r} is missing")
        files = {**model.files, "graph": model.files[_FILES[form]]}
        return super().read(ModelDef(model.op, model.attributes, files=files), where)

    def to_model(self) -> ModelDef:
        model = super().to_model()
        model.files = {_FILES[self.format or "graph"]: self.graph}
        return model

    def __post_init__(self) -> None:
        require(self.format is None or self.format in _FILES, f"format {self.format!r} is none of {', '.join(_FILES)}")
        for kind in ("input", "output"):
            names = getattr(self, f"{kind}_names")
            types, shapes = getattr(self, f"{kind}_types"), getattr(self, f"{kind}_shapes")
            require(len(names) == len(types) == len(shapes), f"there is not one type and shape per {kind}")
            require(len(set(names)) == len(names), f"two {kind}s have one name")
            require(all(shape.base == "tensor" for shape in shapes), f"an {kind} is not a tensor")
        require(len(self.output_names) > 0, "there are no outputs")

    def inputs(self) -> dict[str, DataType]:
        return _ports(self.input_names, self.input_types, self.input_shapes)

    def outputs(self) -> dict[str, DataType]:
        return _ports(self.output_names, self.output_types, self.output_shapes)

    def lower(self, lowering: Lowering, *inputs: Expr, wanted: frozenset[str]) -> Mapping[str, Expr]:
        fetches = tuple(name for name in self.output_names if name in wanted)
        form: Literal["graph", "saved_model"] = self.format or "graph"
        graph = p.Graph(self.graph, form, self.input_names, fetches, self.nodes or ())
        types = self.outputs()
        return {
            name: lowering.add(p.TensorFlow(xs=inputs, graph=graph, fetch=i, type=types[name]))
            for i, name in enumerate(fetches)
        }


def _ports(names: tuple[str, ...], types: tuple[BasicType, ...], shapes: tuple[DataShape, ...]) -> dict[str, DataType]:
    return {
        name: TensorType(basic, shape.dimensions, nullable=False)
        for name, basic, shape in zip(names, types, shapes, strict=True)
    }
