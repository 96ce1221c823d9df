"""Models that another library runs: TensorFlow graphs, through the ``tensorflow`` extra."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from leapstream.bundle.container import read_files
from leapstream.bundle.limits import Limits
from leapstream.bundle.tensor import NUMPY_DTYPES
from leapstream.bundle.types import BasicType, TensorType
from leapstream.errors import BackendError
from leapstream.executors import failures
from leapstream.executors.columns import Column
from leapstream.executors.implementing import implements
from leapstream.executors.vectorized.graphops import ALLOWED
from leapstream.executors.vectorized.graphrows import computes_rows
from leapstream.executors.vectorized.run import Run
from leapstream.plan import primitives as p

SECONDS = 30.0
"""The time that a graph may take for a row, and to restore its variables: a loop in a graph need not end."""

ROWS = 256
"""The rows that a graph which computes them one by one gets in one call."""

MOST_BYTES = 1 << 30
"""The bytes of a tensor that a graph may compute, where its shape says them before the graph runs."""

_CARRIERS = frozenset({"Const", "Identity", "ReadVariableOp", "RestoreV2", "VarHandleOp", "Variable", "VariableV2"})
"""The operations whose results are stored in the graph's files, which have limits of their own."""

_RESTORES = frozenset({"RestoreV2", "ShardedFilename"})
"""The operations by which a SavedModel reads its own variables."""

_HANDLES = (20, 21)
"""TensorFlow's types of resources and variants: a constant of one stands for an object that a file made up."""


def _tensorflow() -> Any:
    try:
        import tensorflow
    except ImportError as error:
        raise BackendError(
            f"TensorFlow graphs need the library; pip install 'leapstream[tensorflow]' adds it ({error})"
        ) from error
    return tensorflow


class _Session:
    """A graph that is ready to run."""

    def __init__(self, graph: p.Graph) -> None:
        tf = _tensorflow()
        self.tf = tf
        self.feeds = [_tensor(name) for name in graph.feeds]
        self.fetches = [_tensor(name) for name in graph.fetches]
        self.targets = list(graph.targets)
        config = tf.compat.v1.ConfigProto(operation_timeout_in_ms=round(1000 * SECONDS))
        self.session = tf.compat.v1.Session(graph=tf.Graph(), config=config)
        try:
            if graph.format == "graph":
                self._import(graph.data)
            else:
                self._load(graph.data)
            for name in (*self.feeds, *self.fetches):
                self.session.graph.get_tensor_by_name(name)
            for name in self.targets:
                self.session.graph.get_operation_by_name(name)
            _check_sizes(self.session.graph)
            self.computes_rows = not self.targets and computes_rows(
                self.session.graph, self.feeds, self.fetches, tf.get_static_value
            )
        except BackendError:
            raise
        # TensorFlow raises classes of its own, and built-in ones of many kinds.
        except Exception as error:
            raise BackendError(f"TensorFlow cannot load the graph: {_first_line(error)}") from error

    def _import(self, data: bytes) -> None:
        definition = self.tf.compat.v1.GraphDef.FromString(data)
        functions = _functions(definition)
        names = frozenset(functions)
        _check(definition.node, names)
        for function in functions.values():
            _check(function.node_def, names)
        with self.session.graph.as_default():
            self.tf.import_graph_def(definition, name="")

    def _load(self, data: bytes) -> None:
        from tensorflow.core.protobuf import saved_model_pb2

        _, files = read_files(data, Limits())
        root = next((path.rpartition("/")[0] for path in files if path.endswith("saved_model.pb")), None)
        if root is None:
            raise BackendError("the SavedModel has no saved_model.pb")
        for meta in saved_model_pb2.SavedModel.FromString(files[f"{root}/saved_model.pb".lstrip("/")]).meta_graphs:
            functions = _functions(meta.graph_def)
            roots = [*self.feeds, *self.fetches, *self.targets]
            roots += [name for op in meta.collection_def.values() for name in op.node_list.value]
            roots += [t.name for d in meta.signature_def.values() for t in (*d.inputs.values(), *d.outputs.values())]
            _check(_reached(meta.graph_def.node, functions, roots), frozenset(functions))
            saver = meta.saver_def
            _check(_reached(meta.graph_def.node, functions, [saver.restore_op_name]), _RESTORES | functions.keys())
            _check_restores(meta.graph_def.node, functions, saver)
        with tempfile.TemporaryDirectory(prefix="leapstream-") as folder:
            for path, content in files.items():
                target = Path(folder, *path.split("/"))
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            self.tf.compat.v1.saved_model.load(self.session, ["serve"], str(Path(folder, root)))

    def run(self, values: list[Any]) -> list[Any]:
        """The fetches for one row, or for many.

        Raises:
            TimeoutError: the graph takes too long.
        """
        given = dict(zip(self.feeds, values, strict=True))
        try:
            fetched, _ = self.session.run([self.fetches, self.targets], given)
        except self.tf.errors.DeadlineExceededError:
            raise TimeoutError(f"the graph takes more than {SECONDS:g} seconds") from None
        return list(fetched)


def _tensor(name: str) -> str:
    return name if ":" in name else f"{name}:0"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _functions(graph: Any) -> dict[str, Any]:
    """The functions of a graph by name."""
    from tensorflow.python.framework import op_def_registry

    functions = {f.signature.name: f for f in graph.library.function}
    for name in functions:
        if op_def_registry.get(name) is not None:
            raise BackendError(f"the graph's function {name!r} has the name of an operation")
    return functions


def _check(nodes: Iterable[Any], allowed: frozenset[str]) -> None:
    """Raise ``BackendError`` for a node whose operation neither only computes nor is in ``allowed``."""
    for node in nodes:
        if node.op not in ALLOWED and node.op not in allowed:
            raise BackendError(f"the graph's node {node.name!r} is a {node.op}, which a bundle's graph may not hold")
        if node.op == "Const" and node.attr["dtype"].type in _HANDLES:
            raise BackendError(
                f"the graph's node {node.name!r} is a constant of a type that a bundle's graph may not hold"
            )


def _check_sizes(graph: Any) -> None:
    """Raise ``BackendError`` for a node whose result has a known size above the limit."""
    for operation in graph.get_operations():
        if operation.type in _CARRIERS:
            continue
        for tensor in operation.outputs:
            count = tensor.shape.num_elements()
            if count is not None and count * tensor.dtype.size > MOST_BYTES:
                raise BackendError(
                    f"the graph's node {operation.name!r} makes a tensor of the shape {tuple(tensor.shape)}, which has more "
                    f"than {MOST_BYTES} bytes"
                )


def _check_restores(nodes: Iterable[Any], functions: dict[str, Any], saver: Any) -> None:
    """Check that variables are restored from the SavedModel's own files: from the name that TensorFlow gives."""
    given = {_node(saver.filename_tensor_name)}
    by_name = {node.name: node for node in nodes}
    reached = _reached(by_name.values(), functions, [saver.restore_op_name])
    bodies = [({node.name: node for node in reached if node.name in by_name}, given)]
    bodies += [
        ({node.name: node for node in f.node_def}, {argument.name for argument in f.signature.input_arg})
        for f in functions.values()
    ]
    restoring = {name for name, f in functions.items() if _restores(f.node_def, functions)}
    for body, names in bodies:
        for node in body.values():
            # The other inputs of a restoring function are the variables.
            inputs = node.input[:1] if node.op == "RestoreV2" else node.input if restoring & set(_calls(node)) else ()
            for name in map(_node, inputs):
                if name not in names and not (name in body and body[name].op == "VarHandleOp"):
                    raise BackendError(
                        f"the graph's node {node.name!r} restores variables from a file of its own choice"
                    )


def _restores(nodes: Iterable[Any], functions: dict[str, Any]) -> bool:
    every = list(_reached(nodes, functions, [node.name for node in nodes]))
    return any(node.op == "RestoreV2" for node in every)


def _reached(nodes: Iterable[Any], functions: dict[str, Any], roots: list[str]) -> Iterator[Any]:
    """The nodes that run for ``roots``, those of the functions that they call included."""
    by_name = {node.name: node for node in nodes}
    todo = [_node(name) for name in roots if name]
    called: list[str] = []
    seen: set[str] = set()
    while todo:
        name = todo.pop()
        if name in seen or name not in by_name:
            continue
        seen.add(name)
        node = by_name[name]
        yield node
        todo += map(_node, node.input)
        called += [f for f in _calls(node) if f in functions]
    done: set[str] = set()
    while called:
        function = called.pop()
        if function not in done:
            done.add(function)
            for node in functions[function].node_def:
                yield node
                called += [f for f in _calls(node) if f in functions]


def _calls(node: Any) -> Iterator[str]:
    """The names of the functions that a node may call; its operation may be one."""
    yield node.op
    for value in node.attr.values():
        yield value.func.name
        yield from (f.name for f in value.list.func)


def _node(tensor: str) -> str:
    return tensor.lstrip("^").partition(":")[0]


_sessions: WeakKeyDictionary[p.Graph, _Session] = WeakKeyDictionary()
_lock = Lock()


def _prepare(expr: p.TensorFlow) -> _Session:
    with _lock:
        if expr.graph not in _sessions:
            _sessions[expr.graph] = _Session(expr.graph)
        return _sessions[expr.graph]


@implements(p.TensorFlow, prepare=_prepare)
def _run_graph(run: Run, expr: p.TensorFlow, *xs: Column) -> Column:
    if expr.graph not in run.shared:
        run.shared[expr.graph] = _rows(run, expr, xs)
    assert isinstance(expr.type, TensorType)
    base = expr.type.base
    found = [None if row is None else _from_graph(row[expr.fetch], base) for row in run.shared[expr.graph]]
    shape = next((value.shape for value in found if value is not None), expr.type.dimensions or ())
    result = np.zeros((run.rows, *(max(n, 0) for n in shape)), dtype=NUMPY_DTYPES[base])
    for row, value in enumerate(found):
        if value is not None and value.shape != shape:
            run.fail_row(row, failures.dimensions_of_batch(str(shape), str(value.shape)))
        elif value is not None:
            result[row] = value
    return Column(result)


def _rows(run: Run, expr: p.TensorFlow, xs: tuple[Column, ...]) -> list[list[Any] | None]:
    session: _Session = run.prepared[id(expr)]
    given = [_to_graph(x.values, x_expr.type.base) for x, x_expr in zip(xs, expr.xs, strict=True)]
    results = _together(session, given, run.rows) if session.computes_rows else None
    if results is not None:
        return results
    results = []
    for row in range(run.rows):
        try:
            results.append(session.run([values[row] for values in given]))
        # TensorFlow raises classes of its own, and built-in ones of many kinds.
        except Exception as error:
            run.fail_row(row, failures.tensorflow(_first_line(error)))
            results.append(None)
    return results


def _together(session: _Session, given: list[Any], rows: int) -> list[list[Any] | None] | None:
    """The fetches of each row, of many rows in one call; ``None`` where a call of one row has to tell which fails."""
    ranks = [len(session.session.graph.get_tensor_by_name(name).shape) for name in session.feeds]
    if any(not isinstance(v, np.ndarray) or v.ndim != rank + 1 for v, rank in zip(given, ranks, strict=True)):
        return None
    each = given[0].shape[1]
    if each == 0 or any(values.shape[1] != each for values in given):
        return None
    results: list[list[Any] | None] = []
    for start in range(0, rows, ROWS):
        some = [values[start : start + ROWS] for values in given]
        count = len(some[0])
        try:
            fetched = session.run([values.reshape(count * each, *values.shape[2:]) for values in some])
        # TensorFlow raises classes of its own, and built-in ones of many kinds.
        except Exception:
            return None
        parts = [value.reshape(count, each, *value.shape[1:]) for value in fetched]
        results += [[part[row] for part in parts] for row in range(count)]
    return results


def _to_graph(values: Any, base: BasicType) -> Any:
    return values.view(np.uint8) if base is BasicType.BYTE else values


def _from_graph(value: Any, base: BasicType) -> Any:
    array = np.asarray(value)
    if base is BasicType.STRING:
        decoded = [v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in array.reshape(-1)]
        result = np.empty(array.size, dtype=object)
        result[:] = decoded
        return result.reshape(array.shape)
    if base is BasicType.BYTE_STRING:
        return array.astype(object)
    return array.astype(NUMPY_DTYPES[base])
