"""Turns a plan into a Java class: one function per primitive, statements in the plan's order.

Numbers are Java's primitive types, with a boolean beside them where they may be missing; vectors live in buffers that the class
owns; arrays of parameters are read from a resource when the class is opened, so that the code does not grow with them.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from leapstream.bundle.definition import CATEGORICAL, CATEGORICAL_NOT, CONTINUOUS, LEAF
from leapstream.bundle.types import BasicType, DataType, ListType, MapType, ScalarType, TensorType
from leapstream.errors import BackendError
from leapstream.jvm import PACKAGE
from leapstream.plan import primitives as p
from leapstream.plan.forest import make_forest
from leapstream.plan.plan import Plan
from leapstream.plan.primitives import Expr

# Methods of more than 8000 bytes of code are never compiled to machine code; this much source stays well below.
_CHUNK = 6000
_MISSING = '"a missing value is not allowed here"'


@dataclass(frozen=True)
class JavaField:
    """A public field of a generated class that holds an input or output.

    Attributes:
        name: of the field.
        java_type: ``double``, …, ``String``, ``byte[]``, ``leapstream.runtime.Vec`` (tensors of numbers), ``…Items`` (tensors
            of longs, strings and byte strings), ``Object[]`` (lists, of boxed elements) or ``java.util.Map``.
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


def emit(plan: Plan, class_name: str) -> JavaModel:
    """The Java class of a plan.

    Args:
        plan: what the class computes.
        class_name: fully qualified name that it gets.

    Raises:
        BackendError: the plan has a primitive that the table :data:`PRIMITIVES` lacks.
    """
    return _Emitter(plan).emit(class_name)


# ---- types ------------------------------------------------------------------------------------------------------------

LETTERS: dict[BasicType, str] = {
    BasicType.BOOLEAN: "z",
    BasicType.BYTE: "b",
    BasicType.SHORT: "s",
    BasicType.INT: "i",
    BasicType.LONG: "l",
    BasicType.FLOAT: "f",
    BasicType.DOUBLE: "d",
    BasicType.STRING: "t",
    BasicType.BYTE_STRING: "x",
}
_BOXES = {
    "boolean": "Boolean",
    "byte": "Byte",
    "short": "Short",
    "int": "Integer",
    "long": "Long",
    "float": "Float",
    "double": "Double",
}
_SCALARS = {base: base.value for base in BasicType} | {BasicType.STRING: "String", BasicType.BYTE_STRING: "byte[]"}
_TEXTS = (BasicType.STRING, BasicType.BYTE_STRING)


def java_type(data_type: DataType) -> str:
    """The Java type that holds values of a leap type."""
    if isinstance(data_type, ScalarType):
        return _SCALARS[data_type.base]
    if isinstance(data_type, TensorType):
        return f"{PACKAGE}.{'Items' if _in_items(data_type) else 'Vec'}"
    return "Object[]" if isinstance(data_type, ListType) else "java.util.Map"


def _in_items(data_type: DataType) -> bool:
    return data_type.base in (*_TEXTS, BasicType.LONG)


def _is_primitive(data_type: DataType) -> bool:
    return isinstance(data_type, ScalarType) and data_type.base not in _TEXTS


def _unboxed(value: str, java: str) -> str:
    return f"(({_BOXES[java]}) {value}).{java}Value()" if java in _BOXES else f"({java}) {value}"


def _double(value: float) -> str:
    """A literal."""
    if math.isnan(value):
        return "Double.NaN"
    if math.isinf(value):
        return "Double.POSITIVE_INFINITY" if value > 0 else "Double.NEGATIVE_INFINITY"
    return repr(float(value))


def _text(value: str) -> str:
    """A literal; JSON's escapes are Java's."""
    return json.dumps(value)


# ---- the class --------------------------------------------------------------------------------------------------------


@dataclass
class _Step:
    """The statements of one expression, and the variables they set: name to (type, first value)."""

    variables: dict[str, tuple[str, str]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    @property
    def length(self) -> int:
        return sum(map(len, self.lines)) + 1


class _Emitter:
    """Collects the parts of a class while the expressions of a plan are emitted one after the other."""

    def __init__(self, plan: Plan) -> None:
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
            self.line(f"if ({null}) throw new Refusal({_MISSING});")
        return self.value(expr)

    def vector(self, expr: Expr) -> str:
        """The variable of a vector that has to be there; a tensor of other dimensions fails."""
        name = self.present(expr)
        if isinstance(expr, (p.Input, p.Cast, p.NotNull)):
            self.place(self.current)
            self.line(f"Vecs.vector({name});")
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
        if null is None and expr.type.nullable and not _is_primitive(expr.type):
            null = f"{name} == null"
        self.nulls[id(expr)] = null

    def variable(self, suffix: str, java: str) -> str:
        """A new variable of the expression that is emitted."""
        name = f"v{self.number[id(self.current)]}{suffix}"
        first = "false" if java == "boolean" else "0" if java in _BOXES else "null"
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
        return self.resource("double[]", "Data.readDoubles(data)", _doubles(values))

    def resource(self, java: str, read: str, data: bytes) -> str:
        """A field that the class sets from its data."""
        name = f"r{len(self.fields)}"
        self.fields.append(f"private transient {java} {name};")
        self.opens.append(f"{name} = {read};")
        self.data += data
        return name

    # -- the whole --

    def emit(self, class_name: str) -> JavaModel:
        for expr in self.plan.order:
            if type(expr) not in PRIMITIVES:
                raise BackendError(f"the jvm backend has no primitive {type(expr).__name__}")
            self.current = expr
            self.steps.append(_Step())
            PRIMITIVES[type(expr)](self, expr)
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
                f"import {PACKAGE}.*;",
                f"public final class {simple} extends RowModel {{",
                *body,
                "}",
                "",
            ]
        )
        places = _string(self.plan.name) + _count(self.places)
        places += b"".join(_string(part) for key in self.places for part in key)
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
            methods += ["} catch (Refusal refusal) {", "throw located(refusal, at);", "}", "return true;", "}"]
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
            return f"{f.null_field} = value == null; if (value != null) {f.name} = {_unboxed('value', f.java_type)};"
        check = "" if f.type.nullable else f"if (value == null) throw missing({_text(name)}); "
        return f"{check}{f.name} = {_unboxed('value', f.java_type)};"

    def _get(self, i: int) -> str:
        f = self.outputs[i]
        if f.java_type not in _BOXES:
            return f"return {f.name};"
        boxed = f"{_BOXES[f.java_type]}.valueOf({f.name})"
        return f"return {boxed};" if f.null_field is None else f"return {f.null_field} ? null : (Object) {boxed};"


_VARIABLE = re.compile(r"\bv\d+\w*")


def _null_field(name: str, data_type: DataType) -> str | None:
    return f"{name}Null" if data_type.nullable and _is_primitive(data_type) else None


# ---- data -------------------------------------------------------------------------------------------------------------


def _count(items: Any) -> bytes:
    return struct.pack(">i", len(items))


def _doubles(values: npt.NDArray[Any]) -> bytes:
    flat = np.ascontiguousarray(values).reshape(-1)
    return _count(flat) + flat.astype(">f8").tobytes()


def _ints(values: npt.NDArray[Any]) -> bytes:
    return _count(values) + values.astype(">i4").tobytes()


def _string(text: str | None) -> bytes:
    if text is None:
        return struct.pack(">i", -1)
    # Pairs of surrogates that stand alone are Java strings too.
    data = text.encode("utf-16-be", "surrogatepass")
    return struct.pack(">i", len(data) // 2) + data


def _labels(labels: tuple[str, ...]) -> bytes:
    return _count(labels) + b"".join(map(_string, labels))


def _forest(expr: p.Trees) -> bytes:
    """The trees as ``leapstream.runtime.Forest`` reads them."""
    forest = make_forest(expr)
    kind = forest.kind
    # Sorted for a binary search; the trees keep their own order.
    for node in np.flatnonzero(kind >= CATEGORICAL):
        forest.data[forest.data_start[node] : forest.data_end[node]].sort()
    parts = [
        _ints(forest.root),
        _ints(np.where(kind == LEAF, -1, np.where(kind == CONTINUOUS, forest.feature, -2 - forest.feature))),
        _doubles(forest.threshold),
        _ints(np.where(kind == LEAF, forest.data_start, forest.right)),
        _ints(forest.data_start),
        _ints(forest.data_end),
        _ints((kind != CATEGORICAL_NOT).astype(np.int32)),
        _doubles(forest.data),
        _doubles(forest.weights),
    ]
    return b"".join(parts)


# ---- inputs, types and missing values ---------------------------------------------------------------------------------


def _input(e: _Emitter, expr: p.Input) -> None:
    f = e.inputs[e.plan.inputs.names.index(expr.name)]
    e.alias(expr, f.name, f.null_field)


def _not_null(e: _Emitter, expr: p.NotNull) -> None:
    e.alias(expr, e.present(expr.x))


def _impute(e: _Emitter, expr: p.Impute) -> None:
    x = e.value(expr.x)
    null = e.null(expr.x)
    hole = f"{x} != {x} || {x} == {_double(expr.missing)}"
    if null is not None:
        hole = f"{null} || {hole}"
    e.define(expr, f"{hole} ? {_double(expr.surrogate)} : {x}")


def _cast(e: _Emitter, expr: p.Cast) -> None:
    given, wanted = expr.x.type, expr.type
    if given.nullable and not wanted.nullable:
        e.present(expr.x)
    e.place(expr)
    _CASTS[type(given), type(wanted)](e, expr)


def _null_of(e: _Emitter, expr: p.Cast) -> str | None:
    return e.null(expr.x) if expr.type.nullable else None


def _or_null(e: _Emitter, expr: p.Cast, value: str) -> str:
    null = _null_of(e, expr)
    return value if null is None else f"{null} ? null : {value}"


def _letters(expr: p.Cast) -> str:
    return f"'{LETTERS[expr.x.type.base]}', '{LETTERS[expr.type.base]}'"


def _cast_scalar(e: _Emitter, expr: p.Cast) -> None:
    given, wanted, x = expr.x.type.base, expr.type.base, e.value(expr.x)
    null = _null_of(e, expr)
    if given == wanted:
        e.alias(expr, x, null)
    elif given is BasicType.STRING:
        _parse(e, expr, x, null)
    elif wanted is BasicType.STRING:
        if given is BasicType.BOOLEAN:
            text = f'({x} ? "1" : "0")'
        else:
            box = "Integer" if given in (BasicType.BYTE, BasicType.SHORT) else _BOXES[given.value]
            text = f"{box}.toString({x})"
        e.define(expr, _or_null(e, expr, text))
    elif wanted is BasicType.BOOLEAN:
        e.define(expr, f"{x} != 0", null)
    else:
        number = f"({x} ? 1 : 0)" if given is BasicType.BOOLEAN else x
        e.define(expr, f"({wanted.value}) {number}", null)


def _parse(e: _Emitter, expr: p.Cast, x: str, null: str | None) -> None:
    """The string ``x`` as a number or boolean."""
    java = expr.type.base.value
    parsed = f"Casts.parse{java.capitalize()}({x})"
    hole = None if expr.type.base is BasicType.BOOLEAN else f"Casts.isHole({x})"
    if expr.type.nullable:
        missing = " || ".join(part for part in (null, hole) if part is not None)
        if missing:
            flag = e.variable("n", "boolean")
            e.line(f"{flag} = {missing};")
            e.define(expr, f"{flag} ? {_zero(java)} : {parsed}", flag)
            return
    e.define(expr, parsed if hole is None else f"{hole} ? {_zero(java)} : {parsed}")


def _zero(java: str) -> str:
    return "false" if java == "boolean" else f"({java}) 0"


def _cast_scalar_to_tensor(e: _Emitter, expr: p.Cast) -> None:
    java = java_type(expr.x.type)
    x = f"{_BOXES[java]}.valueOf({e.value(expr.x)})" if java in _BOXES else e.value(expr.x)
    element = f"Casts.element({x}, {_letters(expr)})"
    if _in_items(expr.type):
        value = f"Casts.scalarToItems({element})"
    else:
        value = f"Casts.scalarToVec(Casts.unbox({element}), {e.buffer()})"
    e.define(expr, _or_null(e, expr, value))


def _cast_tensor_to_scalar(e: _Emitter, expr: p.Cast) -> None:
    given, x = expr.x.type, e.value(expr.x)
    first = f"Casts.first({x})" if _in_items(given) else f"Casts.first({x}, '{LETTERS[given.base]}')"
    boxed = e.variable("x", "Object")
    e.line(f"{boxed} = {_or_null(e, expr, first)};")
    null = f"{boxed} == null" if expr.type.nullable else None
    if given.base is BasicType.STRING and expr.type.base is not BasicType.STRING:
        text = e.variable("t", "String")
        e.line(f"{text} = (String) {boxed};")
        _parse(e, expr, text, null)
        return
    java = java_type(expr.type)
    value = _unboxed(f"Casts.element({boxed}, {_letters(expr)})", java)
    if null is None:
        e.define(expr, value)
    elif java in _BOXES:
        flag = e.variable("n", "boolean")
        e.line(f"{flag} = {null};")
        e.define(expr, f"{flag} ? {_zero(java)} : {value}", flag)
    else:
        e.define(expr, f"{null} ? null : {value}")


def _cast_many(e: _Emitter, expr: p.Cast) -> None:
    """Between lists and tensors, element by element."""
    given, wanted, x = expr.x.type, expr.type, e.value(expr.x)
    vectors = isinstance(given, TensorType) and isinstance(wanted, TensorType) and not _in_items(given)
    # A vector holds its numbers as doubles whatever its basic type is.
    if type(given) is type(wanted) and (given.base == wanted.base or (vectors and wanted.base is BasicType.DOUBLE)):
        e.alias(expr, x)
        return
    kinds = ["list" if isinstance(t, ListType) else "items" if _in_items(t) else "vec" for t in (given, wanted)]
    name = "list" if kinds == ["list", "list"] else f"{kinds[0]}To{kinds[1].capitalize()}"
    buffer = f", {e.buffer()}" if kinds[1] == "vec" else ""
    e.define(expr, _or_null(e, expr, f"Casts.{name}({x}, {_letters(expr)}{buffer})"))


def _cast_map(e: _Emitter, expr: p.Cast) -> None:
    given, wanted = expr.x.type, expr.type
    assert isinstance(given, MapType) and isinstance(wanted, MapType)
    letters = ", ".join(f"'{LETTERS[base]}'" for base in (given.key, given.base, wanted.key, wanted.base))
    e.define(expr, _or_null(e, expr, f"Casts.map({e.value(expr.x)}, {letters})"))


_CASTS: dict[tuple[type, type], Callable[[_Emitter, p.Cast], None]] = {
    (ScalarType, ScalarType): _cast_scalar,
    (ScalarType, TensorType): _cast_scalar_to_tensor,
    (TensorType, ScalarType): _cast_tensor_to_scalar,
    (ListType, ListType): _cast_many,
    (ListType, TensorType): _cast_many,
    (TensorType, ListType): _cast_many,
    (TensorType, TensorType): _cast_many,
    (MapType, MapType): _cast_map,
}


# ---- categories -------------------------------------------------------------------------------------------------------


def _lookup(e: _Emitter, expr: p.Lookup) -> None:
    x = e.value(expr.x)
    labels = e.resource("Labels", "Data.readLabels(data)", _labels(expr.labels))
    null = e.null(expr.x)
    position = e.variable("p", "int")
    if expr.invalid == "keep":
        e.line(f"{position} = {labels}.position({x});")
        e.define(expr, f"{position} < 0 ? {len(expr.labels)} : {position}")
        return
    e.place(expr)
    if null is not None:
        e.line(f'if ({null}) throw new Refusal("the value is missing");')
    e.line(f"{position} = {labels}.position({x});")
    if expr.invalid == "skip":
        e.line(f"if ({position} < 0) return false;")
    else:
        e.line(f'if ({position} < 0) throw new Refusal("unseen label \'" + {x} + "\'");')
    e.define(expr, position)


def _label(e: _Emitter, expr: p.Label) -> None:
    x = e.present(expr.x)
    labels = e.resource("Labels", "Data.readLabels(data)", _labels(expr.labels))
    e.place(expr)
    e.define(expr, f"{labels}.{'label' if isinstance(expr.x.type, ScalarType) else 'labels'}({x})")


def _one_hot(e: _Emitter, expr: p.OneHot) -> None:
    x = e.present(expr.x)
    e.place(expr)
    position = e.variable("p", "int")
    e.line(f"{position} = Vecs.category({x}, {expr.categories}, {'true' if expr.keep else 'false'});")
    if all(isinstance(reader, p.LinearSum) for reader in e.readers[id(expr)]):
        e.alias(expr, position)
    else:
        e.define(expr, f"Vecs.oneHot({position}, {expr.width}, {e.buffer()})")


def _bucketize(e: _Emitter, expr: p.Bucketize) -> None:
    x = e.present(expr.x)
    splits = e.doubles(expr.splits)
    e.place(expr)
    bucket = f"Vecs.bucket({x}, {splits})"
    if expr.invalid == "keep":
        e.define(expr, f"{x} != {x} ? {len(expr.splits) - 1} : {bucket}")
        return
    e.line(
        f"if ({x} != {x}) " + ("return false;" if expr.invalid == "skip" else 'throw new Refusal("the value is NaN");')
    )
    e.define(expr, bucket)


def _binarize(e: _Emitter, expr: p.Binarize) -> None:
    if isinstance(expr.x.type, ScalarType):
        e.define(expr, f"{e.present(expr.x)} > {_double(expr.threshold)} ? 1.0 : 0.0")
    else:
        e.define(expr, f"Vecs.binarize({e.vector(expr.x)}, {_double(expr.threshold)}, {e.buffer()})")


# ---- vectors ----------------------------------------------------------------------------------------------------------


def _concat(e: _Emitter, expr: p.Concat) -> None:
    buffer = e.buffer()
    parts = [e.present(x) if isinstance(x.type, ScalarType) else e.vector(x) for x in expr.xs]
    _fill(e, expr.xs, parts, buffer)
    if not all(isinstance(reader, p.Trees) for reader in e.readers[id(expr)]):
        e.line(f"{buffer}.compress();")
    e.define(expr, buffer)


def _pack(e: _Emitter, expr: p.Pack) -> None:
    buffer = e.buffer()
    _fill(e, expr.xs, [e.present(x) for x in expr.xs], buffer)
    e.define(expr, buffer)


def _fill(e: _Emitter, xs: tuple[Expr, ...], parts: list[str], buffer: str) -> None:
    """Make a buffer a dense vector of numbers and vectors."""
    if all(isinstance(x.type, ScalarType) for x in xs):
        e.line(f"{buffer}.dense({len(parts)});")
        for i, part in enumerate(parts):
            e.line(f"{buffer}.value[{i}] = {part};")
    else:
        e.line(f"{buffer}.dense(0);")
        for part in parts:
            e.line(f"Vecs.append({part}, {buffer});")


def _item(e: _Emitter, expr: p.Item) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    e.define(expr, f"Vecs.item({x}, {expr.index})")


def _affine(e: _Emitter, expr: p.Affine) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    steps = (expr.shift, expr.divisor, expr.factor, expr.offset, expr.fixed)
    arrays = ", ".join("null" if step is None else e.doubles(step) for step in steps)
    keep = "true" if expr.keep_nan else "false"
    e.define(expr, f"Vecs.affine({x}, {expr.size}, {arrays}, {keep}, {e.buffer()})")


def _clip(e: _Emitter, expr: p.Clip) -> None:
    e.define(expr, f"Vecs.clip({e.vector(expr.x)}, {_double(expr.low)}, {_double(expr.high)}, {e.buffer()})")


def _normalize(e: _Emitter, expr: p.Normalize) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    e.define(expr, f"Vecs.normalize({x}, {_double(expr.p)}, {e.buffer()})")


def _dot(e: _Emitter, expr: p.Dot) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    weights = e.doubles(expr.weights)
    e.define(expr, f"Vecs.dot({x}, {weights}, 0, {len(expr.weights)}) + {_double(expr.intercept)}")


def _mat_vec(e: _Emitter, expr: p.MatVec) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    matrix, intercepts = e.doubles(expr.matrix), e.doubles(expr.intercepts)
    e.define(expr, f"Vecs.matVec({x}, {matrix}, {intercepts}, {expr.matrix.shape[1]}, {e.buffer()})")


def _nearest(e: _Emitter, expr: p.Nearest) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    size = expr.centers.shape[1]
    centers = e.doubles(expr.centers)
    norms = e.resource("double[]", f"Vecs.norms({centers}, {size})", b"")
    e.define(expr, f"Vecs.nearest({x}, {centers}, {norms}, {size})")


def _linear_sum(e: _Emitter, expr: p.LinearSum) -> None:
    parts: list[tuple[Expr, str]] = []
    for x in expr.xs:
        if isinstance(x, p.OneHot):
            parts.append((x, f"v{e.number[id(x)]}p"))
        else:
            parts.append((x, e.present(x) if isinstance(x.type, ScalarType) else e.vector(x)))
    e.place(expr)
    weights = e.doubles(np.concatenate([np.zeros(0), *expr.weights]))
    e.define(expr, "0.0")
    total = e.value(expr)
    at = 0
    for (x, name), part in zip(parts, expr.weights, strict=True):
        if isinstance(x, p.OneHot):
            e.line(f"if ({name} < {len(part)}) {total} += {weights}[{at} + {name}];")
        elif isinstance(x.type, ScalarType):
            e.line(f"{total} += {name} * {weights}[{at}];")
        else:
            e.line(f"{total} += Vecs.dot({name}, {weights}, {at}, {len(part)});")
        at += len(part)
    e.line(f"{total} += {_double(expr.intercept)};")


# ---- arithmetic and classes -------------------------------------------------------------------------------------------

_FUNCTIONS: dict[str, str] = {
    "negate": "negate",
    "logistic": "logistic",
    "one_minus": "oneMinus",
    "double": "twice",
    "exp": "exp",
    "reciprocal": "reciprocal",
    "square": "square",
    "normal_cdf": "normalCdf",
    "complementary_log_log": "complementaryLogLog",
    "finite": "finite",
    "open_unit": "openUnit",
    "positive": "positive",
}


def _unary(e: _Emitter, expr: p.Unary) -> None:
    function = f"Functions.{_FUNCTIONS[expr.function]}"
    if isinstance(expr.x.type, ScalarType):
        e.define(expr, f"{function}({e.present(expr.x)})")
        return
    x, buffer = e.vector(expr.x), e.buffer()
    e.line(f"Vecs.copy({x}, {buffer});")
    e.line(f"for (int i = 0; i < {buffer}.size; i++) {buffer}.value[i] = {function}({buffer}.value[i]);")
    e.define(expr, buffer)


def _greater(e: _Emitter, expr: p.Greater) -> None:
    e.define(expr, f"{e.present(expr.x)} > {_double(expr.threshold)} ? 1.0 : 0.0")


def _softmax(e: _Emitter, expr: p.Softmax) -> None:
    e.define(expr, f"Vecs.softmax({e.vector(expr.x)}, {e.buffer()})")


def _normalize_sum(e: _Emitter, expr: p.NormalizeSum) -> None:
    e.define(expr, f"Vecs.normalizeSum({e.vector(expr.x)}, {e.buffer()})")


def _arg_max(e: _Emitter, expr: p.ArgMax) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    thresholds = "null" if expr.thresholds is None else e.doubles(expr.thresholds)
    e.define(expr, f"Vecs.argMax({x}, {thresholds}, {e.buffer()})")


def _trees(e: _Emitter, expr: p.Trees) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    forest = e.resource("Forest", "new Forest(data)", _forest(expr))
    elements = f"Vecs.elements({x}, {e.buffer()}), {x}.size"
    if expr.combine in ("leaf", "votes"):
        e.define(expr, f"{forest}.leaves({elements}, {expr.width}, {e.buffer()})")
    else:
        mean = f" / {_double(len(expr.trees))}" if expr.combine == "mean" else ""
        e.define(expr, f"{forest}.sum({elements}){mean}")


PRIMITIVES: dict[type[Expr], Callable[[_Emitter, Any], None]] = {
    p.Input: _input,
    p.Cast: _cast,
    p.NotNull: _not_null,
    p.Impute: _impute,
    p.Lookup: _lookup,
    p.Label: _label,
    p.OneHot: _one_hot,
    p.Bucketize: _bucketize,
    p.Binarize: _binarize,
    p.Concat: _concat,
    p.Pack: _pack,
    p.Item: _item,
    p.Affine: _affine,
    p.Clip: _clip,
    p.Normalize: _normalize,
    p.Dot: _dot,
    p.MatVec: _mat_vec,
    p.Nearest: _nearest,
    p.LinearSum: _linear_sum,
    p.Unary: _unary,
    p.Greater: _greater,
    p.Softmax: _softmax,
    p.NormalizeSum: _normalize_sum,
    p.ArgMax: _arg_max,
    p.Trees: _trees,
}

__all__ = ["LETTERS", "PRIMITIVES", "JavaField", "JavaModel", "emit", "java_type"]
