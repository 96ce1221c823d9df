"""Collects the statements of a Python function while the expressions of a plan are written one after the other.

A vector of few elements is a variable per element, and becomes a list only where a list is needed; a longer one is a list.
Data of a bundle (labels, weights, names of columns) reaches the function as objects of its namespace, never as source.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, SupportsFloat

from leapstream.bundle.types import ScalarType
from leapstream.executors.implementing import Implementation
from leapstream.executors.rowwise import runtime
from leapstream.plan.graph import Plan
from leapstream.plan.primitives import Expr

MOST_VARIABLES = 64
"""Vectors of more elements are lists."""

MOST_ELEMENTS = 1 << 22
"""Vectors of more elements are left to arrays, whose elements take less memory than those of lists."""


class ArraysOnlyError(Exception):
    """The plan has something that only arrays can compute; the text names it."""


class Writer:
    """The function of a plan in the making."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.namespace: dict[str, Any] = {"unusual": runtime.unusual, "math": math}
        self._constants: dict[int, str] = {}
        self.lines: list[str] = []
        self._names = 0
        self._values: dict[int, str] = {}
        self._elements: dict[int, list[str]] = {}
        self._stored: dict[int, str] = {}

    # ---- what the functions of the primitives use ----

    def variable(self) -> str:
        """A new name."""
        self._names += 1
        return f"v{self._names}"

    def line(self, text: str) -> None:
        """A statement, indented by as much as it begins with blanks."""
        self.lines.append(text)

    def constant(self, value: Any) -> str:
        """A name that stands for an object; an ordinary double stands for itself."""
        if type(value) is float and math.isfinite(value):
            return repr(value) if value >= 0 and math.copysign(1.0, value) > 0 else f"({value!r})"
        name = self._constants.get(id(value))
        if name is None:
            name = self._constants[id(value)] = f"k{len(self._constants)}"
            self.namespace[name] = value
        return name

    def numbers(self, values: Iterable[SupportsFloat]) -> str:
        """A name that stands for a list of doubles."""
        return self.constant([float(value) for value in values])

    def call(self, function: Callable[..., Any], *arguments: str) -> str:
        """A call of a function of :mod:`leapstream.executors.rowwise.runtime` or of :mod:`math`."""
        self.namespace[function.__name__] = function
        return f"{function.__name__}({', '.join(arguments)})"

    def define(self, expr: Expr, value: str) -> None:
        """Let a variable hold an expression: a number, a string or a list. A value that is a variable already needs no other."""
        name = value
        if not value.isidentifier():
            name = self.variable()
            self.line(f"{name} = {value}")
        self._values[id(expr)] = name

    def define_elements(self, expr: Expr, values: Sequence[str]) -> None:
        """Set a variable per element of an expression, or a list where there are too many."""
        if len(values) > MOST_VARIABLES:
            self.define(expr, f"[{', '.join(values)}]")
            return
        names = [value if value.isidentifier() else self.variable() for value in values]
        for name, value in zip(names, values, strict=True):
            if name is not value:
                self.line(f"{name} = {value}")
        self._elements[id(expr)] = names

    def define_each(self, expr: Expr, x: Expr, value: Callable[[str], str]) -> None:
        """Set the elements of an expression to something of each element of a vector."""
        elements = self.elements(x)
        if elements is None:
            self.define(expr, f"[{value('x')} for x in {self.listed(x)}]")
        else:
            self.define_elements(expr, [value(element) for element in elements])

    def alias(self, expr: Expr, other: Expr) -> None:
        """Let an expression be what another is."""
        if id(other) in self._values:
            self._values[id(expr)] = self._values[id(other)]
        if id(other) in self._elements:
            self._elements[id(expr)] = self._elements[id(other)]

    def optional(self, expr: Expr) -> str:
        """The variable of a number or string; its value is ``None`` where the value is missing."""
        return self._values[id(expr)]

    def present(self, expr: Expr) -> str:
        """Like :meth:`optional`, but the function raises :class:`UnusualRecordError` where the value is missing."""
        name = self._values[id(expr)]
        if expr.type.nullable:
            self.line(f"if {name} is None: unusual()")
        return name

    def elements(self, expr: Expr) -> list[str] | None:
        """The variables of a vector's elements; ``None`` where it is a list."""
        return self._elements.get(id(expr))

    def listed(self, expr: Expr) -> str:
        """The variable of a vector as a list."""
        if id(expr) not in self._values:
            self.define(expr, f"[{', '.join(self._elements[id(expr)])}]")
        return self.present(expr)

    def stored(self, expr: Expr, value: Callable[[], str]) -> str:
        """The variable that tells which elements of a vector are stored, set to ``value`` when it is first asked for."""
        name = self._stored.get(id(expr))
        if name is None:
            text = value()
            name = self._stored[id(expr)] = self.variable()
            self.line(f"{name} = {text}")
        return name

    def expect_size(self, expr: Expr, size: int) -> None:
        """Check the size of a vector where rows decide it."""
        elements = self.elements(expr)
        if elements is None:
            self.line(f"if len({self.listed(expr)}) != {size}: unusual()")
        elif len(elements) != size:
            raise ArraysOnlyError(f"a vector of {len(elements)} elements where {size} are expected")

    # ---- the whole ----

    def write(self, primitives: Mapping[type[Expr], Implementation]) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
        """The function: takes a record, gives the outputs, ``None`` for a dropped row; raises what it cannot do.

        Raises:
            ArraysOnlyError: the plan has something that is only computed by arrays.
        """
        for expr in self.plan.order:
            primitives[type(expr)].function(self, expr)
        given = []
        for name, expr in self.plan.outputs:
            vector = id(expr) in self._elements
            value = f"[{', '.join(self._elements[id(expr)])}]" if vector else self._values[id(expr)]
            if not vector and not isinstance(expr.type, ScalarType):
                value = f"list({value})"
            given.append(f"{self.constant(name)}: {value}")
        self.line(f"return {{{', '.join(given)}}}")
        source = "\n ".join(["def run(record):", *self.lines])
        # The source has names that are made here, and numbers; see above.
        exec(compile(source, f"<model {self.plan.name!r}>", "exec"), self.namespace)
        function: Callable[[Mapping[str, Any]], dict[str, Any]] = self.namespace["run"]
        return function
