"""Collects the statements of a Python function while the expressions of a plan are written one after the other.

A vector of few elements is a variable per element, and becomes a list only where a list is needed; a longer one is a list. A long
vector with few elements that are not 0 is a dict.
Data of a bundle (labels, weights, names of columns) reaches the function as objects of its namespace, never as source.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, SupportsFloat

import numpy as np

from leapstream.bundle.types import BasicType, DataType, MapType, ScalarType, TensorType
from leapstream.executors.contract import PreparedPlan
from leapstream.executors.implementing import Implementation
from leapstream.executors.rowwise import runtime
from leapstream.plan.graph import Doubles, Plan
from leapstream.plan.primitives import Affine, Concat, Expr, FloatFeatures, Trees

MOST_VARIABLES = 64
"""Vectors of more elements are lists."""

MOST_ELEMENTS = 1 << 22
"""Vectors of more elements are left to arrays, whose elements take less memory than those of lists."""


class ArraysOnlyError(Exception):
    """Only the executor of batches can compute an expression; the text names it."""


class TooLongError(Exception):
    """A vector is too long for a list."""

    def __init__(self, size: int) -> None:
        super().__init__(f"a list of {size} elements")


def is_vector(data_type: DataType) -> bool:
    """True for vectors of doubles, which are lists; all other tensors are :class:`~leapstream.bundle.tensor.Tensor`."""
    return (
        isinstance(data_type, TensorType)
        and data_type.base is BasicType.DOUBLE
        and (data_type.dimensions is None or len(data_type.dimensions) == 1)
    )


@dataclass(frozen=True, eq=False)
class Unpicked:
    """Features of single precision that the kernel of trees computes.

    Attributes:
        features: the features.
        vector: the elements of the vector that ``features`` reads, or the variable of a list of them.
    """

    features: FloatFeatures
    vector: list[str] | str


class Writer:
    """The function of a plan in the making.

    Attributes:
        saved_by_kernels: the estimated nanoseconds that kernels would save for each record, if the function may not call them.
        unpicked: by the identity of a ``FloatFeatures`` that only trees read.
        seconds: by name of a node, if the function is timed.
    """

    def __init__(
        self, plan: Plan, prepare: Callable[[Plan], PreparedPlan], layouts: dict[int, Any], kernels: bool
    ) -> None:
        """A function without statements.

        Args:
            plan: the plan.
            prepare: prepares plans for the executor of batches.
            layouts: the data that an earlier function of the plan uses, by the identity of the expression.
            kernels: true if the function may call compiled kernels.
        """
        self.plan = plan
        self.prepare = prepare
        self.layouts = layouts
        self.kernels = kernels
        self.saved_by_kernels = 0.0
        self.unpicked: dict[int, Unpicked] = {}
        self.seconds: dict[str, float] = {}
        self._last = 0.0
        self.namespace: dict[str, Any] = {"unusual": runtime.unusual, "math": math}
        self._constants: dict[int, str] = {}
        self.lines: list[str] = []
        self._names = 0
        self._values: dict[int, str] = {}
        self._elements: dict[int, list[str]] = {}
        self._sparse: dict[int, tuple[str, int]] = {}
        self._stored: dict[int, str] = {}
        self._outputs = {id(output) for _, output in plan.outputs}

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

    def view(self, values: Doubles) -> str:
        """A name that stands for doubles of which a record reads a few; no list of them is made."""
        return self.constant(np.ascontiguousarray(values, dtype=np.float64).data)

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

    def define_sparse(self, expr: Expr, name: str, size: int) -> None:
        """Let a vector of ``size`` elements be the variable of a dict of element to value, in ascending order of elements."""
        self._sparse[id(expr)] = name, size

    def define_sparse_each(self, expr: Expr, x: Expr, value: str) -> None:
        """Let a vector be a dict with something of each element ``x`` at a place ``i`` of another dict."""
        name, size = self._sparse[id(x)]
        result = self.variable()
        self.line(f"{result} = {{i: {value} for i, x in {name}.items()}}")
        self.define_sparse(expr, result, size)

    def define_sparse_values(self, expr: Expr, x: Expr, values: str) -> None:
        """Let a vector be a dict with other values at the places of another dict."""
        name, size = self._sparse[id(x)]
        result = self.variable()
        self.line(f"{result} = dict(zip({name}, {values}, strict=True))")
        self.define_sparse(expr, result, size)

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
        if id(other) in self._sparse:
            self._sparse[id(expr)] = self._sparse[id(other)]

    def optional(self, expr: Expr) -> str:
        """The variable of a number or string; its value is ``None`` where the value is missing."""
        return self._values[id(expr)]

    def present(self, expr: Expr) -> str:
        """Like :meth:`optional`, but the function raises :class:`UnusualRecordError` where the value is missing."""
        name = self._values[id(expr)]
        if expr.type.nullable:
            self.line(f"if {name} is None: unusual()")
        return name

    def require_present(self, expr: Expr) -> None:
        """Raise :class:`UnusualRecordError` where a value of any type is missing."""
        if expr.type.nullable and id(expr) in self._values:
            self.line(f"if {self._values[id(expr)]} is None: unusual()")

    def elements(self, expr: Expr) -> list[str] | None:
        """The variables of a vector's elements; ``None`` where it is a list."""
        return self._elements.get(id(expr))

    def sparse(self, expr: Expr) -> tuple[str, int] | None:
        """The variable of a vector's elements by place, and the vector's size; ``None`` where it is not held so."""
        return self._sparse.get(id(expr))

    def listed(self, expr: Expr) -> str:
        """The variable of a vector as a list."""
        self._list(expr)
        return self.present(expr)

    def value(self, expr: Expr) -> str:
        """The variable of anything, a vector as a list."""
        self._list(expr)
        return self._values[id(expr)]

    def _list(self, expr: Expr) -> None:
        if id(expr) in self._values:
            return
        if id(expr) in self._elements:
            self.define(expr, f"[{', '.join(self._elements[id(expr)])}]")
            return
        name, size = self._sparse[id(expr)]
        if size > MOST_ELEMENTS:
            raise TooLongError(size)
        self.define(expr, self.call(runtime.listed, name, str(size)))

    def stored(self, expr: Expr, value: Callable[[], str]) -> str:
        """The variable that tells which elements of a vector are stored, set to ``value`` when it is first asked for."""
        name = self._stored.get(id(expr))
        if name is None:
            text = value()
            name = self._stored[id(expr)] = self.variable()
            self.line(f"{name} = {text}")
        return name

    @cached_property
    def readers(self) -> dict[int, list[Expr]]:
        """The expressions that read another, in the order of the plan, by its identity."""
        found: dict[int, list[Expr]] = {}
        for reader in self.plan.order:
            for operand in reader.operands:
                found.setdefault(id(operand), []).append(reader)
        return found

    def only_read_by(self, expr: Expr, kind: Callable[[Expr], bool]) -> bool:
        """True if an expression is read, is not an output, and all that read it are of a kind."""
        readers = self.readers.get(id(expr), [])
        return bool(readers) and id(expr) not in self._outputs and all(map(kind, readers))

    def only_trees_read(self, expr: Expr) -> bool:
        """True if an expression is not an output, and only trees read it."""
        return self.only_read_by(expr, lambda reader: isinstance(reader, Trees))

    def zeros_are_equal(self, expr: Expr) -> bool:
        """True if all that is made of a vector is the same for 0.0 and -0.0: in the end, trees test it."""
        return id(expr) in self._with_equal_zeros

    @cached_property
    def _with_equal_zeros(self) -> set[int]:
        found: set[int] = set()

        def equal(reader: Expr) -> bool:
            return isinstance(reader, Trees) or (isinstance(reader, (Affine, Concat)) and id(reader) in found)

        for expr in reversed(self.plan.order):
            if self.only_read_by(expr, equal):
                found.add(id(expr))
        return found

    def expect_size(self, expr: Expr, size: int) -> None:
        """Check the size of a vector where rows decide it."""
        elements = self.elements(expr)
        sparse = self.sparse(expr)
        if sparse is not None:
            if sparse[1] != size:
                raise ArraysOnlyError(f"a vector of {sparse[1]} elements where {size} are expected")
        elif elements is None:
            self.line(f"if len({self.listed(expr)}) != {size}: unusual()")
        elif len(elements) != size:
            raise ArraysOnlyError(f"a vector of {len(elements)} elements where {size} are expected")

    # ---- the whole ----

    def write(
        self,
        primitives: Mapping[type[Expr], Implementation],
        by_arrays: Callable[[Writer, Expr], None],
        *,
        timed: bool = False,
    ) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
        """The function: takes a record, gives the outputs, ``None`` for a dropped row; raises what it cannot do.

        Args:
            primitives: the implementation of each primitive.
            by_arrays: writes a call of the executor of batches, for an expression that its implementation cannot write.
            timed: let the function add the seconds of each node to :attr:`seconds`.

        Raises:
            TooLongError: the plan has a vector that is too long for a list.
        """
        for expr in self.plan.order:
            try:
                primitives[type(expr)].function(self, expr)
            except ArraysOnlyError:
                by_arrays(self, expr)
            if timed and expr.origin is not None:
                self.line(f"lap({self.constant(expr.origin.node)})")
        outputs = [f"{self.constant(name)}: {self._output(expr)}" for name, expr in self.plan.outputs]
        self.line(f"return {{{', '.join(outputs)}}}")
        if timed:
            self.namespace["lap"] = self._lap
            self.lines.insert(0, "lap(None)")
        source = "\n ".join(["def run(record):", *self.lines])
        # The source has names that are made here, and numbers; see above.
        exec(compile(source, f"<model {self.plan.name!r}>", "exec"), self.namespace)
        function: Callable[[Mapping[str, Any]], dict[str, Any]] = self.namespace["run"]
        return function

    def _lap(self, node: str | None) -> None:
        """Count the seconds since the last call for a node."""
        now = time.perf_counter()
        if node is not None:
            self.seconds[node] = self.seconds.get(node, 0.0) + now - self._last
        self._last = time.perf_counter()

    def _output(self, expr: Expr) -> str:
        """An output as a caller gets it: a list of its own, whose elements nobody else changes."""
        if id(expr) in self._elements:
            return f"[{', '.join(self._elements[id(expr)])}]"
        name = self.value(expr)
        if isinstance(expr.type, ScalarType):
            return name
        if isinstance(expr.type, TensorType) and not is_vector(expr.type):
            copied = f"{name}.to_dense().tolist()"
        else:
            copied = f"dict({name})" if isinstance(expr.type, MapType) else f"list({name})"
        return f"None if {name} is None else {copied}" if expr.type.nullable else copied
