"""SQL queries that add the results of a function to the columns of a view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leapstream.errors import SchemaError
from leapstream.escaping import sql_name
from leapstream.executors.jvm.jar import CompiledModel
from leapstream.flink.signature import FunctionSignature


@dataclass(frozen=True)
class FunctionCall:
    """A function that is registered, as queries call it.

    Attributes:
        name: the function's name.
        inputs: the columns that the arguments stand for.
        outputs: the columns of the result.
        packed: scalars may stand for the only argument, an array.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    packed: bool

    @classmethod
    def of_signature(cls, signature: FunctionSignature) -> FunctionCall:
        """The call of a function that this process has registered."""
        return cls(signature.function, signature.inputs.names, signature.outputs.names, signature.packed >= 0)

    @classmethod
    def of_compiled(cls, name: str, model: CompiledModel) -> FunctionCall:
        """The call of a function that is registered as ``name`` from a jar."""
        types = tuple(model.inputs.values())
        packed = len(types) == 1 and types[0].startswith("ARRAY<")
        return cls(name, tuple(model.inputs), tuple(model.outputs), packed)

    def query(self, columns: Sequence[str], view: str) -> str:
        """The query that gives the columns of a view, and then the outputs.

        Raises:
            SchemaError: the columns do not fit the function.
        """
        kept = ", ".join(map(sql_name, columns))
        call = f"{self.name}({', '.join(map(sql_name, self._arguments(columns)))})"
        if len(self.outputs) == 1:
            return f"SELECT {kept}, {call} AS {sql_name(self.outputs[0])} FROM {view}"
        result = sql_name(f"{self.name}_result")
        fields = ", ".join(f"{result}.{sql_name(output)} AS {sql_name(output)}" for output in self.outputs)
        # The condition, which is always true, parts the two projections. to_data_stream would merge them, and so call the
        # function once for each field, even though the function is not deterministic.
        return (
            f"SELECT {kept}, {fields} FROM (SELECT {kept}, {call} AS {result} FROM {view}) WHERE {result} IS NOT NULL"
        )

    def _arguments(self, columns: Sequence[str]) -> Sequence[str]:
        clash = [name for name in self.outputs if name in columns]
        if clash:
            raise SchemaError(f"{self}: the stream has a column {clash[0]!r} already")
        if all(name in columns for name in self.inputs):
            return self.inputs
        if not any(name in columns for name in self.inputs) and (len(columns) == len(self.inputs) or self.packed):
            return columns
        missing = [name for name in self.inputs if name not in columns]
        raise SchemaError(f"{self}: the stream has no column {missing[0]!r}; its columns are {list(columns)}")

    def __str__(self) -> str:
        return f"{self.name}({', '.join(self.inputs)}) -> {', '.join(self.outputs)}"
