"""Collects the parts of a Java class while the expressions of a plan are emitted one after the other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from leapstream.bundle.types import DataType, TensorType
from leapstream.executors.implementing import Implementation
from leapstream.executors.jvm.emitter.code import (
    BOXES,
    count_bytes,
    double_bytes,
    int_bytes,
    is_primitive,
    java_type,
    text_bytes,
    text_literal,
    unboxed,
)
from leapstream.executors.jvm.sources import KERNELS
from leapstream.plan import primitives as p
from leapstream.plan.graph import Plan
from leapstream.plan.primitives import Expr

# Methods of more than 8000 bytes of code are never compiled to machine code; this much source stays well below.
_CHUNK = 6000


@dataclass(frozen=True)
class JavaField:
    """A public field of a generated class that holds an input or output.

    Attributes:
        name: of the field.
        java_type: ``double``, …, ``String``, ``byte[]``, ``leapstream.runtime.Vec`` (tensors of numbers), ``…ObjectTensor``
            (tensors of longs, strings and byte strings), ``Object[]`` (lists, of boxed elements) or ``java.util.Map``.
        null_field: the boolean field that says whether a number is missing; ``None`` where it never is, and for references,
            which are ``null`` then.
        type: the leap type.
    """

    name: str
    java_type: str
    null_field: str | None
    type: DataType


@dataclass(frozen=True)
class JavaModel:
    """A plan as a Java class, a subclass of ``leapstream.runtime.RowModel``.

    Attributes:
        class_name: fully qualified.
        source: the class.
        data: what the class's ``open`` reads.
        inputs, outputs: the fields, in the order of the plan's inputs and outputs.
    """

    class_name: str
    source: str
    data: bytes
    inputs: tuple[JavaField, ...]
    outputs: tuple[JavaField, ...]

    def renamed(self, name: str) -> JavaModel:
        """A copy under another name in the same package."""
        package, _, old = self.class_name.rpartition(".")
        source = self.source.replace(f"public final class {old} ", f"public final class {name} ", 1)
        return replace(self, class_name=f"{package}.{name}", source=source)


@dataclass
class _Step:
    """The statements of one expression, and the variables they set: name to (type, first value)."""

    variables: dict[str, tuple[str, str]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    @property
    def length(self) -> int:
        return sum(map(len, self.lines)) + 1


class Emitter:
    """Collects the parts of a class while the expressions of a plan are emitted one after the other."""

    def __init__(self, plan: Plan, primitives: Mapping[type[Expr], Implementation], depth: int = 0) -> None:
        self.primitives = primitives
        self.depth = depth
        self.plan = plan
        self.number = {id(expr): i for i, expr in enumerate(plan.order)}
        self.readers: dict[int, list[Expr | None]] = {id(expr): [] for expr in plan.order}
        for expr in plan.order:
            for operand in expr.operands:
                self.readers[id(operand)].append(expr)
        for _, expr in plan.outputs:
            self.readers[id(expr)].append(None)
        self.values: dict[int, str] = {}
        self.nulls: dict[int, str | None] = {}
        self.steps: list[_Step] = []
        self.fields: list[str] = []
        self.opens: list[str] = []
        self.data = bytearray()
        self.places: dict[tuple[str | None, str | None, str | None], int] = {}
        self.inputs = tuple(
            JavaField(f"in{i}", java_type(f.type), _null_field(f"in{i}", f.type), f.type)
            for i, f in enumerate(plan.inputs)
        )
        self.outputs = tuple(
            JavaField(f"out{i}", java_type(expr.type), _null_field(f"out{i}", expr.type), expr.type)
            for i, (_, expr) in enumerate(plan.outputs)
        )

    # -- what the functions of the primitives use --

    def value(self, expr: Expr) -> str:
        """The variable of an expression."""
        return self.values[id(expr)]

    def null(self, expr: Expr) -> str | None:
        """A condition that is true where the expression is missing; ``None`` when it never is."""
        return self.nulls[id(expr)]

    def present(self, expr: Expr) -> str:
        """The variable of an expression that has to be there; the row fails where it is not."""
        null = self.null(expr)
        if null is not None:
            self.place(self.current)
            self.line(f"if ({null}) throw Failures.missingValue();")
        return self.value(expr)

    def vector(self, expr: Expr) -> str:
        """The variable of a vector that has to be there; a tensor of other dimensions fails."""
        name = self.present(expr)
        matrix = isinstance(expr.type, TensorType) and len(expr.type.dimensions or (1,)) != 1
        if matrix or isinstance(expr, (p.Input, p.Cast, p.NotNull)):
            self.place(self.current)
            self.line(f"Vectors.requireVector({name});")
        return name

    def define(self, expr: Expr, value: str, null: str | None = None) -> None:
        """Set a new variable of an expression to a Java expression."""
        java = java_type(expr.type)
        name = self.variable("", java)
        self.line(f"{name} = {value};")
        self.alias(expr, name, null)

    def alias(self, expr: Expr, name: str, null: str | None = None) -> None:
        """Say which variable holds an expression; a reference that its type lets be missing is null then."""
        self.values[id(expr)] = name
        if null is None and expr.type.nullable and not is_primitive(expr.type):
            null = f"{name} == null"
        self.nulls[id(expr)] = null

    def variable(self, suffix: str, java: str) -> str:
        """A new variable of the expression that is emitted."""
        name = f"v{self.number[id(self.current)]}{suffix}"
        first = "false" if java == "boolean" else "0" if java in BOXES else "null"
        self.steps[-1].variables[name] = java, first
        return name

    def line(self, text: str) -> None:
        self.steps[-1].lines.append(text)

    def place(self, expr: Expr) -> None:
        """Say where what follows fails."""
        origin = expr.origin
        key = (None, None, None) if origin is None else (origin.node, origin.op, origin.column)
        self.line(f"at = {self.places.setdefault(key, len(self.places))};")

    def buffer(self) -> str:
        """A new vector that the class owns."""
        name = f"b{len(self.fields)}"
        self.fields.append(f"private transient Vec {name};")
        self.opens.append(f"{name} = new Vec();")
        return name

    def doubles(self, values: npt.NDArray[np.float64]) -> str:
        """An array that the class reads."""
        return self.resource("double[]", "Data.readDoubles(data)", double_bytes(values))

    def ints(self, values: npt.ArrayLike) -> str:
        """An array of ints that the class reads."""
        return self.resource("int[]", "Data.readInts(data)", int_bytes(np.asarray(values, dtype=np.int64)))

    def resource(self, java: str, read: str, data: bytes) -> str:
        """A field that the class sets from its data."""
        name = f"r{len(self.fields)}"
        self.fields.append(f"private transient {java} {name};")
        self.opens.append(f"{name} = {read};")
        self.data += data
        return name

    def nested(self, plan: Plan) -> tuple[str, JavaModel]:
        """A field with the model of another plan, an object of a class inside of this one; and that model."""
        inner = Emitter(plan, self.primitives, self.depth + 1)
        model = inner.emit(f"Plan{self.depth}x{len(self.fields)}")
        self.fields.append(model.source.split("\n", 1)[1].replace("public final class", "public static final class", 1))
        name = self.resource(model.class_name, f"new {model.class_name}()", b"")
        self.opens.append(f"{name}.open(data);")
        self.data += model.data
        return name, model

    # -- the whole --

    def emit(self, class_name: str) -> JavaModel:
        for expr in self.plan.order:
            self.current = expr
            self.steps.append(_Step())
            self.primitives[type(expr)].function(self, expr)
        for (_, expr), out in zip(self.plan.outputs, self.outputs, strict=True):
            lines = [f"{out.name} = {self.value(expr)};"]
            if out.null_field is not None:
                lines.append(f"{out.null_field} = {self.null(expr) or 'false'};")
            self.steps.append(_Step(lines=lines))
        package, _, simple = class_name.rpartition(".")
        run = self._run()
        body = [
            "private static final long serialVersionUID = 1L;",
            *(f"public {f.java_type} {f.name};" for f in (*self.inputs, *self.outputs)),
            *(f"public boolean {f.null_field};" for f in (*self.inputs, *self.outputs) if f.null_field is not None),
            *self.fields,
            *self._open(),
            *run,
            *self._accessors("void setInput(int i, Object value)", "i, value", map(self._set, range(len(self.inputs)))),
            *self._accessors("Object getOutput(int i)", "i", map(self._get, range(len(self.outputs)))),
        ]
        head = [f"package {package};"] if package else []
        source = "\n".join(
            [
                *head,
                f"import {KERNELS}.*;",
                f"public final class {simple} extends RowModel {{",
                *body,
                "}",
                "",
            ]
        )
        places = text_bytes(self.plan.name) + count_bytes(self.places)
        places += b"".join(text_bytes(part) for key in self.places for part in key)
        return JavaModel(class_name, source, places + bytes(self.data), self.inputs, self.outputs)

    def _open(self) -> list[str]:
        parts = [self.opens[i : i + 200] for i in range(0, len(self.opens), 200)]
        signature = "(java.io.DataInputStream data) throws java.io.IOException {"
        lines = [f"public void open{signature}", "readPlaces(data);"]
        lines += [*(f"open{i}(data);" for i in range(len(parts))), "}"]
        for i, part in enumerate(parts):
            lines += [f"private void open{i}{signature}", *part, "}"]
        return lines

    def _run(self) -> list[str]:
        """The statements in methods of moderate size; what one method sets and another reads is a field."""
        chunks: list[list[_Step]] = [[]]
        length = 0
        for step in self.steps:
            if length + step.length > _CHUNK and chunks[-1]:
                chunks.append([])
                length = 0
            chunks[-1].append(step)
            length += step.length
        used = [{name for s in chunk for line in s.lines for name in _VARIABLE.findall(line)} for chunk in chunks]
        methods: list[str] = []
        for i, chunk in enumerate(chunks):
            elsewhere = set().union(*(names for j, names in enumerate(used) if j != i))
            methods += [f"private boolean run{i}() {{", "int at = 0;", "try {"]
            place = ""
            for step in chunk:
                for name, (java, first) in step.variables.items():
                    if name in elsewhere:
                        self.fields.append(f"private transient {java} {name};")
                    elif name in used[i]:
                        methods.append(f"{java} {name} = {first};")
                for line in step.lines:
                    if line.startswith("at = "):
                        if line == place:
                            continue
                        place = line
                    methods.append(line)
            methods += ["} catch (RowFailure failure) {", "throw located(failure, at);", "}", "return true;", "}"]
        calls = " && ".join(f"run{i}()" for i in range(len(chunks)))
        return ["public boolean run() {", f"return {calls};", "}", *methods]

    @staticmethod
    def _accessors(signature: str, arguments: str, cases: Iterable[str]) -> list[str]:
        """A method that switches over ``i``, in parts so that none is too long."""
        result, rest = signature.split(" ", 1)
        name, parameters = rest.split("(", 1)
        listed = list(cases)
        back = "" if result == "void" else "return "
        leave = " return;" if result == "void" else ""
        parts = range(0, len(listed), 200)
        lines = [f"public {signature} {{"]
        lines += [f"if (i < {start + 200}) {{ {back}{name}{start}({arguments});{leave} }}" for start in parts]
        lines += ["throw new IndexOutOfBoundsException(String.valueOf(i));", "}"]
        for start in parts:
            lines += [f"private {result} {name}{start}({parameters} {{", "switch (i) {"]
            for i, case in enumerate(listed[start : start + 200], start):
                lines += [f"case {i}:", case + leave]
            lines += ["default:", "throw new IndexOutOfBoundsException(String.valueOf(i));", "}", "}"]
        return lines

    def _set(self, i: int) -> str:
        f = self.inputs[i]
        name = self.plan.inputs.fields[i].name
        if f.null_field is not None:
            return f"{f.null_field} = value == null; if (value != null) {f.name} = {unboxed('value', f.java_type)};"
        check = "" if f.type.nullable else f"if (value == null) throw missing({text_literal(name)}); "
        return f"{check}{f.name} = {unboxed('value', f.java_type)};"

    def _get(self, i: int) -> str:
        f = self.outputs[i]
        if f.java_type not in BOXES:
            return f"return {f.name};"
        boxed = f"{BOXES[f.java_type]}.valueOf({f.name})"
        return f"return {boxed};" if f.null_field is None else f"return {f.null_field} ? null : (Object) {boxed};"


_VARIABLE = re.compile(r"\bv\d+\w*")


def _null_field(name: str, data_type: DataType) -> str | None:
    return f"{name}Null" if data_type.nullable and is_primitive(data_type) else None
