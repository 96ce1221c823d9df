"""Inference: tensors of a request in, tensors of the answer out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from leapstream.errors import PredictionError
from leapstream.installation import VERSION
from leapstream.serving.context import Context
from leapstream.serving.failures import RequestError, UnknownModelError
from leapstream.serving.http import Request
from leapstream.serving.oip.datatypes import BYTES
from leapstream.serving.oip.signature import Column, Signature, signature_of
from leapstream.serving.oip.tensors import MISSING_ROWS, Result, Tensor, Wanted, shown_rows
from leapstream.serving.registry import LATEST, ModelRegistry, ServedModel
from leapstream.serving.scoring import BATCH, NotYetError, OnError, check_rows, learn, score_record

EXTENSIONS = ("binary_tensor_data", "model_configuration", "model_repository")
"""The extensions of the protocol that the server has."""

PLATFORM = "mleap_bundle"
"""The platform of all models."""

DROPPED_ROWS = "dropped_rows"
"""The parameter of an answer that names the rows that the model drops."""

_MOST_INT32 = 2**31 - 1


def find_model(models: ModelRegistry, name: str, version: str | None = None) -> ServedModel:
    """A model by its name, which may be in another case if no model has exactly this one.

    Args:
        models: the served models.
        name: the name.
        version: the version; without one, or with ``latest``, the live one.

    Raises:
        UnknownModelError: it is not served.
    """
    if models.find(name) is None:
        folded = name.casefold()
        alike = [served.name for served in models if served.name.casefold() == folded]
        if len(alike) == 1:
            name = alike[0]
    return models.get(name, version or None)


def version_for(request: Request, models: ModelRegistry, name: str, version: str | None) -> ServedModel:
    """The version of a model that answers a request; see :func:`find_model`."""
    served = find_model(models, name, version)
    return served if version and version != LATEST else served.chosen(request.headers)


def is_served(models: ModelRegistry, name: str, version: str | None = None) -> bool:
    """True for a model that :func:`find_model` finds."""
    try:
        find_model(models, name, version)
    except (UnknownModelError, NotYetError):
        return False
    return True


def server_metadata() -> dict[str, Any]:
    """The description of the server."""
    return {"name": "leapstream", "version": VERSION, "extensions": EXTENSIONS}


def model_metadata(models: ModelRegistry, served: ServedModel) -> dict[str, Any]:
    """The description of a model."""
    signature = signature_of(served)
    return {
        "name": served.name,
        "versions": [version.version for version in models.versions(served.name)],
        "platform": PLATFORM,
        "inputs": [column.metadata for column in signature.inputs],
        "outputs": [column.metadata for column in signature.outputs],
    }


def model_config(served: ServedModel, most_rows: int) -> dict[str, Any]:
    """The configuration of a model, as Triton has it: the axis of the rows is not in ``dims``, and scalars have one of size 1."""
    signature = signature_of(served)
    return {
        "name": served.name,
        "platform": PLATFORM,
        "max_batch_size": min(most_rows, _MOST_INT32),
        "input": [_configured(column) for column in signature.inputs],
        "output": [_configured(column) for column in signature.outputs],
    }


def _configured(column: Column) -> dict[str, Any]:
    kind = "STRING" if column.datatype == BYTES else column.datatype
    return {"name": column.name, "data_type": f"TYPE_{kind}", "dims": column.shape[1:] or [1]}


def infer(
    context: Context,
    request: Request,
    served: ServedModel,
    tensors: Sequence[Tensor],
    wanted: Sequence[Wanted],
    parameters: Mapping[str, Any],
) -> tuple[list[Result], dict[str, Any]]:
    """Score the rows of tensors.

    Args:
        context: what the protocols share.
        request: the request, whose time limit holds.
        served: the model.
        tensors: the inputs.
        wanted: the outputs that are asked for; by default the model's final outputs.
        parameters: what else the request says; ``on_error`` is that of :func:`leapstream.serving.scoring.score`.

    Returns:
        the outputs, and what is said of all of them.

    Raises:
        RequestError: the tensors are not those of the model, or of different numbers of rows.
        SchemaError: their values do not fit the model.
        PredictionError: a row fails.
        TooLargeError: there are too many rows.
        TooLongForLoopError: they would take too long for the event loop.
    """
    signature = signature_of(served)
    _set_deadline(request, parameters)
    outputs: Sequence[str] | None = None
    if wanted:
        targets = [(w.name, _output(signature, w)) for w in wanted]
        outputs = tuple(dict.fromkeys(column.name for _, column in targets))
    else:
        targets = [(column.name, column) for column in signature.outputs]
    on_error = _on_error(parameters)
    record = None if on_error != "raise" else _usual_record(signature, tensors)
    if record is None:
        columns = _inputs(signature, tensors)
        rows = _rows(columns, tensors)
        if rows == 1 and on_error == "raise":
            record = {column.name: column.values(t, 1)[0] for column, t in zip(columns, tensors, strict=True)}
    if record is not None:
        answer = score_record(request, served, record, outputs)
        if answer is not None:
            assert not isinstance(answer, PredictionError)
            return [column.result(name, [answer[column.name]]) for name, column in targets], {}
        found: Mapping[str, Any] = {column.name: [None] for _, column in targets}
        dropped = [0]
    else:
        check_rows(request, served, rows, context.most_rows)
        few = _few if rows < BATCH else _many
        found, dropped = few(context, request, served, columns, tensors, rows, outputs, on_error)
    results = [column.result(name, found[column.name]) for name, column in targets]
    return results, {DROPPED_ROWS: shown_rows(dropped)} if dropped else {}


def require_whole(results: Sequence[Result], said: Mapping[str, Any], parameters: Mapping[str, Any]) -> None:
    """Make sure that tensors of bytes hold all values, or that the request allows others in place of missing ones.

    Raises:
        RequestError: a value is missing, and the request's parameter ``on_missing`` is not ``fill``.
    """
    on_missing = parameters.get("on_missing", "raise")
    if on_missing == "fill":
        return
    if on_missing != "raise":
        raise RequestError(f"on_missing is {on_missing!r}, and has to be raise or fill")
    for result in results:
        if len(result.missing) or any(x is None for x in _objects(result)):
            why = "is dropped by the model" if DROPPED_ROWS in said else "has no value"
            row = f"row {result.missing[0]}" if len(result.missing) else "an element"
            raise RequestError(
                f"output {result.name!r}: {row} {why}, and binary tensors hold no missing values; with on_missing=fill "
                f"others are in their places, and {MISSING_ROWS} names the rows"
            )


def _objects(result: Result) -> Sequence[Any]:
    return () if isinstance(result.elements, np.ndarray) else result.elements


def _set_deadline(request: Request, parameters: Mapping[str, Any]) -> None:
    timeout = parameters.get("timeout")
    if isinstance(timeout, int) and timeout > 0:
        request.deadline = min(request.deadline, time.monotonic() + timeout / 1e6)


def _on_error(parameters: Mapping[str, Any]) -> Literal["raise", "null"]:
    on_error = parameters.get("on_error", "raise")
    if on_error not in ("raise", "null"):
        raise RequestError(f"on_error is {on_error!r}, and has to be raise or null")
    chosen: Literal["raise", "null"] = on_error
    return chosen


def _usual_record(signature: Signature, tensors: Sequence[Tensor]) -> dict[str, Any] | None:
    """The record of a single row in the form that most clients send it; else ``None``."""
    record = {}
    for tensor in tensors:
        column = signature.input(tensor.name)
        value = column.usual_value(tensor)
        if value is None:
            return None
        record[column.name] = value
    return record if len(record) == len(tensors) else None


def _inputs(signature: Signature, tensors: Sequence[Tensor]) -> list[Column]:
    columns = [signature.input(tensor.name) for tensor in tensors]
    if len({column.name for column in columns}) != len(columns):
        raise RequestError("two tensors are for the same input")
    return columns


def _rows(columns: Sequence[Column], tensors: Sequence[Tensor]) -> int:
    rows = 1
    for position, (column, tensor) in enumerate(zip(columns, tensors, strict=True)):
        found = column.rows(tensor)
        if position and found != rows:
            raise RequestError(
                f"tensor {tensor.name!r} has {found} rows, and {tensors[0].name!r} has {rows}; shapes begin with the rows"
            )
        rows = found
    return rows


def _output(signature: Signature, wanted: Wanted) -> Column:
    if wanted.parameters is not None:
        for name in ("classification", "shared_memory_region"):
            if name in wanted.parameters:
                raise RequestError(f"output {wanted.name!r}: the parameter {name} is not supported")
    return signature.output(wanted.name)


def _few(
    context: Context,
    request: Request,
    served: ServedModel,
    columns: Sequence[Column],
    tensors: Sequence[Tensor],
    rows: int,
    outputs: Sequence[str] | None,
    on_error: OnError,
) -> tuple[Mapping[str, Any], list[int]]:
    names = [column.name for column in columns]
    values = [column.values(tensor, rows) for column, tensor in zip(columns, tensors, strict=True)]
    records = [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]
    answers = context.score(request, served, records, outputs=outputs, on_error=on_error)
    wanted = served.model.schema.outputs.names if outputs is None else outputs
    found = {name: [a[name] if type(a) is dict else None for a in answers] for name in wanted}
    return found, [row for row, answer in enumerate(answers) if answer is None]


def _many(
    context: Context,
    request: Request,
    served: ServedModel,
    columns: Sequence[Column],
    tensors: Sequence[Tensor],
    rows: int,
    outputs: Sequence[str] | None,
    on_error: OnError,
) -> tuple[Mapping[str, Any], list[int]]:
    frame = {column.name: column.array(tensor, rows) for column, tensor in zip(columns, tensors, strict=True)}
    started = time.perf_counter()
    results = served.model.predict_rows(frame, outputs=outputs)
    learn(served, (time.perf_counter() - started) / rows)
    if results.errors and on_error == "raise":
        raise results.errors[min(results.errors)]
    found = {name: _dense(values) for name, values in results.frame.items()}
    if len(results.rows) == rows:
        return found, []
    kept = results.rows.tolist()
    spread = {}
    for name, values in found.items():
        all_rows: list[Any] = [None] * rows
        for row, value in zip(kept, values.tolist() if values.dtype != object else values, strict=True):
            all_rows[row] = value
        spread[name] = all_rows
    return spread, sorted(set(range(rows)) - set(kept))


def _dense(values: Any) -> Any:
    return values.toarray() if hasattr(values, "toarray") else values
